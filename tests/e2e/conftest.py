"""The stage with both stand-ins, and an application beside it."""

from tests.e2e.sweeping import small_pages, workshop
from tests.harness.process import make_stage, open_beside

__all__ = ["make_stage", "open_beside", "small_pages", "workshop"]
