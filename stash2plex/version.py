"""The one place that names our version, and the oldest Stash that is enough."""

VERSION = "2.0.0"

OLDEST_STASH = (0, 27)
"""The first Stash that answers every question of ours, runs our script and has hooks for groups.

`tests/commands/test_stash_releases.py` checks each release from there on.
"""
