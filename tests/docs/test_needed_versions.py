"""The oldest Python and the oldest Stash that are enough are the same wherever they are named."""

from __future__ import annotations

import re
import subprocess
import tomllib

import pytest
import yaml

from stash2plex.version import OLDEST_STASH
from tests.docs.test_release import read
from tools.build_plugin import ROOT

PYTHON = tomllib.loads(read("pyproject.toml"))["project"]["requires-python"].removeprefix(">=")
STASH = ".".join(map(str, OLDEST_STASH))
NAMED = re.compile(
    r"(?i)(?P<what>Python|Stash)[`3]*,? (?:version )?v?(?P<version>\d\.\d+) or newer"
    r"|version_info (?:<|>=) \((?P<asked>\d, \d+)\)"
)
FILES = ("*.md", "plugin", "Makefile", ":!CHANGELOG.md", ":!docs/decisions", ":!docs/reference")


def listed():
    return subprocess.run(
        ["git", "ls-files", *FILES], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()


def named():
    """Yield each place that names a version: the file, of what, and which."""
    for name in listed():
        for found in NAMED.finditer(read(name)):
            version = found["version"] or found["asked"].replace(", ", ".")
            yield name, (found["what"] or "Python").lower(), version


@pytest.mark.parametrize(("what", "oldest"), [("python", PYTHON), ("stash", STASH)])
def test_the_oldest_version_is_the_same_everywhere(what, oldest):
    places = [(name, version) for name, of, version in named() if of == what]
    assert ("docs/guides/install.md", oldest) in places
    assert {version for _, version in places} == {oldest}, places
    if what == "python":
        assert {name for name, _ in places} >= {
            "README.md", "Makefile", "plugin/stash2plex_plugin.py", "plugin/process_queue.py",
            "plugin/ui/texts/en.js", "docs/guides/windows.md", "docs/guides/bare-metal.md",
        }  # fmt: skip


def test_lint_types_and_ci_use_the_oldest_python():
    tools = tomllib.loads(read("pyproject.toml"))["tool"]
    assert tools["ruff"]["target-version"] == f"py{PYTHON.replace('.', '')}"
    assert tools["mypy"]["python_version"] == PYTHON
    assert f"--python-version {PYTHON} " in read("Makefile")
    jobs = yaml.safe_load(read(".github", "workflows", "ci.yml"))["jobs"]
    assert PYTHON in jobs["linux"]["strategy"]["matrix"]["python"]
