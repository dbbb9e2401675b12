"""A plugin folder whose worker is switched off."""

from tests.harness.hooks import plugin

__all__ = ["plugin"]
