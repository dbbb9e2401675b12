"""Stores on disk that something changed in Stash, and makes sure that a worker will handle it.

The script that Stash runs as our hook calls `record` once for each edit. If the answer asks for a
log-in for the worker, the script calls `take_session` too. `handle` is for a Stash that still runs
the hooks of an older Stash2Plex, each as a process: in the middle of an update.

It runs inside the user's save, so it imports only `sqlite3` and `json`, and never talks to a
server. A test pins the set of modules.
"""

import json
import os
import time

from stash2plex.datadir import TROUBLE_NAME, check_owner, file_stamp, locate, prepare
from stash2plex.db import (
    BACKGROUND_WORKER,
    HOLD,
    HOOK_COST,
    NO_LOGIN,
    NOTIFIED_AT,
    SETTINGS_FILE,
    STASH_LOGIN,
    connect,
    get_meta,
    read_id,
    store_error,
)
from stash2plex.errors import StoreDamaged, UsageError
from stash2plex.lock import drain_runs
from stash2plex.starter import start_successor, start_worker
from stash2plex.workqueue import URGENT, WorkQueue

# `typing` costs 5 ms; type checkers accept any constant of this name.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

PLAY_FIELDS = frozenset(
    ("id", "ids", "clientMutationId", "resume_time", "play_duration", "play_count", "o_counter")
)
"""Input fields that do not change what Plex shows (stash.md §3.3)."""

OFF_TRUSTED = 60
"""Seconds for which a stored “off” counts if the path of Stash's settings file is unknown."""

MAX_MERGED = 1_000
"""How many tags of one merge are considered."""

FIRST_NOTICE_SECONDS = 86_400
"""How many seconds back the first notification looks."""

NOTICES_SQL = (
    "SELECT EXISTS (SELECT 1 FROM dead_letter WHERE last_failed_at > ?1)"
    " OR EXISTS (SELECT 1 FROM"
    " (SELECT started_at, ended_at, cured FROM outage ORDER BY seq DESC LIMIT 4)"
    " WHERE NOT cured AND (started_at > ?1 OR ended_at > ?1))"
    " OR EXISTS (SELECT 1 FROM (SELECT state, ended_at FROM run ORDER BY id DESC LIMIT 4)"
    " WHERE state = 'stopped' AND ended_at > ?1)"
    " OR EXISTS (SELECT 1 FROM meta WHERE name = 'trouble')"
    " OR EXISTS (SELECT 1 FROM missing_news)"
)
"""Whether the worker met something since the user was last notified."""

MAX_COST_APART = 3600.0
"""Seconds. If the next measurement is further ahead, the clock was set back: measure now."""

EDIT_DELAY, MAX_EDIT_DELAY = 0.001, 1.0
"""Seconds that an edit of many waits for each of its keys, and at most: a hook takes 0.4 ms."""

COVER_DELAY = 3.0
"""Seconds that a new scene waits: Stash creates its cover after the hook (stash.md §3.2)."""


def handle(
    request: "dict[str, Any]",
    plugin_dir: str,
    *,
    repair: "Callable[[str], None]",
    notify: "Callable[[str], None]",
    start_failed: "Callable[[str, OSError], None]",
) -> str:
    """Record the key of one hook event, and start the worker if none is running.

    `repair` sets the damaged database of a data folder aside. `notify` gets the database's path and
    shows the user what the worker met since the last notification. `start_failed` shows why no
    worker could be started. Few saves need them, so the caller imports their modules only then.

    Returns a sentence for Stash's debug log. Raises UsageError for an unknown event, and StoreError
    if the key could not be recorded.
    """
    began = time.monotonic()
    context = request["args"]["hookContext"]
    key = read_key(context)
    if key is None:
        return "Nothing that Plex shows has changed."
    kind, id_, delay = key
    keys = [(kind, id_), *merged_tags(context)]
    connection_info = request.get("server_connection") or {}
    folder = locate(connection_info.get("Dir"), plugin_dir)
    stash_dir = str(connection_info.get("Dir") or "")
    stored = _record(folder, stash_dir, keys, delay, began, repair=repair, notify=notify)
    # From here on the key is safe; without a worker it waits for the next event or task.
    started = False
    try:
        started = stored.worker_wanted and start_worker(
            folder, plugin_dir, worker_request(connection_info)
        )
    except OSError as error:
        start_failed(folder, error)
        return f"{kind}:{id_} is queued; the worker could not be started: {error.strerror}."
    return f"{kind}:{id_} is queued" + (", worker started." if started else ".")


def record(
    request: "dict[str, Any]",
    plugin_dir: str,
    *,
    repair: "Callable[[str], None]",
    notify: "Callable[[str], None]",
    start_failed: "Callable[[str, OSError], None]",
) -> "dict[str, Any]":
    """Record all keys of one edit in one commit, and start the worker if none is running.

    The arguments are those of `handle`. Returns `recorded`, the number of keys; `error`, a sentence
    for Stash's log or None; and `session`. That is a key if a worker is to be started that may need
    a log-in: the script masks its session with it and calls `take_session`. Raises UsageError for
    an unknown event, and StoreError if the keys could not be recorded.
    """
    began = time.monotonic()
    keys, delay = read_edit(request["args"])
    answer: dict[str, Any] = {"recorded": len(keys), "error": None, "session": None}
    if not keys:
        return answer
    connection_info = request.get("server_connection") or {}
    folder = locate(connection_info.get("Dir"), plugin_dir)
    stash_dir = str(connection_info.get("Dir") or "")
    stored = _record(folder, stash_dir, keys, delay, began, repair=repair, notify=notify)
    if not stored.worker_wanted:
        return answer
    if stored.may_need_login:
        # A worker that runs under the current settings has found its log-in.
        if stored.settings_changed or not drain_runs(folder):
            from stash2plex.handover import offer_key  # noqa: PLC0415 - for the start of a worker

            answer["session"] = offer_key(prepare(folder), time.time())
        return answer
    try:
        start_worker(folder, plugin_dir, worker_request(connection_info))
    except OSError as error:
        start_failed(folder, error)
    return answer


def take_session(
    request: "dict[str, Any]", plugin_dir: str, *, start_failed: "Callable[[str, OSError], None]"
) -> "dict[str, Any]":
    """Start a worker with the session that the script sends; returns `error`, as `record` does.

    If a worker runs that the changed settings may shut out, the new one takes over when that ends.
    Raises UsageError for an unknown key, and StoreError.
    """
    from stash2plex.handover import unmask  # noqa: PLC0415 - for the start of a worker

    arguments = request["args"]
    connection_info = request.get("server_connection") or {}
    folder = locate(connection_info.get("Dir"), plugin_dir)
    path = prepare(folder)
    value = unmask(path, arguments.get("nonce"), arguments.get("masked"), time.time())
    cookie = {**(connection_info.get("SessionCookie") or {}), "Value": value}
    wanted = worker_request(
        {**connection_info, "SessionCookie": cookie} if value else connection_info
    )
    database = connect(path)
    changed = settings_changed(get_meta(database, SETTINGS_FILE))
    if get_meta(database, HOLD) is not None or not may_start(
        get_meta(database, BACKGROUND_WORKER), time.time(), changed
    ):
        # Since the key was given, a worker has read that none is wanted.
        return {"error": None}
    try:
        # Of many first saves at once, one starts a worker; the sessions of all are fresh.
        if not start_worker(folder, plugin_dir, wanted) and (
            changed or (changed is None and drain_runs(folder))
        ):
            start_successor(folder, plugin_dir, wanted)
    except OSError as error:
        start_failed(folder, error)
    return {"error": None}


class Stored:
    """What is known once keys are committed. A plain class, because `attrs` is slower."""

    __slots__ = ("has_notices", "may_need_login", "settings_changed", "worker_wanted")

    def __init__(
        self,
        *,
        worker_wanted: bool,
        has_notices: bool,
        settings_changed: bool,
        may_need_login: bool,
    ) -> None:
        self.worker_wanted = worker_wanted
        self.has_notices = has_notices
        self.settings_changed = settings_changed
        self.may_need_login = may_need_login


def _record(
    folder: str,
    stash_dir: str,
    keys: "list[tuple[str, int]]",
    delay: float,
    began: float,
    *,
    repair: "Callable[[str], None]",
    notify: "Callable[[str], None]",
) -> Stored:
    """Commit the keys, in a new database if the old one is damaged; notify the user."""
    path = prepare(folder)
    try:
        stored = _store(path, stash_dir, keys, delay, began)
    except StoreDamaged:
        repair(folder)
        stored = _store(path, stash_dir, keys, delay, began)
    if stored.has_notices or os.path.exists(os.path.join(folder, TROUBLE_NAME)):
        notify(path)
    return stored


def _store(
    path: str, stash_dir: str, keys: "list[tuple[str, int]]", delay: float, began: float
) -> Stored:
    """Commit the keys, and read what decides about the worker and notifications."""
    database = connect(path)
    try:
        seen = get_meta(database, SETTINGS_FILE)
        check_owner(os.path.dirname(path), settings_path(seen), stash_dir)
        WorkQueue(database, time.time).add_many(keys, priority=URGENT, delay=delay)
        due_at = (get_meta(database, HOOK_COST) or "").partition(" ")[0]
        if not (due_at.isdigit() and 0 <= int(due_at) - time.time() <= MAX_COST_APART):
            from stash2plex.hookcost import note_cost  # noqa: PLC0415 - for a save a minute

            note_cost(database, began, time.time())
        # The connection is not closed: closing the last one copies the log into the database and
        # flushes twice, and the process ends soon anyway.
        changed = settings_changed(seen)
        wanted = may_start(get_meta(database, BACKGROUND_WORKER), time.time(), changed)
        wanted = wanted and get_meta(database, HOLD) is None
        notified_at = last_notified(get_meta(database, NOTIFIED_AT), time.time())
        # A changed setting may have cured it: the worker finds out first.
        notices = not changed and bool(database.execute(NOTICES_SQL, (notified_at,)).fetchone()[0])
        is_open = changed is False and get_meta(database, STASH_LOGIN) == NO_LOGIN
    except database.Error as error:
        # The traceback keeps it open otherwise, and Windows does not rename an open file.
        database.close()
        raise store_error(error, path) from error
    return Stored(
        worker_wanted=wanted,
        has_notices=notices,
        settings_changed=bool(changed),
        may_need_login=not is_open,
    )


def last_notified(known: str | None, now: float) -> float:
    """Return when the user was last notified; if that is unknown, a day before `now`."""
    try:
        return float(known or "")
    except ValueError:
        return now - FIRST_NOTICE_SECONDS


def settings_path(seen: str | None) -> str:
    """Return the path of Stash's settings file; empty if unknown.

    `seen` is its stamp and path at the last reading.
    """
    return (seen or "").partition(" ")[2]


def settings_changed(seen: str | None) -> bool | None:
    """Return whether Stash has stored a setting since the last reading; None if unknown.

    `seen` is the stamp and the path of Stash's settings file at that reading.
    """
    stamp, _, path = (seen or "").partition(" ")
    now = file_stamp(path) if path else ""
    return now != stamp if now else None


def may_start(choice: str | None, now: float, changed: bool | None = None) -> bool:
    """Return whether a worker may be started: not while the setting is off.

    `choice` is the setting as last read, with the time of an “off”. It counts until Stash has
    `changed` a setting; if that is unknown, a worker is started to look once a minute.
    """
    word, _, since = (choice or "auto").partition(" ")
    if word != "off":
        return True
    if changed is not None:
        return changed
    return since.isdigit() and abs(now - int(since)) >= OFF_TRUSTED


def read_kind(trigger: object) -> str:
    """Return the kind of object that a hook is about. Raises UsageError for an unknown hook."""
    parts = trigger.split(".") if isinstance(trigger, str) else []
    kind = parts[0].lower() if len(parts) == 3 else ""  # noqa: PLR2004 - Scene.Update.Post
    if kind not in ("scene", "performer", "studio", "tag", "group"):
        raise UsageError(f"The hook type {str(trigger)[:80]!r} is not one that Stash2Plex knows.")
    return kind


def delay_of(trigger: object) -> float:
    """Return the seconds that the key of a hook waits."""
    return COVER_DELAY if trigger == "Scene.Create.Post" else 0.0


def edit_delay(number: int) -> float:
    """Return the seconds that the keys of an edit of `number` objects wait.

    Stash still runs its hooks for the rest of them. A worker that reads the scenes meanwhile takes
    the processor from the edit that the user waits for.
    """
    return min(MAX_EDIT_DELAY, EDIT_DELAY * number) if number > 1 else 0.0


def shows_nothing(fields: object) -> bool:
    """Return whether Plex shows nothing of the input fields that were sent."""
    return (
        isinstance(fields, list) and bool(fields) and all(field in PLAY_FIELDS for field in fields)
    )


def read_edit(arguments: "Mapping[str, Any]") -> "tuple[list[tuple[str, int]], float]":
    """Turn the arguments of `record` into keys, each once, and their delay in seconds.

    There are no keys if Plex does not show the edit. Raises UsageError for an unknown hook, and if
    no id is usable.
    """
    trigger, ids = arguments.get("hook"), arguments.get("ids")
    kind = read_kind(trigger)
    if not isinstance(ids, list):
        raise UsageError(f"The hook {trigger} has no list of ids.")
    if shows_nothing(arguments.get("fields")):
        return [], 0.0
    keys = [(kind, id_) for id_ in dict.fromkeys(map(read_id, ids)) if id_ is not None]
    if ids and not keys:
        raise UsageError(f"The hook {trigger} has no usable id: {str(ids)[:80]}.")
    return keys, max(delay_of(trigger), edit_delay(len(keys)))


def read_key(context: "Any") -> "tuple[str, int, float] | None":
    """Turn a hook context into (kind, id, delay in seconds); None if Plex does not show the change.

    Raises UsageError for a context that is not one of ours.
    """
    if not isinstance(context, dict):
        raise UsageError("The hook context is not an object.")
    trigger = context.get("type")
    kind = read_kind(trigger)
    id_ = context.get("id")
    if type(id_) is not int or read_id(id_) is None:
        raise UsageError(f"The hook {trigger} has no usable id: {str(id_)[:80]!r}.")
    if shows_nothing(context.get("inputFields")):
        return None
    return kind, id_, delay_of(trigger)


def merged_tags(context: "Any") -> "list[tuple[str, int]]":
    """List the tags that a merge removed: no other hook reports them (stash.md §3.5).

    The scenes that showed them at their last sync are known from their records. Unusable ids are
    skipped; the sweeps find what is missing here.
    """
    given = context.get("input")
    source = given.get("source") if isinstance(given, dict) else None
    if context["type"] != "Tag.Merge.Post" or not isinstance(source, list):
        return []
    ids = map(read_id, source[:MAX_MERGED])
    return [("tag", id_) for id_ in ids if id_ is not None]


def worker_request(connection_info: "Mapping[str, Any]") -> bytes:
    """Encode the Stash connection as the worker's stdin request, without the event."""
    return json.dumps({"server_connection": dict(connection_info)}).encode()
