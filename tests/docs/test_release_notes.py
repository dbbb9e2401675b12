"""The notes of a release are what the changelog holds about it, by component."""

from __future__ import annotations

import re

import yaml

from stash2plex.version import VERSION
from tests.docs.test_release import read
from tools.release_notes import ENTRY, notes
from tools.site_address import SOURCE

CHANGES = """\
# Changelog

Each line gives the reason.

## Unreleased

- **lanterns**: burn longer, because the nights
  are long.
- **quay**, **lanterns**: a rope.

## 2.0.0 (unreleased)

- **lanterns**: are lit.

## 1.9.0

- **lanterns**: are bought.
"""


def test_the_notes_hold_one_version_by_component():
    head, *lines = notes(CHANGES, "2.0.0").splitlines()
    assert SOURCE in head
    assert [line for line in lines if line] == [
        "### lanterns",
        "- burn longer, because the nights are long.",
        "- are lit.",
        "### quay",
        "- a rope.",
    ]
    assert notes("## 1.9.0\n\n- **quay**: a rope.\n", "2.0.0") == ""


def test_each_change_names_its_component():
    lines = [line for line in read("CHANGELOG.md").splitlines() if line.startswith("- ")]
    assert [line for line in lines if not ENTRY.match(line)] == []
    assert notes(read("CHANGELOG.md"), VERSION)


def test_the_release_has_these_notes():
    jobs = yaml.safe_load(read(".github", "workflows", "release.yml"))["jobs"]
    publish = jobs["publish"]["steps"][-1]["run"]
    assert "--notes-file dist/release-notes.md " in publish
    kept = next(step["with"] for step in jobs["build"]["steps"] if "path" in step.get("with", {}))
    attached = set(re.findall(r"dist/\S+", publish))
    assert attached == set(kept["path"].split())
    assert "tools.release_notes" in read("Makefile")
