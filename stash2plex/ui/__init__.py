"""What users read: screens, lines, progress bars; and the text for Prometheus."""
