"""A work tree of one module and a few tests, to measure and to break."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from tools.mutants.mutants import Package, in_lines
from tools.reach.trees import ROOT

MODULE = '''"""Counts lanterns."""

LIMIT = 3


def count(lanterns):
    """Count up to the limit."""
    if lanterns > LIMIT:
        return LIMIT
    return lanterns


def wait(lanterns):
    """Wait until none is left."""
    while lanterns > 0:
        lanterns -= 1
    return "dark"


def end(how):
    """Leave in a way that runs nothing at the end."""
    import os

    if how == "exit":
        os._exit(0)
    os.kill(os.getpid(), 9)
'''

TESTS = """
import os
import shutil
import subprocess
import sys

import pytest

from stash2plex.lanterns import count, wait

RUN = "import sys; sys.path.insert(0, sys.argv[1]); from stash2plex import lanterns; "


def test_few():
    assert count(2) == 2


def test_wait():
    assert wait(2) == "dark"


@pytest.mark.parametrize("how", ["exit", "kill"])
def test_the_archive(tmp_path, how):
    shutil.copytree("dist/archive", tmp_path, dirs_exist_ok=True)
    code = RUN + "lanterns.count(5) == 3 or sys.exit('wrong'); lanterns.end(sys.argv[2])"
    done = subprocess.run([sys.executable, "-IS", "-c", code, tmp_path, how], env={})
    assert done.returncode == {"exit": 0, "kill": -9}[how]
"""

BUILD = """
import shutil
shutil.copytree("stash2plex", "dist/archive/stash2plex", dirs_exist_ok=True)
"""


def git(folder, *arguments):
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def harbour(tmp_path):
    """Make a work tree with its first commit."""
    root = tmp_path / "harbour"
    files = {
        "stash2plex/__init__.py": '"""The package."""\n',
        "stash2plex/lanterns.py": MODULE,
        "stash2plex/docks/boats.py": '"""Boats."""\n\n\ndef lift(boat):\n    return boat + 1\n',
        "tests/test_lanterns.py": TESTS,
        "tools/build_plugin.py": BUILD,
        ".gitignore": "dist/\n__pycache__/\n",
        "pytest.ini": "[pytest]\npythonpath = .\n",
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name in ("reach", "mutants"):
        shutil.copytree(
            os.path.join(ROOT, "tools", name),
            root / "tools" / name,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "config", "user.email", "harbour@example.invalid")
    git(root, "config", "user.name", "Harbour")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=The first")
    return root


LANTERNS = "stash2plex/lanterns.py"
BOATS = "stash2plex/docks/boats.py"


def mutant_of(harbour, line, becomes):
    (found,) = (
        mutant
        for mutant in in_lines(Package(str(harbour)), {LANTERNS: {line}})
        if mutant.diff.becomes == becomes
    )
    return found
