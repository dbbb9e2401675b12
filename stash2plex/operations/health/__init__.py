"""The health checks, and their report."""
