"""An interpreter that closes cursors late, as PyPy does: what is not read to its end stays open."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from stash2plex.db import connect, get_meta, set_meta, transaction
from stash2plex.errors import Stash2PlexError
from stash2plex.operations.enqueue import enqueue_all
from stash2plex.sync.observer import Silent
from stash2plex.tasks.registry import TASKS
from stash2plex_testing.plex.faults import Fault
from stash2plex_testing.stash import picture
from tests.drains.test_buttons_here import Buttons

PRESSED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("all", {}), ("survey", {"kind": "changes", "word": "lantern"}),
    ("count_changes", {"start": True}), ("compare", {"start": True}), ("preview", {}),
    ("preview_some", {"limit": 3}),
    ("reconcile_all", {}), ("reconcile_recent", {}), ("reconcile_7days", {}),
    ("reconcile_missing_metadata", {}), ("recent", {}), ("put_back", {}), ("undo", {"all": True}),
    ("sync", {"scene_ids": [1, 2, 3]}), ("process_queue", {}), ("clear_match_cache", {}),
    ("retry_dlq", {}), ("retry", {"scene_ids": [4]}), ("retry_reason", {"reason": "not_in_plex"}),
    ("discard", {"scene_ids": [4]}), ("discard_reason", {"reason": "rejected"}),
    ("purge_dlq", {}), ("clear_dlq", {}), ("recover_outage_jobs", {}), ("outage_summary", {}),
    ("scene", {"scene_id": 1}), ("candidates", {"scene_id": 1}),
    ("choose_item", {"scene_id": 1, "rating_key": "1"}), ("forget_choice", {"scene_id": 1}),
    ("pause", {}), ("stop", {}), ("resume", {}), ("hold", {"step": "files"}), ("start", {}),
    ("health", {}), ("health_check", {}), ("status", {}), ("queue_status", {}), ("report", {}),
    ("page", {}), ("trouble", {}), ("outages", {}), ("dead_letters", {}), ("history", {}),
    ("history", {"scene_id": 1}), ("scenes", {"state": "in_sync"}), ("not_in_plex", {}),
    ("entity", {"performer_id": 1}), ("runs", {}), ("paths", {}), ("library", {}),
    ("unknown_files", {"section_id": "1"}), ("tags", {}), ("libraries", {}), ("settings", {}),
    ("check_settings", {"values": {}}), ("import_legacy", {}), ("wake", {}), ("clear_queue", {}),
)  # fmt: skip
"""Every task and operation, in an order in which each finds something to do."""

OF_OTHER_SERVERS = {"sign_in", "sign_in_poll", "choose_server", "connect", "save_settings"}
"""Operations that sign in at plex.tv or have Stash store a setting."""


class Read(sqlite3.Cursor):
    """Knows whether its answer was read to the end; looks one row ahead for that, as PyPy does."""

    left = False
    ahead: tuple[object, ...] | None = None

    def fetchone(self):
        row, self.ahead = self.ahead or super().fetchone(), None
        self.ahead = None if row is None else super().fetchone()
        self.left = self.ahead is not None
        return row

    def __next__(self):
        self.left = True
        try:
            return super().__next__()
        except StopIteration:
            self.left = False
            raise


class Late(sqlite3.Connection):
    """Keeps each of its cursors as long as it lives; `left` are answers open before a write."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.kept = []
        self.left = []

    def execute(self, *arguments):
        if arguments[0].startswith("BEGIN"):
            self.left += [sql for cursor, sql in self.kept if cursor.left]
        cursor = self.cursor(Read)
        cursor.execute(*arguments)
        self.kept.append((cursor, arguments[0]))
        return cursor


@pytest.fixture(autouse=True)
def late(monkeypatch):
    """Make every connection of this process a late one; returns them."""
    opened = []
    ordinary = sqlite3.connect

    def open_late(*arguments, **options):
        opened.append(ordinary(*arguments, **(options | {"factory": Late})))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", open_late)
    return opened


def test_a_late_connection_fails_where_an_answer_is_left_open(tmp_path):
    """Shows that the fixture does what the other tests rest on."""
    with closing(sqlite3.connect(tmp_path / "quay.db", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("BEGIN IMMEDIATE")
        database.execute("CREATE TABLE quay (id)")
        with pytest.raises(sqlite3.OperationalError, match="statements in progress"):
            database.execute("COMMIT")


def test_a_new_database_is_made(tmp_path):
    with closing(connect(str(tmp_path / "quay.db"), relaxed=True)) as database:
        with transaction(database):
            set_meta(database, "lantern", "lit")
        assert get_meta(database, "lantern") == "lit"


def test_no_answer_stays_open_while_scenes_are_sent_fail_and_wait(make_desk, late):
    """An open answer holds an old view of the database; what is written over it is refused."""
    desk = make_desk(max_retries=2)
    for number in range(1, 5):
        desk.scene(f"a/{number}.mp4", size=number, title=f"Lantern {number}")
        if number < 4:
            desk.item(f"a/{number}.mp4", size=number)
    enqueue_all(desk.app)
    desk.plex.faults.add(Fault("status", method="PUT", status=400, times=3))
    for _ in range(4):
        desk.process(Silent())
        desk.clock.step(7_200)
    assert {item.title for item in desk.plex.all_items()} & {"Lantern 1", "Lantern 2", "Lantern 3"}
    assert left_open(late) == []


def left_open(late):
    """List what was open before a write."""
    assert any(connection.kept for connection in late)
    return sorted({sql for connection in late for sql in connection.left})


@pytest.fixture
def pier(make_desk):
    """Give a desk with scenes, pictures and a performer, and a scene that Plex does not have."""
    desk = make_desk(skip_fields="", max_retries=2)
    performer = desk.stash.add_performer("Performer 17")
    for number in range(1, 5):
        cover = picture(number)
        desk.scene(f"a/{number}.mp4", size=number, performers=[performer], cover=cover)
        if number < 4:
            desk.item(f"a/{number}.mp4", size=number)
    return desk


def test_no_answer_stays_open_whatever_the_user_presses(pier, late, monkeypatch):
    buttons = Buttons(pier, monkeypatch)
    refused = []
    for mode, arguments in PRESSED:
        try:
            buttons.press(mode, **arguments)
        except Stash2PlexError as error:
            refused.append((mode, str(error)))
        assert (mode, left_open(late)) == (mode, [])
        pier.clock.step(60.0)
    assert refused == []
    assert {mode for mode, _ in PRESSED} == {task.mode for task in TASKS} - OF_OTHER_SERVERS
    assert pier.plex.count("POST") > 0


def test_no_answer_stays_open_in_the_hours_of_a_worker(pier, late):
    """It sweeps and reads back, waits out an outage, and compares with Plex a day later."""
    enqueue_all(pier.app)
    first, second, *_ = pier.stash.scenes
    pier.clock.at |= {
        pier.clock.now + 100.0: lambda: setattr(pier.plex.all_items()[0], "title", "By hand"),
        pier.clock.now + 200.0: lambda: pier.stash.library.destroy_scene(second),
        pier.clock.now + 300.0: lambda: pier.scene("b/new.mp4", size=9, studio=None),
        pier.clock.now + 400.0: lambda: pier.item("b/new.mp4", size=9),
        pier.clock.now + 500.0: pier.plex.down,
        pier.clock.now + 510.0: lambda: pier.add(first),
        pier.clock.now + 700.0: pier.plex.up,
    }
    pier.work(1_000.0, grain=10.0)
    pier.clock.step(90_000.0)
    pier.work(200.0, grain=10.0)
    assert pier.clock.at == {}
    assert left_open(late) == []
