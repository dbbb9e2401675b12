"""The table, the survivors, and dist/mutants.json."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich.table import Table

from tools.mutants.trial import HARMLESS, NOTICED, SURVIVED, TIMED_OUT, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rich.console import Console

    from tools.mutants.mutants import Mutant


@dataclass(frozen=True)
class Tried:
    """A mutant and what became of it."""

    mutant: Mutant
    result: Result

    def row(self) -> dict[str, Any]:
        """Return the row for the file."""
        mutant = self.mutant
        return {
            "folder": mutant.folder,
            "path": mutant.path,
            "line": mutant.place.line,
            "module": mutant.module,
            "operator": mutant.operator,
            "was": mutant.diff.was,
            "becomes": mutant.diff.becomes,
            **asdict(self.result),
        }


def share(counts: Counter[str]) -> float | None:
    """Return the share of the harmful mutants that was noticed; None if there are none.

    A mutant that never ends counts as noticed, because the suite would not end either.
    """
    noticed = counts[NOTICED] + counts[TIMED_OUT]
    harmful = noticed + counts[SURVIVED]
    return noticed / harmful if harmful else None


def table(tried: Iterable[Tried], title: str, part_of: Callable[[str], str]) -> Table:
    """Count by parts of the package; `part_of` gives the part that a path lies in."""
    parts: dict[str, Counter[str]] = {}
    for one in tried:
        parts.setdefault(part_of(one.mutant.path), Counter())[one.result.outcome] += 1
    shown = Table(title=f"Mutants by {title}")
    shown.add_column(title)
    for heading in ("mutants", NOTICED, SURVIVED, HARMLESS, TIMED_OUT, "share"):
        shown.add_column(heading, justify="right")
    for part, counts in sorted(parts.items()):
        shown.add_row(part, *cells(counts))
    shown.add_section()
    shown.add_row("all", *cells(sum(parts.values(), Counter())))
    return shown


def cells(counts: Counter[str]) -> list[str]:
    """Return the figures of one row."""
    part = share(counts)
    return [
        str(counts.total()),
        *(str(counts[outcome]) for outcome in (NOTICED, SURVIVED, HARMLESS, TIMED_OUT)),
        "–" if part is None else f"{part:.0%}",
    ]


def show_survivor(console: Console, one: Tried) -> None:
    """Print one survivor as a change of its line."""
    mutant, result = one.mutant, one.result
    if not result.asked:
        how = "no test runs it"
    else:
        how = f"{result.asked - result.left} of {result.asked} tests asked"
    heading = f"{mutant.path}:{mutant.place.line}: {mutant.operator} ({how})"
    console.print(heading, style="bold", markup=False, highlight=False, soft_wrap=True)
    console.print(
        f"- {mutant.diff.was}", style="red", markup=False, highlight=False, soft_wrap=True
    )
    console.print(
        f"+ {mutant.diff.becomes}", style="green", markup=False, highlight=False, soft_wrap=True
    )


def write(path: str, tried: Iterable[Tried], settings: dict[str, Any]) -> None:
    """Write the whole file or nothing."""
    rows = [one.row() for one in tried]
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        json.dump({**settings, "mutants": rows}, file, indent=1, ensure_ascii=False)
    os.replace(f"{path}.new", path)


Key = tuple[str, str, str, str]


Spot = tuple[str, int, str, str]


def spot_of(mutant: Mutant) -> Spot:
    """Return what identifies a mutant for an interrupted run."""
    return mutant.path, mutant.place.line, mutant.operator, mutant.diff.becomes


def known(path: str) -> dict[Spot, Result]:
    """Return what an earlier run found, whether it was complete or not."""
    try:
        with open(path, encoding="utf-8") as file:
            rows = json.load(file)["mutants"]
    except (OSError, ValueError, KeyError):
        return {}
    return {
        (row["path"], row["line"], row["operator"], row["becomes"]): Result(
            **{name: row[name] for name in Result.__dataclass_fields__ if name in row}
        )
        for row in rows
    }


def survivors(path: str) -> tuple[dict[str, set[int]], set[Key]]:
    """Return lines by file, and keys, of those that survived an earlier run.

    Raises SystemExit if there was none.
    """
    try:
        with open(path, encoding="utf-8") as file:
            rows = json.load(file)["mutants"]
    except (OSError, ValueError, KeyError):
        raise SystemExit(f"{path} holds no earlier run.") from None
    lines: dict[str, set[int]] = {}
    keys = set()
    for row in rows:
        if row["outcome"] == SURVIVED:
            lines.setdefault(row["path"], set()).add(row["line"])
            keys.add((row["module"], row["operator"], row["was"], row["becomes"]))
    return lines, keys
