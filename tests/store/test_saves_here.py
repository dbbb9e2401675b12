"""A save from its request to its answer, in this process: what is stored, and which worker starts.

`tests/budget` and `tests/archive` do the same with processes, as Stash does it.
"""

from __future__ import annotations

import errno
import json
import time
from contextlib import closing

import pytest

from stash2plex import handover, hook
from stash2plex.datadir import file_stamp, prepare
from stash2plex.db import (
    BACKGROUND_WORKER,
    HANDOVER_KEY,
    HOLD,
    NOTIFIED_AT,
    SETTINGS_FILE,
    STASH_LOGIN,
    connect,
    get_meta,
    set_meta,
)
from stash2plex.errors import StoreUnavailable, UsageError
from stash2plex.store.notices import note_trouble

COOKIE = {"Name": "session", "Value": "", "Path": "/"}


class Saves:
    """A data folder beside Stash's settings, and what the hook did about it."""

    def __init__(self, folder, monkeypatch):
        self.config = folder / "config"
        self.config.mkdir()
        self.settings = self.config / "config.yml"
        self.settings.write_text("plugins: {}\n")
        self.folder = self.config / "stash2plex"
        self.path = prepare(str(self.folder))
        self.plugin = str(folder / "plugin")
        self.started: list[dict[str, object]] = []
        self.successors: list[tuple[str, str, bytes]] = []
        self.notified: list[str] = []
        self.repaired: list[str] = []
        self.failures: list[tuple[str, OSError]] = []
        self.runs = False
        self.fails = None
        for name in ("STASH2PLEX_DATA_DIR", "STASH_PLUGIN_DATA"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(hook, "start_worker", self.start)
        monkeypatch.setattr(hook, "start_successor", lambda *given: self.successors.append(given))
        monkeypatch.setattr(hook, "drain_runs", lambda _: self.runs)

    def start(self, folder, plugin_dir, request):
        if self.fails is not None:
            raise self.fails
        if self.runs:
            return False
        assert (folder, plugin_dir) == (str(self.folder), self.plugin)
        self.started.append(json.loads(request)["server_connection"])
        return True

    @property
    def connection(self):
        return {"Port": 9, "Dir": str(self.config), "SessionCookie": COOKIE}

    def set(self, name, value):
        with closing(connect(self.path)) as database:
            set_meta(database, name, value)

    def get(self, name):
        with closing(connect(self.path)) as database:
            return get_meta(database, name)

    def rows(self, sql):
        with closing(connect(self.path)) as database:
            return list(database.execute(sql))

    def know(self, *, login="none", current=True):
        """Store what a worker stores that has read the settings."""
        stamp = file_stamp(str(self.settings)) if current else "1-1"
        self.set(SETTINGS_FILE, f"{stamp} {self.settings}")
        self.set(STASH_LOGIN, login)

    def repair(self, folder):
        self.repaired.append(folder)
        (self.folder / "stash2plex.db").unlink()

    def ask(self, deed, arguments, **more):
        return deed(
            {"server_connection": self.connection, "args": arguments},
            self.plugin,
            start_failed=lambda *given: self.failures.append(given),
            **more,
        )

    def record(self, ids=(12,), trigger="Scene.Update.Post", fields=None):
        arguments = {"mode": "record", "hook": trigger, "ids": list(ids), "fields": fields}
        return self.ask(hook.record, arguments, repair=self.repair, notify=self.notified.append)

    def handle(self, **context):
        arguments = {"hookContext": {"type": "Scene.Update.Post", "id": 12, **context}}
        return self.ask(hook.handle, arguments, repair=self.repair, notify=self.notified.append)

    def hand_over(self, offered, value):
        masked = [ord(one) ^ key for one, key in zip(value, offered["key"], strict=False)]
        return self.ask(hook.take_session, {"nonce": offered["nonce"], "masked": masked})


@pytest.fixture
def saves(tmp_path, monkeypatch):
    return Saves(tmp_path, monkeypatch)


def test_an_edit_is_stored_and_the_worker_of_a_stash_without_a_log_in_started(saves):
    saves.know()
    assert saves.record([3, "4", 3, "x"]) == {"recorded": 2, "error": None, "session": None}
    assert saves.rows("SELECT kind, id, priority FROM queue ORDER BY id") == [
        ("scene", 3, 0),
        ("scene", 4, 0),
    ]
    assert saves.started == [saves.connection]
    assert saves.notified == []


def test_keys_of_one_edit_wait_a_millisecond_each(saves):
    began = time.time()
    saves.record(range(1, 501))
    ((due,),) = saves.rows("SELECT DISTINCT due_at FROM queue")
    assert 0.5 <= due - began < 30.0


@pytest.mark.parametrize(
    ("known", "runs", "offers"),
    [
        ({"login": "none"}, False, False),
        ({"login": "none"}, True, False),
        ({"login": "password"}, False, True),
        # It has found its log-in.
        ({"login": "password"}, True, False),
        ({"login": "none", "current": False}, False, True),
        ({"login": "none", "current": False}, True, True),
        (None, False, True),
        (None, True, False),
    ],
)
def test_who_is_asked_for_a_session(saves, known, runs, offers):
    if known is not None:
        saves.know(**known)
    saves.runs = runs
    answer = saves.record()
    assert (answer["recorded"], answer["error"]) == (1, None)
    assert (answer["session"] is not None) == offers
    waits_for_it = offers or runs
    assert len(saves.started) == (0 if waits_for_it else 1)


@pytest.mark.parametrize("name", [BACKGROUND_WORKER, HOLD])
def test_no_worker_is_started_while_none_is_wanted(saves, name):
    saves.know()
    saves.set(name, "off" if name == BACKGROUND_WORKER else "{}")
    assert saves.record() == {"recorded": 1, "error": None, "session": None}
    assert saves.handle() == "scene:12 is queued."
    assert saves.started == []


def test_a_session_starts_the_worker_that_it_was_asked_for(saves):
    offered = saves.record()["session"]
    assert saves.hand_over(offered, "light-of-the-harbour") == {"error": None}
    (connection,) = saves.started
    assert connection == {
        **saves.connection,
        "SessionCookie": {**COOKIE, "Value": "light-of-the-harbour"},
    }
    with pytest.raises(UsageError, match="an unknown key"):
        saves.hand_over(offered, "light-of-the-harbour")


def test_a_stash_without_a_session_starts_the_worker_as_it_is(saves):
    offered = saves.record()["session"]
    assert saves.hand_over(offered, "") == {"error": None}
    assert saves.started == [saves.connection]


@pytest.mark.parametrize(("current", "number"), [(True, 0), (False, 1), (None, 1)])
def test_a_worker_that_may_be_shut_out_gets_a_successor(saves, current, number):
    offered = saves.record()["session"]
    if current is not None:
        saves.know(login="password", current=current)
    saves.runs = True
    assert saves.hand_over(offered, "light") == {"error": None}
    assert len(saves.successors) == number
    for folder, plugin_dir, request in saves.successors:
        assert (folder, plugin_dir) == (str(saves.folder), saves.plugin)
        assert json.loads(request)["server_connection"]["SessionCookie"]["Value"] == "light"


def test_a_worker_that_has_ended_meanwhile_gets_no_successor(saves, monkeypatch):
    offered = saves.record()["session"]
    monkeypatch.setattr(hook, "start_worker", lambda *_: False)
    assert saves.hand_over(offered, "light") == {"error": None}
    assert saves.successors == []


@pytest.mark.parametrize(
    ("name", "value", "starts"),
    [(BACKGROUND_WORKER, "off 1795000000", 0), (HOLD, "1", 0), (BACKGROUND_WORKER, "auto", 1)],
)
def test_a_worker_that_has_read_meanwhile_that_none_is_wanted_is_the_last(
    saves, name, value, starts
):
    saves.know(current=False)
    offered = saves.record()["session"]
    saves.know(login="password")
    saves.set(name, value)
    assert saves.hand_over(offered, "light") == {"error": None}
    assert len(saves.started) == starts


def test_a_start_that_fails_is_shown_and_the_keys_are_safe(saves):
    saves.know()
    saves.fails = OSError(errno.EAGAIN, "Resource temporarily unavailable")
    assert saves.record() == {"recorded": 1, "error": None, "session": None}
    said = saves.handle()
    assert said == (
        "scene:12 is queued; the worker could not be started: Resource temporarily unavailable."
    )
    saves.set(STASH_LOGIN, "password")
    offered = saves.record()["session"]
    assert saves.hand_over(offered, "light") == {"error": None}
    assert saves.failures == [(str(saves.folder), saves.fails)] * 3
    assert saves.rows("SELECT count(*) FROM queue") == [(1,)]


def test_one_hook_event_is_one_sentence(saves):
    assert saves.handle() == "scene:12 is queued, worker started."
    assert saves.started == [saves.connection]
    saves.runs = True
    assert saves.handle(type="Tag.Merge.Post", id=5, input={"source": ["7"]}) == "tag:5 is queued."
    assert saves.handle(inputFields=["id"]) == "Nothing that Plex shows has changed."
    assert saves.rows("SELECT kind, id FROM queue ORDER BY kind, id") == [
        ("scene", 12),
        ("tag", 5),
        ("tag", 7),
    ]


def test_a_damaged_database_is_set_aside_and_the_key_goes_into_a_new_one(saves):
    (saves.folder / "stash2plex.db").write_bytes(b"no database at all" * 1_000)
    assert saves.record()["recorded"] == 1
    assert saves.repaired == [str(saves.folder)]
    assert saves.rows("SELECT kind, id FROM queue") == [("scene", 12)]


def test_the_data_of_another_stash_take_no_keys(saves):
    other = saves.config.parent / "other"
    other.mkdir()
    (other / "config.yml").write_text("")
    saves.set(SETTINGS_FILE, f"1-1 {other / 'config.yml'}")
    with pytest.raises(StoreUnavailable, match="belongs to the Stash with the settings"):
        saves.record()
    assert saves.rows("SELECT * FROM queue") == []


@pytest.mark.parametrize("kind", ["trouble", "file", "dead", "stopped", "outage"])
def test_the_user_hears_at_a_save_what_the_worker_met(saves, kind):
    saves.set(NOTIFIED_AT, "1000")
    if kind == "file":
        (saves.folder / "worker-trouble.json").write_text("{}")
    with closing(connect(saves.path)) as database:
        if kind == "trouble":
            note_trouble(database, "The token is wrong.")
        if kind == "dead":
            database.execute(
                "INSERT INTO dead_letter (kind, id, reason, error, title, path, attempts,"
                " first_failed_at, last_failed_at) VALUES ('scene', 1, 'fault', '', '', '', 1, 9,"
                " 1001)"
            )
        if kind == "stopped":
            database.execute(
                "INSERT INTO run (name, began_at, ended_at, state, pid)"
                " VALUES ('x', 9, 1001, 'stopped', 1)"
            )
        if kind == "outage":
            database.execute(
                "INSERT INTO outage (server, started_at, ended_at, cause, waiting)"
                " VALUES ('plex', 9, 1001, '', 1)"
            )
    saves.record()
    assert saves.notified == [saves.path]
    if kind in ("dead", "stopped", "outage"):
        # Once is enough.
        saves.set(NOTIFIED_AT, "1001")
        saves.record()
        assert len(saves.notified) == 1


def test_a_key_of_a_session_is_good_for_a_minute(saves):
    offered = handover.offer_key(saves.path, 1_000.0)
    assert len(offered["key"]) == 4_096
    assert saves.get(HANDOVER_KEY + offered["nonce"]).startswith("1060 ")
    masked = [ord(one) ^ key for one, key in zip("light", offered["key"], strict=False)]
    with pytest.raises(UsageError, match="an unknown key"):
        handover.unmask(saves.path, offered["nonce"], masked, 1_060.5)
    offered = handover.offer_key(saves.path, 1_000.0)
    masked = [ord(one) ^ key for one, key in zip("light", offered["key"], strict=False)]
    assert handover.unmask(saves.path, offered["nonce"], masked, 1_060.0) == "light"
    # A key from the future means that a clock was set back.
    offered = handover.offer_key(saves.path, 1_000.0)
    with pytest.raises(UsageError, match="an unknown key"):
        handover.unmask(saves.path, offered["nonce"], [], 998.0)


def test_keys_of_sessions_that_nobody_used_go_with_the_next(saves):
    old, new = handover.offer_key(saves.path, 1_000.0), handover.offer_key(saves.path, 1_050.0)
    last = handover.offer_key(saves.path, 1_080.0)
    names = saves.rows("SELECT name FROM meta WHERE name LIKE 'handover%'")
    assert {name for (name,) in names} == {f"handover {one['nonce']}" for one in (new, last)}
    assert old["nonce"] != new["nonce"]


@pytest.mark.parametrize(
    "masked", [None, 7, "text", [256], [-1], ["1"], [1.5], [1] * 4_097, {}, [1, 2, 3]]
)
def test_a_session_in_another_form_is_refused_and_its_key_is_gone(saves, masked):
    offered = handover.offer_key(saves.path, 1_000.0)
    if masked == [1, 2, 3]:
        # Not text, once it is unmasked.
        masked = [7 ^ key for key in offered["key"][:3]]
    with pytest.raises(UsageError, match="in an unknown form"):
        handover.unmask(saves.path, offered["nonce"], masked, 1_000.0)
    assert saves.get(HANDOVER_KEY + offered["nonce"]) is None
