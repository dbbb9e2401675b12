"""Pure: what the fields of an item are to become when its writes, or those of a run, are undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from attrs import Factory, frozen

from stash2plex.model import IMAGE_FIELDS, LIST_FIELDS, Field, Record
from stash2plex.rules.first_state import FirstState
from stash2plex.rules.memory import Version, names_of
from stash2plex.rules.spelling import folds
from stash2plex.rules.way_back import EARLY, NEWER, Goal

HASHES = {Field.POSTER: "poster_hash", Field.BACKGROUND: "background_hash"}
"""Where a record has the hash of a picture."""


class Written(Protocol):
    """A write as the history has it."""

    @property
    def run_id(self) -> int:
        """Its run."""

    @property
    def cause(self) -> str:
        """What caused it."""

    @property
    def fields(self) -> Mapping[str, tuple[object, object]]:
        """By field, what was there before and what was sent."""

    @property
    def shown(self) -> Mapping[str, object]:
        """What Plex made of it, where that is something else."""


@frozen
class ItemBack:
    """An item that is to be put back.

    `record` is what is known to be ours there, `version` the one write that is undone, if it is not
    all. `goals` are what the fields are to become, `cannot` those that cannot come back, and why.
    `earlier` are the fields whose goal was ours too. `chosen` are the pictures that it shows now,
    `hashes` those that we sent. `has_begun`: an earlier try may have reached Plex. `follows` is
    set for the item of another library.
    """

    state: FirstState
    record: Record | None
    goals: Mapping[Field, Goal]
    cannot: Mapping[Field, str] = Factory(dict)
    version: Version | None = None
    earlier: frozenset[Field] = frozenset()
    hashes: Mapping[Field, frozenset[str]] = Factory(dict)
    chosen: Mapping[Field, str] = Factory(dict)
    is_picture_open: bool = False
    has_begun: bool = False
    follows: bool = False

    @property
    def uploads(self) -> int:
        """How many pictures of ours stay in Plex, unused: none where only texts are put back."""
        return self.state.uploads if self.goals.keys() & set(IMAGE_FIELDS) else 0

    def is_first(self, name: Field) -> bool:
        """Whether a field is to become what the item showed before our first write."""
        kept = self.state.fields.get(name)
        return kept is not None and _same(name, kept.value, self.goals[name].value)

    def is_ours_before(self, name: Field) -> bool:
        """Whether what a field is to become was written by us, earlier."""
        return name in self.earlier and not self.is_first(name)


def goals_of(
    state: FirstState,
    record: Record | None,
    *,
    asked_run: int,
    fields: frozenset[Field],
    writes: Sequence[Written],
) -> ItemBack | None:
    """Return what an item is to become; None if nothing of it is to be put back.

    With `asked_run` 0 all writes are undone, else those of this run among `writes`, oldest first.
    Without `fields`, all are meant.
    """
    if asked_run:
        return _of_run(state, record, asked_run, fields, writes)
    goals = {
        name: Goal(kept.value, kept.locked, kept.taken)
        for name, kept in state.fields.items()
        if not fields or name in fields
    }
    written = set(record.written if record else state.ours.get("written") or {})
    hashes = _hashes(state, record)
    written |= {name for name, known in hashes.items() if known}
    early = {
        name: EARLY
        for name in Field
        if state.before_history
        and name in written
        and name not in state.fields
        and (not fields or name in fields)
        and _is_something(record, name)
    }
    if not (goals or early):
        return None
    return ItemBack(state, record, goals, early, hashes=hashes)


def _of_run(
    state: FirstState,
    record: Record | None,
    asked_run: int,
    fields: frozenset[Field],
    writes: Sequence[Written],
) -> ItemBack | None:
    numbers = [number for number, write in enumerate(writes) if write.run_id == asked_run]
    if not numbers:
        return None
    mine = [writes[number] for number in numbers]
    earlier = writes[: numbers[0]]
    newer = _written_since(mine, writes[numbers[-1] + 1 :])
    goals: dict[Field, Goal] = {}
    cannot: dict[Field, str] = {}
    written: dict[str, object] = {}
    shown: dict[str, object] = {}
    for name in Field:
        if not any(name in write.fields for write in mine) or (fields and name not in fields):
            continue
        if name in newer:
            cannot[name] = NEWER
            continue
        before = next(write.fields[name][0] for write in mine if name in write.fields)
        kept = state.fields.get(name)
        is_first = kept is not None and _same(name, kept.value, before)
        sent = [names_of(write.fields[name][1]) for write in mine if name in write.fields]
        taken = folds(names_of(before)) - folds(sent[-1])
        goals[name] = Goal(before, kept.locked if kept and is_first else None, frozenset(taken))
        for write in mine:
            if name in write.fields:
                written[name] = write.fields[name][1]
                shown.pop(name, None)
                if name in write.shown:
                    shown[name] = write.shown[name]
    ours = {
        name
        for name in goals
        for write in earlier
        if name in write.fields
        and any(_same(name, value, goals[name].value) for value in _results(write, name))
    }
    hashes = {name: frozenset({str(written[name])}) for name in IMAGE_FIELDS if name in written}
    version = Version(written, shown, verified=False)
    return ItemBack(state, record, goals, cannot, version, frozenset(ours), hashes)


def _written_since(mine: Sequence[Written], since: Sequence[Written]) -> set[Field]:
    """Return the fields that a later write changed, unless that was undone as well."""
    newer: set[Field] = set()
    for write in since:
        for name in Field:
            if name not in write.fields:
                continue
            if write.cause != "undo":
                newer.add(name)
            elif any(_made(one, name, write.fields[name][1]) for one in mine):
                newer.discard(name)
    return newer


def _made(write: Written, name: Field, value: object) -> bool:
    """Return whether a write left this value in a field."""
    if name not in write.fields:
        return False
    if name in IMAGE_FIELDS:
        sent = write.fields[name][1]
        return bool(sent) and str(value).endswith(str(sent))
    return any(_same(name, one, value) for one in _results(write, name))


def _results(write: Written, name: Field) -> list[object]:
    return [write.fields[name][1], *([write.shown[name]] if name in write.shown else [])]


def _same(name: Field, one: object, other: object) -> bool:
    if name in LIST_FIELDS:
        return folds(names_of(one)) == folds(names_of(other))
    return (one or None) == (other or None)


def _hashes(state: FirstState, record: Record | None) -> dict[Field, frozenset[str]]:
    hashes = {}
    for name, key in HASHES.items():
        known = {str(state.ours.get(key) or "")}
        if record is not None:
            known.add(str(getattr(record, key)))
        hashes[name] = frozenset(known - {""})
    return hashes


def _is_something(record: Record | None, name: Field) -> bool:
    """Whether a field holds something of ours; what is empty needs no way back."""
    if name in IMAGE_FIELDS or record is None:
        return True
    return record.written.get(name) not in (None, "", [])
