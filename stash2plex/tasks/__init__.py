"""Stash's tasks and operations: one file a noun, and the registry."""
