"""Decisions. No input, no output, not even through a port."""
