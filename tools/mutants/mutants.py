"""Selects the mutants to try: a sample, the lines of a change, or what survived before."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from tools.mutants.places import Diff, Module, Place
from tools.reach.gaps import folder_of
from tools.reach.trees import PACKAGE, ROOT, tree_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

HUNK = re.compile(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@")


@dataclass(frozen=True)
class Mutant:
    """A file with one place broken."""

    path: str
    place: Place
    operator: str
    diff: Diff
    code: str
    """The whole broken file."""

    @property
    def folder(self) -> str:
        """Return its folder in the package."""
        return folder_of(self.path)

    @property
    def module(self) -> str:
        """Return its file's name without folders, so that moving it changes nothing."""
        return os.path.splitext(os.path.basename(self.path))[0]


class Package:
    """The files of the package, parsed when they are first asked for."""

    def __init__(self, root: str = ROOT, package: str = PACKAGE) -> None:
        self._root = root
        self.paths = [
            name
            for name in tree_files(root)
            if name.startswith(f"{package}/") and name.endswith(".py")
        ]
        self._modules: dict[str, Module] = {}

    def module(self, path: str) -> Module:
        """Parse a file, once."""
        if path not in self._modules:
            self._modules[path] = Module(self.text(path))
        return self._modules[path]

    def text(self, path: str) -> str:
        """Read a file."""
        with open(os.path.join(self._root, path), encoding="utf-8") as file:
            return file.read()

    def mutants(self, path: str, place: Place) -> Iterable[Mutant]:
        """Yield each way of breaking one place."""
        module = self.module(path)
        for change in place.changes:
            code = module.apply(change)
            yield Mutant(path, place, change.operator, module.diff(code), code)


def draw(
    package: Package,
    paths: Iterable[str],
    size: int,
    seed: int,
    part_of: Callable[[str], str] = folder_of,
) -> list[Mutant]:
    """Draw up to `size` places in each part, each broken in one way. The same for a seed.

    `part_of` gives the part of the package that a path lies in.
    """
    parts: dict[str, list[str]] = {}
    for path in paths:
        parts.setdefault(part_of(path), []).append(path)
    drawn = []
    for part, held in sorted(parts.items()):
        rng = Random(f"{seed} {part}")
        places = [(path, place) for path in sorted(held) for place in package.module(path).places]
        for path, place in rng.sample(places, min(size, len(places))):
            drawn.append(rng.choice(list(package.mutants(path, place))))
    return drawn


def in_lines(package: Package, lines: Mapping[str, set[int]]) -> list[Mutant]:
    """Return every mutant of lines; `lines` are by file, and count from 1."""
    return [
        mutant
        for path in package.paths
        if path in lines
        for place in package.module(path).places
        if place.line in lines[path]
        for mutant in package.mutants(path, place)
    ]


def changed_lines(base: str | None, root: str = ROOT) -> dict[str, set[int]]:
    """Return the lines of the package that differ from a commit, new files too.

    Without `base`, the commit is where this branch left the main one; there, the last commit.
    Raises SystemExit if git does not know the commit.
    """
    base = base or default_base(root)
    shown = git(root, "diff", "--unified=0", "--no-color", "--no-ext-diff", base, "--", PACKAGE)
    lines: dict[str, set[int]] = {}
    path = ""
    for line in shown.splitlines():
        if line.startswith("+++ "):
            path = line.removeprefix("+++ ").removeprefix("b/")
        elif found := HUNK.match(line):
            first, count = int(found[1]), int(found[2] or 1)
            lines.setdefault(path, set()).update(range(first, first + count))
    others = git(root, "ls-files", "--others", "--exclude-standard", "--", PACKAGE)
    for name in others.splitlines():
        with open(os.path.join(root, name), encoding="utf-8") as file:
            lines[name] = set(range(1, len(file.readlines()) + 1))
    return lines


def default_base(root: str) -> str:
    """Return the commit that a change is counted from."""
    for main in ("origin/main", "origin/master", "main", "master"):
        found = subprocess.run(
            ["git", "merge-base", "HEAD", main],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )
        if found.returncode == 0:
            return found.stdout.strip()
    return "HEAD"


def git(root: str, *arguments: str) -> str:
    """Run git. Raises SystemExit with its output if it fails."""
    done = subprocess.run(
        ["git", *arguments], cwd=root, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr.strip())
    return done.stdout
