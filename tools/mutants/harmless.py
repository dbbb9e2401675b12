"""The mutants that were judged harmless, because they behave as the code does, with the reason."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools.reach.trees import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tools.mutants.mutants import Mutant

FILE = os.path.join(ROOT, "tests", "harmless_mutants.toml")
FIELDS = {"module", "operator", "was", "becomes", "reason"}


@dataclass(frozen=True)
class Judgement:
    """One entry. Neither folder nor line number counts, so a module may move and grow."""

    module: str
    operator: str
    was: str
    becomes: str
    reason: str

    def key(self) -> tuple[str, str, str, str]:
        """Return what identifies a mutant."""
        return self.module, self.operator, self.was, self.becomes


def key_of(mutant: Mutant) -> tuple[str, str, str, str]:
    """Return the key that a judgement of this mutant has."""
    return mutant.module, mutant.operator, mutant.diff.was, mutant.diff.becomes


def read(path: str = FILE) -> dict[tuple[str, str, str, str], Judgement]:
    """Read the judgements. Raises ValueError for an incomplete or repeated entry."""
    with open(path, "rb") as file:
        entries: list[dict[str, Any]] = tomllib.load(file).get("mutant", [])
    found: dict[tuple[str, str, str, str], Judgement] = {}
    for entry in entries:
        if set(entry) != FIELDS or not all(
            isinstance(value, str) and value.strip() for value in entry.values()
        ):
            raise ValueError(f"{path}: an entry needs {', '.join(sorted(FIELDS))}: {entry}")
        judgement = Judgement(**entry)
        if judgement.key() in found:
            raise ValueError(f"{path}: this entry stands there twice: {entry}")
        found[judgement.key()] = judgement
    return found


def stale(judgements: Iterable[Judgement], texts: dict[str, list[str]]) -> list[Judgement]:
    """Return those whose line is no longer in any module of that name.

    `texts` are the source texts by module name; several folders may hold the same name.
    """
    held = {
        name: [" ".join(line.strip() for line in text.splitlines()) for text in found]
        for name, found in texts.items()
    }
    return [
        judgement
        for judgement in judgements
        if not any(judgement.was in text for text in held.get(judgement.module, ()))
    ]
