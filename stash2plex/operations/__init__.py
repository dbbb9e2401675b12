"""Use cases: they return values, and print nothing."""
