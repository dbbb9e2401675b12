"""The stage with both stand-ins, and an application beside it."""

from tests.e2e.sweeping import small_pages, workshop
from tests.harness.presses import make_harbour
from tests.harness.process import make_stage, open_beside
from tests.harness.reconciles import open_world

__all__ = ["make_harbour", "make_stage", "open_beside", "open_world", "small_pages", "workshop"]
