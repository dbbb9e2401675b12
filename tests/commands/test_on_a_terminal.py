"""What a command shows on a terminal and with which code it ends, and the service."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import time
from collections.abc import Callable
from contextlib import closing

import pytest

from stash2plex.cli import service
from stash2plex.cli.restore import copy_lines, copy_row, restored_lines, restored_row
from stash2plex.copies import list_copies, make_copy
from stash2plex.db import SCHEMA_NUMBER, connect
from stash2plex.lock import drain_lock
from stash2plex.operations.copies import Restored
from stash2plex.store.queue import Queue
from stash2plex.text import local

ESCAPE = re.compile(r"\x1b\[[\d;?]*[A-Za-z]")


@pytest.fixture
def terminal(desk, monkeypatch):
    """Give the desk a terminal of 100 columns."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    return desk


def shown(terminal, *words, code=0):
    ended, out, err = terminal.run(*words)
    assert ended == code, err
    return [line.rstrip() for line in ESCAPE.sub("", out).splitlines()]


def bury(desk, *numbers):
    with closing(connect(desk.folder + "/stash2plex.db")) as database:
        queue = Queue(database, time.time)
        queue.add_many([("scene", number) for number in numbers])
        for claim in queue.claim(len(numbers), 60.0):
            queue.bury(claim, title=f"Pier {claim.id}", reason="ambiguous", error="Two fit.")


def test_each_screen_is_laid_out_on_a_terminal_and_lines_elsewhere(terminal, monkeypatch):
    terminal.run("sync", "--scene", "1")
    bury(terminal, 11, 12)
    status = shown(terminal, "status")
    assert status[0].split() == ["Now", "idle"]
    heads = [line.split("  ")[0] for line in status if line[:1].strip()]
    assert heads == ["Now", "Queue", "Scenes", "Given up", "Plex", "In sync", "So far"]
    assert shown(terminal, "dlq", "list")[:2] == [
        "2 because several Plex items fit (ambiguous)",
        "→ Set Path map or Plex library, or turn on Loose matching; then run “Retry Dead Letters”.",
    ]
    assert shown(terminal, "outages")[-1].startswith("No outage since ")
    health = shown(terminal, "health", code=1)
    assert health[0].startswith("pass  Stash ")
    assert any(line.startswith("FAIL  dead letters") for line in health)
    monkeypatch.setenv("FORCE_COLOR", "")
    monkeypatch.delenv("FORCE_COLOR")
    assert shown(terminal, "status")[0].startswith("Queue: 0 due, ")
    assert shown(terminal, "health", code=1)[0].startswith("pass Stash: ")


def test_a_scene_has_a_table_of_its_fields(terminal):
    terminal.run("sync", "--scene", "1")
    scene = terminal.stash.library.scenes[1]
    terminal.plex.all_items()[0].title = "Another pier"
    lines = shown(terminal, "scene", "1")
    (head,) = [line for line in lines if line.split()[:1] == ["Field"]]
    assert head.split() == ["Field", "State", "Stash", "Plex", "Last", "written"]
    rows = {line.split()[0]: line for line in lines[lines.index(head) + 1 :] if line.strip()}
    assert "Another" in rows["title"]
    assert scene.title.split()[0] in rows["title"]
    assert json.loads(terminal.run("scene", "1", "--json")[1])["scene_id"] == 1


def test_a_command_ends_with_the_code_of_what_its_drain_did(desk):
    assert desk.run("sync", "--scene", "1")[0] == 0
    desk.plex.down()
    code, out, _ = desk.run("sync", "--scene", "2", "--wait", "0")
    assert (code, bool(out)) == (3, True)
    value = json.loads(desk.run("process", "--wait", "0", "--json")[1])
    assert (value["done"], value["failed"], value["left"]) == (0, 0, 1)
    assert set(value) == {"done", "failed", "later", "left", "seconds", "gave_up"}
    assert value["gave_up"]
    code, out, _ = desk.run("reconcile", "--json")
    value = json.loads(out)
    assert (code, value["drained"]) == (3, None)


# -- the service --------------------------------------------------------------------------


class Alarms(logging.Filter):
    """Does things one after the other while a command runs, each once its condition holds.

    It hears what the command logs: only what has happened decides, never the time.
    """

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []
        self.todo: list[tuple[Callable[[], object], Callable[[], object]]] = []

    def filter(self, record: logging.LogRecord) -> bool:
        self.heard.append(record.getMessage())
        return True

    def ring(self, *_: object) -> None:
        if self.todo and self.todo[0][0]():
            self.todo.pop(0)[1]()

    def once(self, condition: Callable[[], object], action: Callable[[], object]) -> None:
        self.todo.append((condition, action))

    def waits(self) -> bool:
        return WAITS in self.heard


@pytest.fixture
def alarms(monkeypatch):
    alarms = Alarms()
    logging.getLogger("stash2plex").addFilter(alarms)
    usual = signal.signal(signal.SIGALRM, alarms.ring)
    signal.setitimer(signal.ITIMER_REAL, 0.03, 0.03)
    monkeypatch.setattr(service, "LOCK_SECONDS", 0.01)
    yield alarms
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, usual)
    logging.getLogger("stash2plex").removeFilter(alarms)


WAITS = "Another process works on this data folder; waiting until it ends."


def messages(err):
    """Return the texts of log lines, without time and level."""
    return [line[28:] for line in err.splitlines()]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_service_waits_for_another_process_and_reports_that_once(desk, alarms, number, code):
    desk.run("status")
    lock = drain_lock(desk.folder)
    assert lock.acquire()
    # Two alarms more, so that it has looked at the lock again.
    for _ in range(2):
        alarms.once(alarms.waits, lambda: None)
    alarms.once(alarms.waits, lambda: os.kill(os.getpid(), number))
    try:
        ended, out, err = desk.run("serve")
    finally:
        lock.release()
    assert (ended, out) == (code, "")
    assert messages(err) == [WAITS]


def test_a_service_takes_over_from_another_process(desk, alarms):
    desk.run("status")
    lock = drain_lock(desk.folder)
    assert lock.acquire()
    with closing(connect(desk.folder + "/stash2plex.db")) as database:
        Queue(database, time.time).add("scene", 1)
    alarms.once(alarms.waits, lock.release)
    alarms.once(lambda: desk.plex.count("PUT"), lambda: os.kill(os.getpid(), signal.SIGTERM))
    ended, out, err = desk.run("serve")
    assert (ended, out) == (0, "")
    said = messages(err)
    assert said[:2] == [WAITS, f"The service has started (process {os.getpid()})."]
    assert said[-1].startswith("The service ends: ")
    other = drain_lock(desk.folder)
    assert other.acquire()
    other.release()


# -- copies -------------------------------------------------------------------------------


def test_copies_in_words_and_as_json(tmp_path):
    assert copy_lines([]) == [
        "There is no copy: one is made before an update changes the database."
    ]
    path = str(tmp_path / "stash2plex.db")
    connect(path).close()
    names = [make_copy(path, 7, 1_700_000_000.0) for _ in range(2)]
    copies = list_copies(str(tmp_path))
    size = os.path.getsize(copies[0].path)
    assert copy_lines(copies) == [
        f"{names[1]}: made {local(1_700_000_001.0)}, schema 7, {size:,} bytes.",
        f"{names[0]}: made {local(1_700_000_000.0)}, schema 7, {size:,} bytes.",
    ]
    assert copy_row(copies[1]) == {
        "name": names[0], "made_at": 1_700_000_000.0, "schema": 7, "bytes": size,
    }  # fmt: skip


INSTALL = (
    "Install the older version of the plugin now. This one would bring the database up to date "
    "again at the next save."
)


@pytest.mark.parametrize("schema", [SCHEMA_NUMBER - 1, SCHEMA_NUMBER])
def test_what_was_taken_back_in_words_and_as_json(schema):
    done = Restored(name="a.db", schema=schema, replaced="b.db", keys=1_000, compared=2_000)
    assert restored_row(done) == {
        "restored": "a.db", "schema": schema, "replaced": "b.db", "queued": 1_000,
        "compared": 2_000,
    }  # fmt: skip
    assert restored_lines(done) == [
        "a.db was taken back. The database that it replaced is kept as b.db.",
        "Changes that were queued and are carried over: 1,000.",
        "Scenes that were written since the copy, and are compared again: 2,000.",
        *([INSTALL] if schema < SCHEMA_NUMBER else []),
    ]


def test_restore_lists_what_there_is(desk):
    desk.run("status")
    assert desk.run("restore", "--list") == (
        0, "There is no copy: one is made before an update changes the database.\n", "",
    )  # fmt: skip
    name = make_copy(desk.folder + "/stash2plex.db", SCHEMA_NUMBER, 1_700_000_000.0)
    assert [row["name"] for row in json.loads(desk.run("restore", "--list", "--json")[1])] == [name]
    assert name in desk.run("restore", "--list")[1]
