"""Writes dist/release-notes.md: what the changelog holds about this version, by component."""

from __future__ import annotations

import os
import re
import sys

from stash2plex.version import VERSION
from tools.build_plugin import ROOT
from tools.site_address import SITE, SOURCE

NAME = "release-notes.md"

ENTRY = re.compile(
    r"(?m)^- \*\*(?P<component>[^*]+)\*\*(?:, \*\*[^*]+\*\*)*: (?P<text>.*(?:\n  .*)*)"
)
"""An entry of the changelog; one about several components counts for the first."""


def main() -> int:
    """Write the notes; returns 1 if the changelog holds nothing about this version."""
    with open(os.path.join(ROOT, "CHANGELOG.md"), encoding="utf-8") as file:
        text = notes(file.read(), VERSION)
    if not text:
        print(f"wrong: CHANGELOG.md holds nothing about {VERSION}", file=sys.stderr)
        return 1
    with open(os.path.join(ROOT, "dist", NAME), "w", encoding="utf-8") as file:
        file.write(text)
    return 0


def notes(changelog: str, version: str) -> str:
    """Return the release notes of `version`, or “” if the changelog holds nothing about it.

    What is not released yet counts as that version's. The largest components come first. Each entry
    is one line, because the page of a release keeps line ends.
    """
    components: dict[str, list[str]] = {}
    for section in re.split(r"(?m)^## ", changelog)[1:]:
        if section.split(None, 1)[0] in ("Unreleased", version):
            for entry in ENTRY.finditer(section):
                words = " ".join(entry["text"].split())
                components.setdefault(entry["component"], []).append(f"- {words}")
    if not components:
        return ""
    lines = [f"The address of the source in Stash: `{SOURCE}`. Documents: {SITE}"]
    for name, entries in sorted(components.items(), key=lambda one: -len(one[1])):
        lines += ["", f"### {name}", "", *entries]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
