"""The stage with both stand-ins, and an application beside it."""

from tests.e2e.sweeping import small_pages, workshop
from tests.harness.process import make_stage

__all__ = ["make_stage", "small_pages", "workshop"]
