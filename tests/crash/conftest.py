"""The stage with both stand-ins."""

from tests.harness.process import make_stage

__all__ = ["make_stage"]
