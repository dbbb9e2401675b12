"""What every test gets: an environment without our variables, and a header that names SQLite."""

from __future__ import annotations

import os
import sqlite3

import pytest
from hypothesis import settings

# Time decides no test: a slow machine is no failure.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_report_header():
    return f"SQLite {sqlite3.sqlite_version}"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in list(os.environ):
        if name.startswith("STASH2PLEX_") or name == "STASH_PLUGIN_DATA":
            monkeypatch.delenv(name)
