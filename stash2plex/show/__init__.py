"""What a person sees: logs, progress, status, dead letters, outages, explanations, previews."""
