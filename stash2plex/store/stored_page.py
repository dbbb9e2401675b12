"""Reads what the page polls from the database alone, without asking a server.

It imports little more than the hook does, because the page asks for it again and again: a test
pins the list. It uses plain values for the same reason.
"""

import binascii
import json
import sqlite3
import time

from stash2plex.datadir import prepare
from stash2plex.db import HOLD, connect, get_meta, store_error
from stash2plex.lock import drain_runs
from stash2plex.store.meta import (
    CONFIGURED,
    LIBRARY_TROUBLE,
    MACHINE_ID,
    PLEX_SEEN,
    SET_UP_STEP,
    STASH_SEEN,
    TROUBLE,
    TROUBLE_NOTIFIED,
)
from stash2plex.store.stored_status import (
    COUNTS_SQL,
    pace_and_worker,
    read_breaker,
    read_held,
    read_scenes,
    read_worker_choice,
)
from stash2plex.text import utc
from stash2plex.version import VERSION
from stash2plex.workqueue import HELD_SQL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CHANGES = 20
"""How many of the last changes are shown."""

FAILURES_READ = 60
"""How many of the last failures are read for them: a scene may have failed several times."""

WORDS = 300
"""How many characters of an error the list of changes shows."""

FAILING = 3
"""Failures in a row after which an endpoint counts as failing, as in rules/endpoints.py."""

WEB = "https://app.plex.tv/desktop/#!/server/{}/details?key=%2Flibrary%2Fmetadata%2F"
"""The address of an item in Plex's own app; the rating key follows."""

RUN_SQL = (
    "SELECT id, name, began_at, queued + found, done, failed, later, removed FROM run"
    " WHERE state = 'open' AND id > 0 ORDER BY id DESC LIMIT 1"
)
DRAIN_SQL = "SELECT done, failed, snoozed, started_at FROM drain WHERE id = 1"
NEXT_PROBE_SQL = "SELECT next_probe_at FROM breaker WHERE server = ? AND state <> 'closed'"
LAST_SYNC_SQL = "SELECT max(synced_at) FROM scene_record WHERE synced_at > 0"
TITLES_SQL = "SELECT title FROM plex_section ORDER BY title"
ENDPOINTS_SQL = (
    "SELECT name, since, next_try_at, reason, (SELECT count(*) FROM waiting_picture"
    " WHERE waits_for = endpoint.name) FROM endpoint WHERE failures >= ? ORDER BY name"
)
LOST_SQL = (
    "SELECT field, since FROM server_trait WHERE machine_id = ? AND trait = 'loses'"
    " AND field <> '' ORDER BY since, field"
)
LIBRARIES_SQL = "SELECT value FROM meta WHERE name GLOB ? ORDER BY name"
WAITING_SQL = "SELECT count(*) FROM queue WHERE kind = 'scene' AND reason = 'library'"
DEAD_REASONS_SQL = "SELECT count(DISTINCT reason) FROM dead_letter"
SENT_SQL = (
    "SELECT last.at, last.scene_id, last.rating_key, last.fields, written FROM"
    " (SELECT id, at, scene_id, rating_key, fields FROM history WHERE ended = 1"
    " ORDER BY id DESC LIMIT ?) AS last"
    " LEFT JOIN scene_record ON scene_record.scene_id = last.scene_id ORDER BY last.id DESC"
)
FAILED_SQL = (
    "SELECT at, last.id, last.title, last.reason, last.error, queue.due_at, dead_letter.title"
    " FROM (SELECT seq, at, id, title, reason, error FROM failure WHERE kind = 'scene'"
    " ORDER BY seq DESC LIMIT ?) AS last"
    " LEFT JOIN queue ON queue.kind = 'scene' AND queue.id = last.id"
    " LEFT JOIN dead_letter ON dead_letter.kind = 'scene' AND dead_letter.id = last.id"
    " ORDER BY last.seq DESC"
)


def open_and_read(folder: str) -> "dict[str, Any]":
    """Read the page of a data folder in a process that does nothing else.

    Raises what `connect` raises.
    """
    path = prepare(folder)
    database = connect(path)
    try:
        return read_page(database, folder, time.time())
    except sqlite3.Error as error:
        raise store_error(error, path) from error
    finally:
        database.close()


def read_page(database: sqlite3.Connection, folder: str, now: float) -> "dict[str, Any]":
    """Return what the page shows all the time; writes nothing.

    All of it shows one moment, `now` in seconds since the epoch. `version` changes only when
    something else does that is not the time.
    """
    runs = drain_runs(folder)
    database.execute("BEGIN")
    try:
        page = _read(database, now, runs=runs)
    finally:
        database.execute("COMMIT")
    digest = binascii.crc32(json.dumps(page, sort_keys=True).encode())
    return {"version": f"{digest:08x}", "now": utc(now), **page}


def _read(database: sqlite3.Connection, now: float, *, runs: bool) -> "dict[str, Any]":
    pending, in_hand, later, dead = database.execute(COUNTS_SQL, (now,)).fetchone()
    (stopped,) = database.execute(HELD_SQL).fetchone()
    left = pending + in_hand
    if not runs:
        pending, in_hand = left, 0
    pace = pace_and_worker(database, left, runs=runs)
    worker = pace["worker"]
    (last,) = database.execute(LAST_SYNC_SQL).fetchone()
    servers = {name: _server(database, name) for name in ("plex", "stash")}
    sick = read_sick(database)
    return {
        "plugin_version": VERSION,
        "set_up": _set_up(database, last),
        "scenes": read_scenes(database, now, runs=runs),
        "queue": {
            "pending": pending,
            "in_progress": in_hand,
            "waiting": later + stopped,
            "dead": dead,
        },
        "rate_per_s": pace["rate_per_s"],
        "eta_s": pace["eta_s"],
        "last_sync_at": None if last is None else utc(last),
        "run": _run(database, left, runs=runs),
        "worker": {
            "choice": read_worker_choice(database)[0],
            **{name: worker[name] for name in ("running", "pid", "since", "origin")},
            "why": worker["why"],
            "outlook": worker["outlook"],
        },
        "plex": {**servers["plex"], **_plex(database)},
        "stash": servers["stash"],
        "held": read_held(database, pending, stopped, runs=runs),
        "sick": sick,
        "changes": _changes(database),
        "troubles": sum(server["state"] != "closed" for server in servers.values())
        + len(sick)
        + int(database.execute(DEAD_REASONS_SQL).fetchone()[0])
        + int(bool(get_meta(database, TROUBLE) or get_meta(database, TROUBLE_NOTIFIED))),
    }


def _set_up(database: sqlite3.Connection, last: float | None) -> "dict[str, Any]":
    """Return how far the first run is; the settings themselves are in Stash."""
    held = (get_meta(database, HOLD) or "").startswith("set_up")
    known = get_meta(database, CONFIGURED)
    configured = known == "yes" or (known is None and last is not None)
    reached = get_meta(database, SET_UP_STEP)
    step = None if configured and not held else "plex"
    if configured and held:
        step = reached if reached in ("library", "files", "start") else "library"
    return {"done": step is None, "step": step, "held": held}


def _seen(database: sqlite3.Connection, name: str) -> "dict[str, Any]":
    return _object(get_meta(database, name))


def _object(text: str | None) -> "dict[str, Any]":
    """Return an object that we have stored; an empty one if it cannot be read."""
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _server(database: sqlite3.Connection, name: str) -> "dict[str, Any]":
    breaker = read_breaker(database, name)
    seen = _seen(database, PLEX_SEEN if name == "plex" else STASH_SEEN)
    works = breaker["state"] == "closed"
    row = database.execute(NEXT_PROBE_SQL, (name,)).fetchone()
    return {
        "state": breaker["state"],
        "since": None if works else breaker["since"],
        "refused": breaker["refused"],
        "problem": None if works else breaker["reason"],
        "do": None,
        "next_try_at": utc(row[0]) if row and row[0] else None,
        "asked_at": _time(seen.get("at")),
        "version": _text(seen.get("version")),
    }


def _plex(database: sqlite3.Connection) -> "dict[str, Any]":
    seen = _seen(database, PLEX_SEEN)
    machine_id = get_meta(database, MACHINE_ID)
    ms = seen.get("ms")
    return {
        "name": _text(seen.get("name")),
        "ms": ms if isinstance(ms, (int, float)) else None,
        "libraries": [title for (title,) in database.execute(TITLES_SQL)],
        "machine_id": machine_id,
        "web": WEB.format(machine_id) if machine_id else None,
    }


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _time(value: object) -> str | None:
    return utc(value) if isinstance(value, (int, float)) else None


def _run(database: sqlite3.Connection, left: int, *, runs: bool) -> "dict[str, Any] | None":
    """Return what drains: a task or command that has begun, else whatever process sends."""
    row = database.execute(RUN_SQL).fetchone()
    if row is not None:
        id_, name, began_at, wanted, done, failed, later, removed = row
        over = done + failed + later + removed
        return {
            "id": id_,
            "name": name,
            "by": "task",
            "began_at": utc(began_at),
            "done": over,
            "failed": failed,
            "later": later,
            "left": max(0, wanted - over),
            "total": max(wanted, over),
        }
    row = database.execute(DRAIN_SQL).fetchone()
    if not (runs and left and row):
        return None
    done, failed, later, began_at = row
    over = done + failed + later
    return {
        "id": None,
        "name": "",
        "by": "worker",
        "began_at": utc(began_at) if began_at else None,
        "done": over,
        "failed": failed,
        "later": later,
        "left": left,
        "total": over + left,
    }


# -- parts that misbehave -----------------------------------------------------------------


def read_sick(database: sqlite3.Connection) -> "list[dict[str, Any]]":
    """Return the parts that misbehave while the rest works."""
    return [*_sick_libraries(database), *_sick_endpoints(database), *_sick_fields(database)]


def _sick(part: str, name: str, what: str, do: str, since: object) -> "dict[str, Any]":
    return {
        "part": part,
        "name": name,
        "what": what,
        "do": do,
        "since": _time(since),
        "scenes": None,
        "next_try_at": None,
    }


def _sick_libraries(database: sqlite3.Connection) -> "list[dict[str, Any]]":
    libraries = []
    for (text,) in database.execute(LIBRARIES_SQL, (f"{LIBRARY_TROUBLE}*",)).fetchall():
        try:
            trouble = json.loads(text)
            sick = _sick(
                "library",
                trouble["title"],
                f"Plex does not list “{trouble['title']}”: {trouble['error']}",
                "Open it in Plex and scan it; Stash2Plex goes on with the other libraries.",
                trouble["since"],
            )
            sick["next_try_at"] = _time(trouble["retry_at"])
        except (ValueError, KeyError, TypeError):
            continue
        libraries.append(sick)
    if libraries:
        (number,) = database.execute(WAITING_SQL).fetchone()
        for sick in libraries:
            sick["scenes"] = number
    return libraries


def _sick_endpoints(database: sqlite3.Connection) -> "list[dict[str, Any]]":
    words = {
        "covers": "Stash gives no covers",
        "posters": "Plex takes no posters",
        "backgrounds": "Plex takes no backgrounds",
    }
    endpoints = []
    for name, since, next_try_at, reason, scenes in database.execute(ENDPOINTS_SQL, (FAILING,)):
        what = f"{words.get(name, name)}: {reason}"
        do = "Nothing else waits for it; it is tried again until it works."
        endpoints.append(_sick("endpoint", name, what, do, since))
        endpoints[-1].update(scenes=scenes, next_try_at=_time(next_try_at))
    return endpoints


def _sick_fields(database: sqlite3.Connection) -> "list[dict[str, Any]]":
    machine_id = get_meta(database, MACHINE_ID) or ""
    return [
        _sick(
            "field",
            field,
            f"Plex accepts {field} but does not keep it.",
            f"Update Plex, or add {field} to Skip fields.",
            since,
        )
        for field, since in database.execute(LOST_SQL, (machine_id,))
    ]


# -- the last changes ---------------------------------------------------------------------


def _changes(database: sqlite3.Connection) -> "list[dict[str, Any]]":
    """Return the last changes, newest first: what was sent, what waits, what was given up."""
    rows = [*_sent(database), *_failed(database)]
    rows.sort(key=lambda row: row[0], reverse=True)
    return [{"at": utc(at), **change} for at, change in rows[:CHANGES]]


def _sent(database: sqlite3.Connection) -> "list[tuple[float, dict[str, Any]]]":
    sent = []
    for at, scene_id, rating_key, fields, written in database.execute(SENT_SQL, (CHANGES,)):
        change = _change(scene_id, _title(written), "sent")
        change["fields"] = list(_object(fields))
        change["rating_key"] = rating_key or None
        sent.append((at, change))
    return sent


def _failed(database: sqlite3.Connection) -> "list[tuple[float, dict[str, Any]]]":
    failed: dict[int, tuple[float, dict[str, Any]]] = {}
    for at, scene_id, title, reason, error, due_at, dead in database.execute(
        FAILED_SQL, (FAILURES_READ,)
    ):
        if scene_id in failed or (due_at is None and dead is None):
            continue
        given_up = due_at is None
        change = _change(scene_id, title or dead or "", "given_up" if given_up else "waits")
        change["reason"], change["words"] = reason or None, error[:WORDS] or None
        change["until"] = None if given_up else utc(due_at)
        failed[scene_id] = (at, change)
    return list(failed.values())


def _change(scene_id: int, title: str, state: str) -> "dict[str, Any]":
    return {
        "scene_id": scene_id,
        "title": title or f"scene {scene_id}",
        "state": state,
        "fields": [],
        "rating_key": None,
        "reason": None,
        "words": None,
        "until": None,
    }


def _title(written: str | None) -> str:
    title = _object(written).get("title")
    return title if isinstance(title, str) else ""
