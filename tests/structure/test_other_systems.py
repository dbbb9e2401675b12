"""The suite can be read on a system that lacks what POSIX has; what needs it is skipped there."""

from __future__ import annotations

import ast
import os
import subprocess
import tomllib

import pytest

from stash2plex_testing.world import ROOT

POSIX_ONLY = {"fcntl", "grp", "pty", "pwd", "resource", "termios"}
LISTED = subprocess.run(
    ["git", "ls-files", "tests/*.py", "tools/*.py", "stash2plex_testing/*.py"],
    cwd=ROOT, capture_output=True, text=True, check=True,
).stdout.split()  # fmt: skip


@pytest.mark.parametrize("name", LISTED)
def test_no_module_imports_what_windows_lacks_while_it_is_read(name):
    with open(f"{ROOT}/{name}", encoding="utf-8") as file:
        tree = ast.parse(file.read())
    names = {
        alias.name
        for node in tree.body
        if isinstance(node, ast.Import)
        for alias in node.names
    }  # fmt: skip
    assert names & POSIX_ONLY == set()


def test_what_is_skipped_elsewhere_exists():
    with open(f"{ROOT}/tests/platforms.toml", "rb") as file:
        places = [place for reasons in tomllib.load(file).values() for place in reasons]
    for place in places:
        path, _, name = place.partition("::")
        assert os.path.exists(f"{ROOT}/{path}"), place
        if name:
            with open(f"{ROOT}/{path}", encoding="utf-8") as file:
                assert f"\ndef {name}(" in file.read(), place
