"""The stage with both stand-ins."""

from tests.stage import make_stage

__all__ = ["make_stage"]
