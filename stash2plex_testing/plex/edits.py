"""Edits: what Plex accepts as one, and what a server's traits make of it (plex.md §3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal
from urllib.parse import unquote

from stash2plex_testing.plex.records import FLOATS, LOCKABLE, TAGS, TEXTS, Item
from stash2plex_testing.plex.traits import Traits, fold


class BadEdit(ValueError):
    """An edit that Plex refuses as a whole."""


@dataclass(frozen=True)
class Step:
    """One thing that an edit does to a field. `names` are the values that a removal removes."""

    deed: Literal["lock", "unlock", "text", "date", "number", "add", "remove"]
    name: str
    value: str = ""
    number: float | None = None
    names: tuple[str, ...] = ()


def read_edit(parameters: Mapping[str, list[str]]) -> list[Step]:
    """Split an edit into steps, in the order in which it is sent. Raises BadEdit."""
    steps = []
    for name, values in parameters.items():
        step = _read_parameter(name, values[-1])
        if step is not None:
            steps.append(step)
    return steps


def _read_parameter(name: str, value: str) -> Step | None:
    if match := re.fullmatch(r"(\w+)\.(value|locked)", name):
        return _read_field(match[1], match[2], value)
    if match := re.fullmatch(r"(\w+)\[\d+\]\.tag\.tag", name):
        return Step("add", _list(match[1]), value)
    if match := re.fullmatch(r"(\w+)\[\]\.tag\.tag-", name):
        gone = tuple(unquote(part) for part in value.split(","))
        return Step("remove", _list(match[1]), names=gone)
    if re.fullmatch(r"(\w+)\[\d+\]\.(tag|tagging)(\.\w+)?", name):
        # What belongs to a value is not kept here; without the second ".tag" it is ignored
        # (plex-2.md §1, 5).
        return None
    raise BadEdit(name)


def _list(name: str) -> str:
    if name not in TAGS:
        raise BadEdit(name)
    return name


def _read_field(name: str, part: str, value: str) -> Step:
    if name not in LOCKABLE:
        raise BadEdit(name)
    if part == "locked":
        if value not in ("0", "1"):
            raise BadEdit(name)
        return Step("lock" if value == "1" else "unlock", name)
    if name == "originallyAvailableAt":
        return Step("date", name, _date(value))
    if name in FLOATS:
        try:
            return Step("number", name, number=float(value) if value else None)
        except ValueError as error:
            raise BadEdit(value) from error
    if name not in TEXTS:
        raise BadEdit(name)
    return Step("text", name, value)


def _date(value: str) -> str:
    try:
        if value and date.fromisoformat(value).isoformat() != value:
            raise BadEdit(value)
    except ValueError as error:
        raise BadEdit(value) from error
    return value


class Editor:
    """Applies edits to items. `items` gives all of the server, whose names may be one row each."""

    def __init__(self, items: Callable[[], Iterable[Item]]) -> None:
        self._items = items
        self._rows: dict[tuple[str, str], str] = {}

    def apply(self, items: list[Item], steps: list[Step], traits: Traits) -> None:
        """Apply an edit to each of the items."""
        kept = [step for step in steps if _keeps(step, traits)]
        if traits.add_before_remove is not None:
            last = "remove" if traits.add_before_remove else "add"
            kept.sort(key=lambda step: step.deed == last)
        replaces = traits.tags == "replace_sets" or (traits.tags == "replace" and len(items) == 1)
        for item in items:
            emptied: set[str] = set() if replaces else set(TAGS)
            for step in kept:
                self._take(item, step, traits, emptied)

    def _take(self, item: Item, step: Step, traits: Traits, emptied: set[str]) -> None:
        name = step.name
        match step.deed:
            case "lock":
                item.locked.add(name)
            case "unlock":
                item.locked.discard(name)
            case "text" if name == "title":
                item.title = traits.spell(name, step.value)
            case "text":
                item.texts[name] = traits.spell(name, step.value)
            case "date":
                item.originally_available_at = traits.shifted(step.value)
            case "number":
                set_number(item, name, step.number, traits)
            case "add":
                if name not in emptied:
                    emptied.add(name)
                    item.tags[name] = []
                self._add(item, name, step.value, traits)
            case "remove":
                _remove(item, step, traits)

    def _add(self, item: Item, kind: str, value: str, traits: Traits) -> None:
        held = item.tags.setdefault(kind, [])
        value = traits.spell(kind, value)
        if not value:
            return
        if kind in traits.one_row_per_folded_name:
            value = self._row(kind, value)
        if kind in traits.folds_case:
            value = next((one for one in held if fold(one) == fold(value)), value)
        if traits.append_double or value not in held:
            held.append(value)

    def _row(self, kind: str, value: str) -> str:
        """Return the spelling that a name has on the whole server; the first one stays."""
        key = kind, fold(value)
        if key not in self._rows:
            names = (name for item in self._items() for name in item.tags.get(kind, ()))
            self._rows[key] = next((name for name in names if fold(name) == key[1]), value)
        return self._rows[key]


def set_number(item: Item, name: str, number: float | None, traits: Traits) -> None:
    """Set a rating as the server keeps it; None removes it."""
    if number is None:
        item.floats.pop(name, None)
    else:
        item.floats[name] = traits.rounded(number) if name == "userRating" else number


def _keeps(step: Step, traits: Traits) -> bool:
    return step.deed in ("lock", "unlock") or step.name not in traits.ignores_field


def _remove(item: Item, step: Step, traits: Traits) -> None:
    names = step.names[:1] if traits.one_removal_per_put else step.names
    held = item.tags.get(step.name, [])
    if traits.removal_folds_case:
        gone = {fold(name) for name in names}
        item.tags[step.name] = [one for one in held if fold(one) not in gone]
    else:
        item.tags[step.name] = [one for one in held if one not in names]
