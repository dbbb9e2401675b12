"""Compares Stash, the records and Plex: the reconcile runs and their reports."""
