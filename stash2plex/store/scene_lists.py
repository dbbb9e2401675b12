"""Lists scenes by state, a page at a time, and counts those of an entity."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence

from attrs import frozen

from stash2plex.rules.scene_states import (
    FREE,
    GIVEN_UP,
    IN_SYNC,
    LEFT_OUT,
    NOT_IN_PLEX,
    QUEUED,
    REASONS,
    SENDING,
    TO_SEND,
    WAITING,
    queued_state,
    resting_state,
)

RESTING = "SELECT id FROM scene WHERE place = 0 AND standing = '{}'"
KNOWN = json.dumps([IN_SYNC, NOT_IN_PLEX, *REASONS])
UNKNOWN = (
    "SELECT id FROM scene WHERE place = 0 AND standing NOT IN (SELECT value FROM json_each(:known))"
)
DUE = (
    "SELECT id FROM queue WHERE kind = 'scene' AND lease_id IS NULL AND priority IN (0, 1)"
    " AND due_at <= :now"
)
CLAIMED = (
    "SELECT id FROM queue WHERE kind = 'scene' AND lease_id IS NOT NULL AND priority < 2"
    " AND :runs = {}"
)
HELD = "SELECT id FROM queue WHERE kind = 'scene' AND priority = 2"
LATER = (
    "SELECT id FROM queue WHERE kind = 'scene' AND lease_id IS NULL AND priority IN (0, 1)"
    " AND due_at > :now AND reason {} 'not_in_plex'"
)
DEAD = "SELECT id FROM scene WHERE place = 2"
LEFT = {word: RESTING.format(word) for word in REASONS}
IDS = {
    IN_SYNC: RESTING.format(IN_SYNC),
    TO_SEND: f"{UNKNOWN} UNION ALL {DUE} UNION ALL {CLAIMED.format(0)}",
    SENDING: CLAIMED.format(1),
    WAITING: f"{HELD} UNION ALL {LATER.format('<>')}",
    NOT_IN_PLEX: f"{RESTING.format(NOT_IN_PLEX)} UNION ALL {LATER.format('=')}",
    GIVEN_UP: DEAD,
    LEFT_OUT: " UNION ALL ".join(LEFT.values()),
    **LEFT,
}
"""Lists the ids of the scenes in a state, or left out for a reason, in line with `count_scenes`."""

PAGE = (
    "SELECT ids.id, scene_record.written, scene_record.rating_key, scene_record.synced_at,"
    " queue.reason, queue.due_at, queue.added_at, queue.snoozes, dead_letter.title,"
    " dead_letter.path, dead_letter.reason, dead_letter.error, dead_letter.first_failed_at,"
    " scene.standing, (SELECT title FROM failure WHERE failure.kind = 'scene'"
    " AND failure.id = ids.id ORDER BY seq DESC LIMIT 1), (SELECT error FROM failure"
    " WHERE failure.kind = 'scene' AND failure.id = ids.id ORDER BY seq DESC LIMIT 1)"
    " FROM (SELECT id FROM ({}) WHERE :hits IS NULL OR id IN (SELECT value FROM json_each(:hits))"
    " ORDER BY id LIMIT :limit OFFSET :offset) AS ids"
    " LEFT JOIN scene ON scene.id = ids.id"
    " LEFT JOIN scene_record ON scene_record.scene_id = ids.id"
    " LEFT JOIN queue ON queue.kind = 'scene' AND queue.id = ids.id"
    " LEFT JOIN dead_letter ON dead_letter.kind = 'scene' AND dead_letter.id = ids.id"
    " ORDER BY ids.id"
)
TOTAL = (
    "SELECT count(*) FROM ({}) WHERE :hits IS NULL OR id IN (SELECT value FROM json_each(:hits))"
)
PAGES = {name: PAGE.format(ids) for name, ids in IDS.items()}
TOTALS = {name: TOTAL.format(ids) for name, ids in IDS.items()}
AWAITED = (
    "SELECT path, missed_file.folder, asked_at FROM missed_file LEFT JOIN plex_scan"
    " ON plex_scan.section_id = missed_file.section_id AND plex_scan.folder = missed_file.folder"
    " WHERE scene_id = ? ORDER BY path LIMIT 1"
)
OF_ENTITY = (
    "SELECT scene.place, scene.standing, queue.priority, queue.lease_id IS NOT NULL,"
    " queue.due_at <= :now, queue.reason, count(*) FROM scene_link"
    " JOIN scene ON scene.id = scene_link.scene_id"
    " LEFT JOIN queue ON queue.kind = 'scene' AND queue.id = scene_link.scene_id"
    " WHERE scene_link.kind = :kind AND scene_link.id = :id GROUP BY 1, 2, 3, 4, 5, 6"
)


@frozen
class SceneRow:
    """A scene of a list. Times are epoch seconds; what is unknown is None or empty.

    `error` is why it waits or was given up, `waits` that reason's word, `standing` how it stands.
    """

    id: int
    title: str
    path: str
    rating_key: str
    synced_at: float | None
    waits: str
    due_at: float | None
    added_at: float | None
    snoozes: int
    error: str
    failed_at: float | None
    standing: str


@frozen
class Awaited:
    """A file that Plex does not have. `folder` is what Plex was or will be asked to scan for it.

    `was_asked` is None if no scan was requested.
    """

    path: str
    folder: str
    was_asked: bool | None


def count_state(
    database: sqlite3.Connection,
    state: str,
    now: float,
    *,
    runs: bool,
    reason: str = "",
    hits: Sequence[int] | None = None,
) -> int:
    """Count the scenes in a state, as `list_state` lists them."""
    given = _given(now, hits, runs=runs)
    return int(database.execute(TOTALS[_name(state, reason)], given).fetchone()[0])


def list_state(
    database: sqlite3.Connection,
    state: str,
    now: float,
    *,
    runs: bool,
    limit: int,
    offset: int,
    reason: str = "",
    hits: Sequence[int] | None = None,
) -> list[SceneRow]:
    """List scenes in a state by growing id; only those among `hits` if these are given.

    `runs` is whether a process sends, `reason` narrows the scenes that are left out.
    """
    given = {**_given(now, hits, runs=runs), "limit": limit, "offset": offset}
    return [_row(*row) for row in database.execute(PAGES[_name(state, reason)], given)]


def awaited_file(database: sqlite3.Connection, scene_id: int) -> Awaited | None:
    """Return the first awaited file of a scene; None if none is awaited."""
    row = database.execute(AWAITED, (scene_id,)).fetchone()
    if row is None:
        return None
    path, folder, asked_at = row
    return Awaited(path, folder, None if not folder else asked_at is not None)


def count_entity(
    database: sqlite3.Connection, kind: str, id_: int, now: float, *, runs: bool
) -> dict[str, int]:
    """Count by state the scenes that showed an entity when they were last synced."""
    states: Counter[str] = Counter()
    given = {"kind": kind, "id": id_, "now": now}
    for place, standing, priority, leased, due, reason, number in database.execute(
        OF_ENTITY, given
    ):
        if place == FREE:
            states[resting_state(standing)] += number
        elif place == QUEUED and priority is not None:
            leased_now = bool(leased) and runs
            state = queued_state(
                priority=priority,
                leased=leased_now,
                due=bool(due) or bool(leased),
                reason=reason,
            )
            states[state] += number
        else:
            states[GIVEN_UP] += number
    return dict(states)


def _name(state: str, reason: str) -> str:
    """Return the name of a statement: only scenes that are left out have a reason."""
    return reason if state == LEFT_OUT and reason else state


def _given(now: float, hits: Sequence[int] | None, *, runs: bool) -> dict[str, object]:
    return {
        "now": now,
        "hits": None if hits is None else json.dumps(list(hits)),
        "known": KNOWN,
        "runs": int(runs),
    }


def _row(
    id_: int,
    written: str | None,
    rating_key: str | None,
    synced_at: float | None,
    waits: str | None,
    due_at: float | None,
    added_at: float | None,
    snoozes: int | None,
    dead_title: str | None,
    path: str | None,
    dead_reason: str | None,
    dead_error: str | None,
    failed_at: float | None,
    standing: str | None,
    last_title: str | None,
    last_error: str | None,
) -> SceneRow:
    return SceneRow(
        id_,
        dead_title or last_title or _title(written),
        path or "",
        rating_key or "",
        synced_at or None,
        dead_reason or waits or "",
        due_at,
        added_at,
        snoozes or 0,
        dead_error or last_error or "",
        failed_at,
        standing or "",
    )


def _title(written: str | None) -> str:
    try:
        title = json.loads(written or "{}").get("title")
    except (ValueError, AttributeError):
        return ""
    return title if isinstance(title, str) else ""
