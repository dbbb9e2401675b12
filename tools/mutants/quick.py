"""A pytest plugin: a failing property is not shrunk, which takes minutes for the queue."""

from __future__ import annotations

from hypothesis import Phase, settings


def pytest_sessionstart() -> None:
    """Change what the tests' own conftest chose, before their modules are read."""
    settings.register_profile(
        "mutants", settings.default, phases=(Phase.explicit, Phase.generate), database=None
    )
    settings.load_profile("mutants")
