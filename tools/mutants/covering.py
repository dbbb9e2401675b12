"""Finds the tests that have to notice a mutant, and the order in which they run."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tools.mutants.mutants import Mutant, Package
    from tools.reach.measure import Reach

OF_CONSTANTS = ("tests/docs/", "tests/store/test_stored_names.py")
"""Tests that read the package's constants, and run none of its lines."""


@dataclass(frozen=True)
class Covering:
    """Tests in the order in which they run."""

    here: list[str]
    """Tests that reach the place in their own process."""

    archive: list[str]
    """Tests that reach it in a process of the archive, which has to be built for them."""


def covering(mutant: Mutant, package: Package, reach: Reach) -> Covering:
    """Find the tests that run what the mutant changes."""
    contexts = contexts_of(mutant, package, reach)
    here, archive = reach.known(contexts)
    if mutant.place.function is None:
        here |= {test for test in reach.seconds if test.startswith(OF_CONSTANTS)} - archive
    return Covering(in_order(here, reach.seconds), in_order(archive, reach.seconds))


def contexts_of(mutant: Mutant, package: Package, reach: Reach) -> set[str]:
    """Return the contexts in which a place runs."""
    place = mutant.place
    lines = reach.lines(mutant.path)
    if place.function is None:
        return of_constant(mutant, package, reach)
    first, last = place.function
    if not place.inside:
        # A default or a decorator: it runs at import, and matters to callers.
        return within(lines, first, last)
    # Not every line of a statement with several lines counts as run.
    return (
        lines.get(place.line)
        or within(lines, place.statement, place.line)
        or within(lines, place.line, place.end)
    )


def of_constant(mutant: Mutant, package: Package, reach: Reach) -> set[str]:
    """Return the contexts that use a constant by name; if there are none, those of its module."""
    found: set[str] = set()
    if mutant.place.names:
        named = re.compile(r"\b(" + "|".join(map(re.escape, mutant.place.names)) + r")\b")
        for path in package.paths:
            found |= in_functions(package.text(path), reach.lines(path), named)
    return (
        found
        or in_functions(package.text(mutant.path), reach.lines(mutant.path), re.compile(""))
        or within(reach.lines(mutant.path), 1, len(mutant.code.splitlines()))
    )


def in_functions(text: str, lines: Mapping[int, set[str]], pattern: re.Pattern[str]) -> set[str]:
    """Return the contexts of those lines of functions in which a pattern is found.

    Code outside of functions is run by everything that imports the module.
    """
    if not pattern.search(text):
        return set()
    inside: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            first = node.body[0].lineno if isinstance(node, ast.FunctionDef) else node.lineno
            inside.update(range(first, (node.end_lineno or first) + 1))
    return set().union(
        *(
            lines.get(number, set())
            for number, line in enumerate(text.splitlines(), start=1)
            if number in inside and pattern.search(line)
        )
    )


def within(lines: Mapping[int, set[str]], first: int, last: int) -> set[str]:
    """Return all contexts of a range of lines."""
    return set().union(*(contexts for line, contexts in lines.items() if first <= line <= last))


def in_order(tests: Iterable[str], seconds: Mapping[str, float]) -> list[str]:
    """Sort the quickest first, with as much time for each file as for any other.

    Tests in one file check similar things: if one does not notice, its neighbour seldom does.
    """
    files: dict[str, float] = defaultdict(float)
    turns = []
    for test in sorted(tests, key=lambda test: (seconds[test], test)):
        file = test.partition("::")[0]
        files[file] += seconds[test]
        turns.append((files[file], test))
    return [test for _, test in sorted(turns)]
