"""Finds what no test runs, by coverage's analysis."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.table import Table

from tools.reach.trees import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tools.reach.measure import Measuring

FLAT = "(flat)"
"""How modules outside of the package's folders are listed."""

PRAGMA = re.compile(r"#\s*pragma:\s*no (?:cover|branch)\b(?P<rest>.*)")
REASON = re.compile(r"\s*[-–:]\s*\S.*")

NEEDS_NO_REASON = [
    r"if TYPE_CHECKING:",
    r"if __name__ == .__main__.:",
    r"\.\.\.$",
    r"@overload",
]
"""Lines that never run, or not at import; they need no reason."""


@dataclass(frozen=True)
class Gap:
    """The parts of a file that are not run and have no reason. Lines count from 1."""

    path: str
    statements: int
    lines: list[int]
    """Lines that never run."""

    branches: list[tuple[int, int]]
    """Jumps from one line to another that never happen although the first line runs.
    A second line below 0 is the end of the function that begins there."""

    all_branches: int

    @property
    def folder(self) -> str:
        """Return its folder in the package."""
        return folder_of(self.path)

    def sentences(self) -> list[str]:
        """Return a sentence for each gap."""
        ways = [
            f"{self.path}:{line}: never goes " + (f"to line {to}" if to > 0 else "to the end")
            for line, to in self.branches
        ]
        return [f"{self.path}:{run}: never run" for run in runs(self.lines)] + ways


def folder_of(path: str) -> str:
    """Return a file's folder below the package, or `FLAT`."""
    parts = path.split("/")
    return parts[1] if len(parts) > 2 else FLAT  # noqa: PLR2004 - package, folder, file


def find_gaps(measuring: Measuring, paths: Iterable[str]) -> list[Gap]:
    """Ask coverage which parts of each file were not run."""
    whole = measuring.coverage()
    whole.load()
    for pattern in NEEDS_NO_REASON:
        whole.exclude(pattern)
    report = os.path.join(measuring.folder, "coverage.json")
    names = [os.path.join(measuring.root, path) for path in paths]
    whole.json_report(morfs=names, outfile=report)
    with open(report, encoding="utf-8") as file:
        files = json.load(file)["files"]
    gaps = []
    for path in paths:
        # coverage names files relative to its working folder.
        name = os.path.relpath(os.path.join(measuring.root, path))
        found = files.get(name) or files.get(os.path.join(measuring.root, path))
        if found is None:
            continue
        unrun = set(found["missing_lines"])
        gaps.append(
            Gap(
                path,
                found["summary"]["num_statements"],
                sorted(unrun),
                # If a line never runs, the line itself is named.
                [
                    (line, to)
                    for line, to in found["missing_branches"]
                    if line not in unrun and to not in unrun
                ],
                found["summary"]["num_branches"],
            )
        )
    return gaps


def runs(lines: list[int]) -> list[str]:
    """Return neighbouring lines as one range: 3-5."""
    parts: list[list[int]] = []
    for line in lines:
        if parts and line == parts[-1][-1] + 1:
            parts[-1].append(line)
        else:
            parts.append([line])
    return [str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts]


def table(gaps: Iterable[Gap]) -> Table:
    """Count by folder."""
    folders: dict[str, list[Gap]] = {}
    for gap in gaps:
        folders.setdefault(gap.folder, []).append(gap)
    shown = Table(title=f"What no test runs in {PACKAGE}/")
    shown.add_column("folder")
    for heading in ("lines", "not run", "branches", "not taken"):
        shown.add_column(heading, justify="right")
    for folder, held in sorted(folders.items()):
        shown.add_row(folder, *cells(held))
    shown.add_section()
    shown.add_row("all", *cells([gap for held in folders.values() for gap in held]))
    return shown


def cells(gaps: list[Gap]) -> list[str]:
    """Return the figures of one row."""
    return [
        str(sum(gap.statements for gap in gaps)),
        str(sum(len(gap.lines) for gap in gaps)),
        str(sum(gap.all_branches for gap in gaps)),
        str(sum(len(gap.branches) for gap in gaps)),
    ]


def pragmas_without_reason(root: str, path: str) -> list[int]:
    """List the lines of a file whose `pragma: no cover` or `no branch` gives no reason."""
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return [
            number
            for number, line in enumerate(file, start=1)
            if (found := PRAGMA.search(line)) and not REASON.match(found["rest"])
        ]
