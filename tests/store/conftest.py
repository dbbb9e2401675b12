"""A queue and its runs."""

from tests.store.runbench import bench

__all__ = ["bench"]
