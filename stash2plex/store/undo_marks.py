"""Which scenes are to be put back, which stay as they were put back, and what became of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from stash2plex.model import Clock, Field
from stash2plex.store.stored_json import load, load_object

ALL = "all"
"""Every field of a scene is held."""


@frozen
class Asked:
    """What is to be put back: the writes of a run, or all if it is 0; all fields if none is named.

    `job` is the run that asked. `has_begun` means that a try may have reached Plex already.
    """

    run_id: int = 0
    fields: frozenset[Field] = frozenset()
    job: int = 0
    has_begun: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether everything is to be put back."""
        return not (self.run_id or self.fields)

    def is_same(self, other: Asked) -> bool:
        """Whether two ask for the same, whoever asked."""
        return (self.run_id, self.fields) == (other.run_id, other.fields)


def joined(waiting: Sequence[Asked], new: Asked) -> list[Asked]:
    """Return what is to be put back of a scene once more is asked for, while some still waits.

    All includes every other, and two of one run become one. The rest is done in turn.
    """
    if new.is_whole:
        return [new]
    if any(one.is_whole for one in waiting):
        return list(waiting)
    for number, one in enumerate(waiting):
        if one.run_id == new.run_id:
            fields = one.fields | new.fields if one.fields and new.fields else frozenset[Field]()
            return [*waiting[:number], evolve(one, fields=fields), *waiting[number + 1 :]]
    return [*waiting, new]


@frozen
class Held:
    """What no sync writes to a scene, until the user asks for that scene."""

    whole: bool = False
    fields: frozenset[Field] = frozenset()

    def __bool__(self) -> bool:
        return self.whole or bool(self.fields)


NOTHING_HELD = Held()


@frozen
class UndoMarks:
    """The marks in one database. `clock` returns seconds since the epoch.

    Whatever writes here joins the transaction of the caller.
    """

    connection: sqlite3.Connection
    clock: Clock

    # -- asking ---------------------------------------------------------------------------

    def ask(self, scene_ids: Iterable[int], asked: Asked) -> int:
        """Mark scenes as to be put back; returns how many. What is held already stays held."""
        now = self.clock()
        waits = self.any_asked()
        number = 0
        for scene_id in scene_ids:
            known, had = self._waiting(scene_id) if waits else ([], None)
            self.connection.execute(
                "INSERT INTO undo (scene_id, asked, job, at) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (scene_id) DO UPDATE SET asked = excluded.asked, job = excluded.job,"
                " at = excluded.at,"
                " outcome = CASE WHEN undo.asked = '' THEN '' ELSE undo.outcome END",
                (scene_id, _asked_text(joined(known, asked), had), asked.job, now),
            )
            number += 1
        return number

    def _waiting(self, scene_id: int) -> tuple[list[Asked], Mapping[str, Any] | None]:
        """Return what is to be put back of a scene, and the outcome of what was, since asked."""
        row = self.connection.execute(
            "SELECT asked, job FROM undo WHERE scene_id = ? AND asked <> ''", (scene_id,)
        ).fetchone()
        known = load_object(row[0]) if row else None
        if row is None or known is None:
            return [], None
        then = known.get("then")
        rest = then if isinstance(then, list) else []
        had = known.get("had")
        return (
            [_one_asked(one, row[1]) for one in (known, *rest) if isinstance(one, dict)],
            had if isinstance(had, dict) else None,
        )

    def asked_of(self, scene_ids: Sequence[int]) -> dict[int, Asked]:
        """Return what is to be put back of these scenes."""
        marks = {}
        if self.any_asked():
            for scene_id in scene_ids:
                row = self.connection.execute(
                    "SELECT asked, job, outcome FROM undo WHERE scene_id = ? AND asked <> ''",
                    (scene_id,),
                ).fetchone()
                if row:
                    marks[scene_id] = _asked(*row)
        return marks

    def begin(self, scene_id: int) -> None:
        """Record that a try of putting a scene back begins."""
        self.connection.execute(
            "UPDATE undo SET outcome = 'begun' WHERE scene_id = ? AND asked <> ''", (scene_id,)
        )

    def any_asked(self) -> bool:
        """Whether any scene is to be put back."""
        row = self.connection.execute("SELECT 1 FROM undo WHERE asked <> '' LIMIT 1").fetchone()
        return row is not None

    def number_asked(self) -> int:
        """Count the scenes that are to be put back."""
        (number,) = self.connection.execute(
            "SELECT count(*) FROM undo WHERE asked <> ''"
        ).fetchone()
        return int(number)

    def withdraw(self, scene_ids: Iterable[int]) -> int:
        """Take scenes in again: nothing is to be put back of them, and nothing is held."""
        return max(
            0,
            self.connection.executemany(
                "DELETE FROM undo WHERE scene_id = ?", [(scene_id,) for scene_id in scene_ids]
            ).rowcount,
        )

    def withdraw_unqueued(self) -> None:
        """Forget what is to be put back of scenes that the user removed from the queue."""
        self.connection.execute(
            "UPDATE undo SET asked = '' WHERE asked <> '' AND scene_id NOT IN"
            " (SELECT id FROM queue WHERE kind = 'scene') AND scene_id NOT IN"
            " (SELECT id FROM dead_letter WHERE kind = 'scene')"
        )

    # -- ending ---------------------------------------------------------------------------

    def end(self, scene_id: int, done: Asked, held: Held, outcome: Mapping[str, Any]) -> bool:
        """Record that a scene was put back, what is held of it, and what became of its fields.

        Returns whether more of it is to be put back: that was asked for meanwhile.
        """
        waiting, had = self._waiting(scene_id)
        rest = [one for one in waiting if not one.is_same(done)]
        outcome = _sum(had, outcome)
        self.connection.execute(
            "UPDATE undo SET held = ?, asked = ?, at = ?, outcome = ? WHERE scene_id = ?",
            (
                _held_text(held),
                _asked_text(rest, outcome) if rest else "",
                self.clock(),
                "" if rest else json.dumps(outcome),
                scene_id,
            ),
        )
        return bool(rest)

    def forget(self, scene_id: int) -> None:
        """Forget a scene that Stash no longer has."""
        self.connection.execute(
            "UPDATE undo SET held = '' WHERE scene_id = ? AND asked = ''", (scene_id,)
        )

    # -- what is held ---------------------------------------------------------------------

    def held(self, scene_id: int) -> Held:
        """Return what is held of a scene."""
        row = self.connection.execute(
            "SELECT held FROM undo WHERE scene_id = ?", (scene_id,)
        ).fetchone()
        return _held(row[0]) if row else NOTHING_HELD

    def held_of(self, scene_ids: Sequence[int]) -> dict[int, Held]:
        """Return what is held of scenes whose ids lie close together."""
        if not scene_ids:
            return {}
        rows = self.connection.execute(
            "SELECT scene_id, held FROM undo WHERE scene_id BETWEEN ? AND ? AND held <> ''",
            (min(scene_ids), max(scene_ids)),
        )
        wanted = set(scene_ids)
        return {scene_id: _held(text) for scene_id, text in rows if scene_id in wanted}

    def held_scenes(self) -> list[int]:
        """List the scenes that are held wholly."""
        rows = self.connection.execute(
            "SELECT scene_id FROM undo WHERE held = ? ORDER BY scene_id", (ALL,)
        )
        return [int(row[0]) for row in rows]

    # -- reporting ------------------------------------------------------------------------

    def outcomes(self, scene_ids: Iterable[int]) -> list[tuple[int, dict[str, Any] | None]]:
        """List those of these scenes that are to be put back or were, with their outcome if known.

        Scenes that the user asked for since are not among them.
        """
        wanted = frozenset(scene_ids)
        rows = self.connection.execute(
            "SELECT scene_id, asked, outcome FROM undo WHERE asked <> '' OR outcome LIKE '{%'"
            " ORDER BY scene_id"
        )
        return [
            (scene_id, None if asked else load_object(text))
            for scene_id, asked, text in rows
            if scene_id in wanted
        ]


def _asked_text(waiting: Sequence[Asked], had: Mapping[str, Any] | None) -> str:
    first, *rest = ({"run": one.run_id, "fields": sorted(one.fields)} for one in waiting)
    text: dict[str, Any] = dict(first)
    if rest:
        text["then"] = rest
    if had:
        text["had"] = had
    return json.dumps(text)


def _sum(one: Mapping[str, Any] | None, other: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outcome of two turns. What both looked at, such as items, is counted once."""
    if not one:
        return dict(other)
    both = dict(other)
    for name in ("back", "theirs", "cannot", "left"):
        if isinstance(one.get(name), type(other.get(name))):
            both[name] = one[name] + other[name]
    return both


def _asked(text: str, job: int, outcome: str) -> Asked:
    return evolve(_one_asked(load_object(text) or {}, job), has_begun=bool(outcome))


def _one_asked(known: Mapping[str, Any], job: int) -> Asked:
    run_id = known.get("run")
    return Asked(run_id if isinstance(run_id, int) else 0, _fields(known.get("fields")), job)


def _held_text(held: Held) -> str:
    return ALL if held.whole else json.dumps(sorted(held.fields)) if held.fields else ""


def _held(text: str) -> Held:
    return Held(whole=True) if text == ALL else Held(fields=_fields(load(text)))


def _fields(names: object) -> frozenset[Field]:
    known = {str(name): name for name in Field}
    given = names if isinstance(names, list) else []
    return frozenset(known[name] for name in given if name in known)
