"""Looks at the whole of Stash: what moved since the last look goes into the queue."""
