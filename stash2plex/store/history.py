"""Keeps each write to Plex: its run, and of each field what was there before and what was sent."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from stash2plex.db import get_meta, set_meta
from stash2plex.model import Clock
from stash2plex.store.meta import HISTORY_PRUNED
from stash2plex.store.stored_json import load_object
from stash2plex.text import DAY

SAVE, TASK, COMPARISON, UNDO = "save", "task", "comparison", "undo"
BULK_EDIT = "bulk edit"
"""What caused a run of writes. A run of saves with more than one scene is a bulk edit."""

ONE_EDIT_SECONDS = 5.0
"""Keys of saves that were added within this time of each other belong to one edit."""

KEPT_DAYS, KEPT_WRITES = 90, 20
"""A write is kept for `KEPT_DAYS`, and while its scene has fewer newer ones than `KEPT_WRITES`."""

MAX_WRITES = 1_000_000
"""How many writes are kept in all."""

PRUNED_AT_ONCE = 1_000
"""How many writes one step of pruning looks at."""

ROWS = (
    "SELECT history.id, history.run_id, history.at, scene_id, rating_key, fields, shown, ended,"
    " cause, name FROM history LEFT JOIN write_run ON write_run.id = history.run_id"
)
PAGES = {
    "all": f"{ROWS} ORDER BY history.id DESC LIMIT :limit OFFSET :skip",
    "scene": f"{ROWS} WHERE scene_id = :id ORDER BY history.id DESC LIMIT :limit OFFSET :skip",
    "run": f"{ROWS} WHERE run_id = :id ORDER BY history.id DESC LIMIT :limit OFFSET :skip",
}
OF_ITEM = f"{ROWS} WHERE scene_id = ? AND rating_key = ? ORDER BY history.id"
COUNTS = {
    "all": "SELECT count(*) FROM history",
    "scene": "SELECT count(*) FROM history WHERE scene_id = :id",
    "run": "SELECT count(*) FROM history WHERE run_id = :id",
}


@frozen
class Write:
    """One write to an item. `fields` has for each field what was there `before` and what was sent.

    `shown` has what Plex made of a field where that is something else. `has_ended` is False while
    the end of the write is unknown. `at` is in epoch seconds.
    """

    id: int
    run_id: int
    at: float
    scene_id: int
    rating_key: str
    fields: Mapping[str, tuple[object, object]]
    shown: Mapping[str, object]
    has_ended: bool
    cause: str = SAVE
    name: str = ""


@frozen
class WriteRun:
    """A run of writes, with how many writes and scenes it has. Times are epoch seconds."""

    id: int
    cause: str
    name: str
    began_at: float
    ended_at: float
    writes: int
    scenes: int


@frozen
class History:
    """The writes in one database. `clock` returns seconds since the epoch.

    Whatever writes here joins the transaction of the caller.
    """

    connection: sqlite3.Connection
    clock: Clock

    # -- runs -----------------------------------------------------------------------------

    def task_run(self, run_id: int, *, undoes: bool = False) -> int:
        """Return the run of writes of a task's run, which is made if it is its first write."""
        row = self.connection.execute(
            "SELECT id FROM write_run WHERE task_run = ? ORDER BY id DESC LIMIT 1", (run_id,)
        ).fetchone()
        if row:
            return int(row[0])
        known = self.connection.execute("SELECT name FROM run WHERE id = ?", (run_id,)).fetchone()
        name = str(known[0]) if known else ""
        compares = "reconcile" in name.casefold()
        cause = UNDO if undoes else COMPARISON if compares else TASK
        return self._begin(cause, name, run_id, self.clock())

    def loose_run(self, cause: str, key_at: float) -> int:
        """Return the run of what no task asked for: of the keys that were added at about that time.

        `key_at` is when the key was added, in epoch seconds.
        """
        row = self.connection.execute(
            "SELECT id, key_at FROM write_run WHERE task_run = 0 AND cause = ?"
            " AND key_at BETWEEN ? AND ? ORDER BY key_at DESC LIMIT 1",
            (cause, key_at - ONE_EDIT_SECONDS, key_at + ONE_EDIT_SECONDS),
        ).fetchone()
        if row is None:
            return self._begin(cause, "", 0, key_at)
        if key_at > row[1]:
            self.connection.execute(
                "UPDATE write_run SET key_at = ? WHERE id = ?", (key_at, row[0])
            )
        return int(row[0])

    def _begin(self, cause: str, name: str, task_run: int, key_at: float) -> int:
        now = self.clock()
        number = self.connection.execute(
            "INSERT INTO write_run (cause, name, task_run, key_at, began_at, ended_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (cause, name, task_run, key_at, now, now),
        ).lastrowid
        assert number is not None
        return number

    # -- writing --------------------------------------------------------------------------

    def announce(
        self,
        run_id: int,
        scene_id: int,
        rating_key: str,
        fields: Mapping[str, tuple[object, object]],
    ) -> None:
        """Keep a write that is about to be sent.

        If the end of an earlier one is unknown, both are one: what was there before it counts.
        """
        row = self.connection.execute(
            "SELECT id, fields FROM history WHERE scene_id = ? AND rating_key = ? AND ended = 0",
            (scene_id, rating_key),
        ).fetchone()
        if row is None:
            self._insert(run_id, scene_id, rating_key, fields, ended=False)
            return
        earlier = _fields(row[1])
        both = {**earlier, **fields}
        for name in earlier.keys() & fields.keys():
            both[name] = (earlier[name][0], fields[name][1])
        values = (_text(both), self.clock(), row[0])
        self.connection.execute("UPDATE history SET fields = ?, at = ? WHERE id = ?", values)

    def end(self, scene_id: int, rating_key: str) -> None:
        """Record that a write has reached Plex."""
        self.connection.execute(
            "UPDATE history SET ended = 1 WHERE scene_id = ? AND rating_key = ? AND ended = 0",
            (scene_id, rating_key),
        )

    def add(
        self,
        run_id: int,
        scene_id: int,
        rating_key: str,
        fields: Mapping[str, tuple[object, object]],
    ) -> None:
        """Keep a write that has reached Plex."""
        self._insert(run_id, scene_id, rating_key, fields, ended=True)

    def add_pictures(
        self, scene_id: int, rating_key: str, fields: Mapping[str, tuple[object, object]]
    ) -> None:
        """Add pictures to the newest write of a scene, which they follow; else as a new one."""
        row = self.connection.execute(
            "SELECT id, fields, run_id FROM history WHERE scene_id = ? AND rating_key = ?"
            " ORDER BY id DESC LIMIT 1",
            (scene_id, rating_key),
        ).fetchone()
        known = _fields(row[1]) if row else {}
        if row and not known.keys() & fields.keys():
            self.connection.execute(
                "UPDATE history SET fields = ? WHERE id = ?", (_text({**known, **fields}), row[0])
            )
            return
        run_id = row[2] if row else self.loose_run(SAVE, self.clock())
        self._insert(run_id, scene_id, rating_key, fields, ended=True)

    def _insert(
        self,
        run_id: int,
        scene_id: int,
        rating_key: str,
        fields: Mapping[str, tuple[object, object]],
        *,
        ended: bool,
    ) -> None:
        now = self.clock()
        number = self.connection.execute(
            "INSERT INTO history (run_id, at, scene_id, rating_key, fields, ended)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (run_id, now, scene_id, rating_key, _text(fields), int(ended)),
        ).lastrowid
        self.connection.execute("UPDATE write_run SET ended_at = ? WHERE id = ?", (now, run_id))
        if number and number % PRUNED_AT_ONCE == 0:
            self.prune()

    def note_shown(self, scene_id: int, rating_key: str, shown: Mapping[str, object]) -> None:
        """Add to the newest write of an item what Plex made of its fields."""
        row = self.connection.execute(
            "SELECT id, fields, shown FROM history WHERE scene_id = ? AND rating_key = ?"
            " ORDER BY id DESC LIMIT 1",
            (scene_id, rating_key),
        ).fetchone()
        new = {name: value for name, value in shown.items() if row and name in _fields(row[1])}
        if row and new:
            known = load_object(row[2]) or {}
            self.connection.execute(
                "UPDATE history SET shown = ? WHERE id = ?",
                (json.dumps({**known, **new}, separators=(",", ":")), row[0]),
            )

    # -- pruning --------------------------------------------------------------------------

    def prune(self) -> int:
        """Look at the next writes, and delete those that are no longer kept; returns how many.

        A step looks at a bounded number of them, and the next one goes on where this one ended.
        """
        start = int(get_meta(self.connection, HISTORY_PRUNED) or 0)
        ids = [
            int(row[0])
            for row in self.connection.execute(
                "SELECT id FROM history WHERE id > ? AND at < ? ORDER BY id LIMIT ?",
                (start, self.clock() - KEPT_DAYS * DAY, PRUNED_AT_ONCE),
            )
        ]
        upto = ids[-1] if len(ids) == PRUNED_AT_ONCE else 0
        set_meta(self.connection, HISTORY_PRUNED, str(upto))
        gone = self.connection.executemany(
            "DELETE FROM history WHERE id = ?1 AND (SELECT count(*) FROM (SELECT 1 FROM history"
            " newer WHERE newer.scene_id = history.scene_id AND newer.id > history.id"
            " LIMIT ?2)) = ?2",
            [(number, KEPT_WRITES) for number in ids],
        ).rowcount
        (newest,) = self.connection.execute("SELECT coalesce(max(id), 0) FROM history").fetchone()
        gone = (
            max(0, gone)
            + self.connection.execute(
                "DELETE FROM history WHERE id IN (SELECT id FROM history WHERE id <= ? ORDER BY id"
                " LIMIT ?)",
                (newest - MAX_WRITES, 2 * PRUNED_AT_ONCE),
            ).rowcount
        )
        if gone:
            self.connection.execute(
                "DELETE FROM write_run WHERE id < (SELECT max(id) FROM write_run) AND id NOT IN"
                " (SELECT run_id FROM history)"
            )
        return gone

    # -- reading --------------------------------------------------------------------------

    def page(
        self, *, scene_id: int | None, run_id: int | None, limit: int, offset: int
    ) -> list[Write]:
        """List writes, newest first: all, those of a scene, or those of a run."""
        chosen, value = _chosen(scene_id, run_id)
        rows = self.connection.execute(PAGES[chosen], {"id": value, "limit": limit, "skip": offset})
        return [_write(row) for row in rows]

    def total(self, *, scene_id: int | None, run_id: int | None) -> int:
        """Count them."""
        chosen, value = _chosen(scene_id, run_id)
        (number,) = self.connection.execute(COUNTS[chosen], {"id": value}).fetchone()
        return int(number)

    def of_item(self, scene_id: int, rating_key: str) -> list[Write]:
        """List the writes of a scene to one item, oldest first."""
        rows = self.connection.execute(OF_ITEM, (scene_id, rating_key))
        return [_write(row) for row in rows]

    def scenes_of_run(self, run_id: int) -> list[int]:
        """List the scenes that a run wrote."""
        rows = self.connection.execute(
            "SELECT DISTINCT scene_id FROM history WHERE run_id = ? ORDER BY scene_id", (run_id,)
        )
        return [int(row[0]) for row in rows]

    def runs(self, limit: int, offset: int = 0) -> list[WriteRun]:
        """List the runs of writes, newest first."""
        rows = self.connection.execute(
            "SELECT id, cause, name, began_at, ended_at,"
            " (SELECT count(*) FROM history WHERE run_id = write_run.id),"
            " (SELECT count(DISTINCT scene_id) FROM history WHERE run_id = write_run.id)"
            " FROM write_run ORDER BY id DESC LIMIT ? OFFSET ?",
            (limit, offset),
        )
        return [_run(row) for row in rows]

    def run(self, run_id: int) -> WriteRun | None:
        """Read a run of writes; None if there is none."""
        row = self.connection.execute(
            "SELECT id, cause, name, began_at, ended_at,"
            " (SELECT count(*) FROM history WHERE run_id = write_run.id),"
            " (SELECT count(DISTINCT scene_id) FROM history WHERE run_id = write_run.id)"
            " FROM write_run WHERE id = ?",
            (run_id,),
        ).fetchone()
        return None if row is None else _run(row)

    def number_of_runs(self) -> int:
        """Count the runs of writes."""
        (number,) = self.connection.execute("SELECT count(*) FROM write_run").fetchone()
        return int(number)


def _chosen(scene_id: int | None, run_id: int | None) -> tuple[str, int]:
    """Return what a page shows, and its id."""
    if scene_id is not None:
        return "scene", scene_id
    return ("all", 0) if run_id is None else ("run", run_id)


def _text(fields: Mapping[str, tuple[object, object]]) -> str:
    return json.dumps(fields, separators=(",", ":"))


def _fields(text: Any) -> dict[str, tuple[object, object]]:
    """Read the fields of a write; what is damaged is left out."""
    return {
        name: (value[0], value[1])
        for name, value in (load_object(text) or {}).items()
        if isinstance(value, list) and len(value) == 2  # noqa: PLR2004 - a pair
    }


def _write(row: tuple[Any, ...]) -> Write:
    number, run_id, at, scene_id, key, fields, shown, ended, cause, name = row
    return Write(
        number,
        run_id,
        at,
        scene_id,
        key,
        _fields(fields),
        load_object(shown) or {},
        bool(ended),
        cause or SAVE,
        name or "",
    )


def _run(row: tuple[Any, ...]) -> WriteRun:
    number, cause, name, began_at, ended_at, writes, scenes = row
    many = cause == SAVE and scenes > 1
    return WriteRun(number, BULK_EDIT if many else cause, name, began_at, ended_at, writes, scenes)
