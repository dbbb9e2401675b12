"""What every test gets: an environment without our variables, and a header that names SQLite."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import tomllib

import pytest
from hypothesis import settings

# How fast this machine is decides no test.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")


HERE = os.path.dirname(os.path.abspath(__file__))


def pytest_addoption(parser):
    parser.addoption(
        "--rewrite", action="store_true",
        help="write what was said into the file beside the test, instead of comparing",
    )  # fmt: skip


def pytest_collection_modifyitems(config, items):
    """Mark what needs Linux or POSIX, with the reason; skip it where that is not."""
    with open(os.path.join(HERE, "platforms.toml"), "rb") as file:
        table = tomllib.load(file)
    missing = {"linux": sys.platform != "linux", "posix": os.name != "posix"}
    for item in items:
        path = os.path.relpath(item.path, config.rootpath).replace(os.sep, "/")
        test = f"{path}::{getattr(item, 'originalname', item.name)}"
        for kind, reasons in table.items():
            for place, reason in reasons.items():
                if place in (path, test) or path.startswith(f"{place}/"):
                    item.add_marker(getattr(pytest.mark, kind)(reason))
                    if missing[kind]:
                        item.add_marker(pytest.mark.skip(f"needs {kind}: {reason}"))


def pytest_report_header():
    return f"SQLite {sqlite3.sqlite_version}"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in list(os.environ):
        if name.startswith("STASH2PLEX_") or name == "STASH_PLUGIN_DATA":
            monkeypatch.delenv(name)


@pytest.fixture
def approved(request):
    """Return what compares a value, part by part, with the JSON file beside the test.

    With `--rewrite` it writes the file: read the difference before you commit it.
    """
    path = request.path.with_suffix(".json")

    def compare(told):
        if request.config.getoption("--rewrite"):
            path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        known = json.loads(path.read_text(encoding="utf-8"))
        for name, parts in known.items():
            for part in parts if isinstance(parts, dict) else ():
                assert told[name].get(part) == parts[part], f"{name}: {part}"
        assert told == known

    return compare
