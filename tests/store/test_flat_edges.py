"""What a start, a copy and a handed-over session are at their edges, on a real disk."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from stash2plex import copies
from stash2plex.copies import Copy, drop_old_copies, keep_copy, list_copies, make_copy
from stash2plex.db import connect, meta_beginning
from stash2plex.errors import StoreError, UsageError
from stash2plex.handover import offer_key, unmask
from stash2plex.plugin import read_request
from stash2plex.start_trouble import (
    Trouble,
    end_trouble,
    fault_trouble,
    read_trouble,
    record_trouble,
    start_trouble,
    take_trouble,
)

NOW = 1_800_000_000.0
CANNOT = "The background worker cannot be started: "
BUSY = OSError(11, "Resource temporarily unavailable")


# -- why a worker does not start ----------------------------------------------------------


@pytest.fixture
def users(monkeypatch):
    """Have this process be user 54321, who has no name, and not be let near what is named."""
    monkeypatch.setattr(os, "geteuid", lambda: 54_321)

    def lock(*names: str) -> None:
        usual = os.access
        monkeypatch.setattr(
            os, "access", lambda path, mode: path not in names and usual(path, mode)
        )

    return lock


def name_of(path: Path) -> str:
    import pwd

    uid = os.stat(path).st_uid
    return f"“{pwd.getpwuid(uid).pw_name}” (uid {uid})"


def test_a_log_of_another_user(tmp_path, users):
    log = tmp_path / "worker.log"
    log.touch()
    users(str(log))
    assert start_trouble(str(tmp_path), BUSY) == Trouble(
        f"{CANNOT}“{log}” belongs to {name_of(log)}, and Stash runs as uid 54321.",
        f"Delete “{log}”, or give it to the user that runs Stash.",
    )


def test_a_folder_of_another_user_and_one_that_is_gone(tmp_path, users):
    users(str(tmp_path))
    assert start_trouble(str(tmp_path), BUSY) == Trouble(
        f"{CANNOT}“{tmp_path}” belongs to {name_of(tmp_path)}, and Stash runs as uid 54321.",
        f"Give “{tmp_path}” and the files in it to the user that runs Stash.",
    )
    gone = tmp_path / "gone"
    assert start_trouble(str(gone), BUSY).what == (
        f"{CANNOT}“{gone}” belongs to another user, and Stash runs as uid 54321."
    )


@pytest.mark.parametrize("python", ["/nowhere/python3", "", None])
def test_a_python_that_is_no_program(tmp_path, monkeypatch, python):
    monkeypatch.setattr(sys, "executable", python)
    assert start_trouble(str(tmp_path), BUSY) == Trouble(
        f"{CANNOT}Python reports its path as “{python or ''}”, which is not a program.",
        "Enter Python's full path under Settings > System > Python executable path.",
    )


def test_a_python_that_may_not_be_run(tmp_path, monkeypatch):
    python = tmp_path / "python3"
    python.write_bytes(b"")
    python.chmod(0o600)
    monkeypatch.setattr(sys, "executable", str(python))
    assert f"its path as “{python}”, which" in start_trouble(str(tmp_path), BUSY).what


@pytest.mark.parametrize(
    ("error", "why"),
    [(BUSY, "Resource temporarily unavailable"), (OSError("no more of them"), "no more of them")],
)
def test_a_machine_that_starts_no_more_processes(tmp_path, error, why):
    (tmp_path / "worker.log").touch()
    assert start_trouble(str(tmp_path), error) == Trouble(
        f"{CANNOT}{why}.",
        "Check what limits processes on this machine; “Process Queue” sends what waits.",
    )


def test_a_trouble_is_new_once_and_known_until_it_ends(tmp_path):
    folder = str(tmp_path)
    first, second = fault_trouble(ValueError("x")), Trouble("The pier is closed.", "Open it.")
    assert first == Trouble(
        "The background worker has ended because of a fault in Stash2Plex (ValueError).",
        "“worker.log” has the details; an update may fix it.",
    )
    assert (read_trouble(folder), take_trouble(folder)) == (None, None)
    assert [record_trouble(folder, first) for _ in range(2)] == [True, False]
    assert (read_trouble(folder), take_trouble(folder), take_trouble(folder)) == (
        first, first, None,
    )  # fmt: skip
    assert (read_trouble(folder), record_trouble(folder, first)) == (first, False)
    assert record_trouble(folder, second)
    assert read_trouble(folder) == second
    assert sorted(os.listdir(folder)) == ["worker-trouble-told.json", "worker-trouble.json"]
    assert {os.stat(tmp_path / name).st_mode & 0o077 for name in os.listdir(folder)} == {0}
    end_trouble(folder)
    assert (read_trouble(folder), os.listdir(folder)) == (None, [])
    assert record_trouble(str(tmp_path / "nowhere"), first)
    assert record_trouble(str(tmp_path / "nowhere"), first)


@pytest.mark.parametrize("text", ["", "lamp", "[]", "7", '{"what": "It."}', '{"fix": "Do."}'])
def test_a_trouble_that_cannot_be_read_is_none(tmp_path, text):
    (tmp_path / "worker-trouble.json").write_text(text, encoding="utf-8")
    assert read_trouble(str(tmp_path)) is None
    assert record_trouble(str(tmp_path), Trouble("It.", "Do."))
    assert read_trouble(str(tmp_path)) == Trouble("It.", "Do.")


# -- copies -------------------------------------------------------------------------------


@pytest.fixture
def database(tmp_path):
    path = str(tmp_path / "stash2plex.db")
    connect(path).close()
    return path


def stamp(seconds: float) -> str:
    return time.strftime("%Y%m%d-%H%M%S", time.localtime(seconds))


def test_a_copy_has_the_name_of_its_second_and_of_its_schema(database):
    names = [make_copy(database, 7, NOW) for _ in range(3)]
    assert names == [f"stash2plex-{stamp(NOW + more)}-schema7.db" for more in range(3)]
    listed = list_copies(os.path.dirname(database))
    assert [(copy.name, copy.made_at, copy.schema) for copy in listed] == [
        (names[2], NOW + 2, 7), (names[1], NOW + 1, 7), (names[0], NOW, 7),
    ]  # fmt: skip
    with closing(sqlite3.connect(listed[0].path)) as copy:
        assert copy.execute("PRAGMA quick_check").fetchone() == ("ok",)


def test_only_a_copy_has_the_name_of_one(tmp_path):
    for name in ("mine.txt", "stash2plex-20240101-000000-schema9.db.part", "stash2plex.db"):
        with pytest.raises(ValueError, match=name):
            Copy(str(tmp_path), name)
    assert list_copies(str(tmp_path / "nowhere")) == []


def test_a_copy_needs_twice_its_size_and_some_room(database, monkeypatch):
    with closing(connect(database)) as open_one:
        open_one.execute("CREATE TABLE quay (name)")
        sizes = [os.path.getsize(database + end) for end in ("", "-wal")]
        assert min(sizes) > 0
        needed = 2 * sum(sizes) + 16 * 2**20
        monkeypatch.setattr(copies, "free_bytes", lambda _: needed - 1)
        why = f"the disk has no room for {sum(sizes):,} bytes"
        assert keep_copy(database, 7, NOW) == why
        assert list_copies(os.path.dirname(database)) == []
        monkeypatch.setattr(copies, "free_bytes", lambda _: needed)
        assert keep_copy(database, 7, NOW) == ""
    assert len(list_copies(os.path.dirname(database))) == 1


def test_a_copy_that_takes_too_long_is_given_up_and_leaves_nothing(database, monkeypatch):
    monkeypatch.setattr(copies, "MAX_SECONDS", -1.0)
    assert keep_copy(database, 7, NOW) == "it took too long"
    assert os.listdir(os.path.join(os.path.dirname(database), "copies")) == []


def test_a_copy_of_what_is_no_database_names_the_reason(tmp_path):
    path = tmp_path / "stash2plex.db"
    path.write_bytes(b"harbour " * 999)
    assert keep_copy(str(path), 7, NOW) == "file is not a database"


def test_old_copies_and_parts_go_and_nothing_else(tmp_path):
    folder = tmp_path / "copies"
    folder.mkdir()
    kept = [f"stash2plex-2025010{day}-000000-schema9.db" for day in (4, 5)]
    other = ["a.part", "mine.txt", "stash2plex-20250101-000000-schema9.db.part.txt"]
    gone = [f"stash2plex-2025010{day}-000000-schema9.db" for day in (1, 2, 3)]
    for name in (*kept, *other, *gone, f"{kept[0]}.part", f"{gone[0]}.part"):
        (folder / name).touch()
    drop_old_copies(str(tmp_path))
    assert sorted(os.listdir(folder)) == sorted([*kept, *other])
    drop_old_copies(str(tmp_path / "nowhere"))


# -- a session that is handed over --------------------------------------------------------


def masked(offered: dict[str, list[int]], session: str) -> list[int]:
    return [ord(one) ^ key for one, key in zip(session, offered["key"], strict=False)]


@pytest.mark.parametrize(
    ("later", "good"), [(0, True), (60, True), (61, False), (-1, True), (-2, False)]
)
def test_a_key_is_good_for_a_minute(database, later, good):
    offered = offer_key(database, NOW)
    hidden = masked(offered, "light")
    if good:
        assert unmask(database, offered["nonce"], hidden, NOW + later) == "light"
    else:
        with pytest.raises(UsageError) as failure:
            unmask(database, offered["nonce"], hidden, NOW + later)
        assert str(failure.value) == "The session was handed over with an unknown key."
    assert stored(database) == []


def stored(database: str) -> list[str]:
    with closing(connect(database)) as held:
        return [name for name, _ in meta_beginning(held, "handover ")]


def test_keys_that_were_not_used_go_with_the_next_one(database):
    offers = [offer_key(database, NOW + later) for later in (0, 30, 61)]
    assert sorted(stored(database)) == sorted(f"handover {one['nonce']}" for one in offers[1:])
    assert len({one["nonce"] for one in offers}) == 3
    assert [len(one["key"]) for one in offers] == [4_096] * 3
    for one, session in ((offers[2], "a" * 4_096), (offers[1], "")):
        assert unmask(database, one["nonce"], masked(one, session), NOW + 61) == session
    assert stored(database) == []


@pytest.mark.parametrize("hidden", [None, "light", [256], [-1], ["a"], [[]], [0] * 4_097])
def test_a_session_of_another_form_is_refused(database, hidden):
    offered = offer_key(database, NOW)
    with pytest.raises(UsageError) as failure:
        unmask(database, offered["nonce"], hidden, NOW)
    assert str(failure.value) == "The session was handed over in an unknown form."


@pytest.mark.parametrize("session", ["a\nb", "caf\u00e9", "\x00"])
def test_a_session_that_is_not_plain_text_is_refused(database, session):
    offered = offer_key(database, NOW)
    with pytest.raises(UsageError, match="in an unknown form"):
        unmask(database, offered["nonce"], masked(offered, session), NOW)


def test_a_database_without_its_values_hands_nothing_over(database):
    with closing(connect(database)) as held:
        held.execute("DROP TABLE meta")
    for ask in (lambda: offer_key(database, NOW), lambda: unmask(database, "a", [], NOW)):
        with pytest.raises(StoreError, match="no such table: meta"):
            ask()


# -- the request --------------------------------------------------------------------------

NOT_JSON = (
    "The request on standard input is not JSON. Stash starts this program; on a command line use "
    "process_queue.py or the command stash2plex."
)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", NOT_JSON),
        (b"[]", "The request on standard input is not a JSON object."),
        (b'{"args": []}', '"args" in the request is not an object.'),
        (b'{"server_connection": 7}', '"server_connection" in the request is not an object.'),
        (b'{"server_connection": {"Dir": 7}}',
         '"Dir" in "server_connection" is not the name of a folder.'),
        (b'{"server_connection": {"Dir": "/a\\u0000"}}',
         '"Dir" in "server_connection" is not the name of a folder.'),
        (bytes(256 * 2**20 + 1), "The request is larger than 256 MiB."),
    ],
    ids=["nothing", "a list", "arguments", "connection", "a number", "control", "too large"],
)  # fmt: skip
def test_what_is_wrong_with_a_request_in_a_sentence(data, why):
    with pytest.raises(UsageError) as failure:
        read_request(data)
    assert str(failure.value) == why


@pytest.mark.parametrize("more", ["", ', "args": null', ', "server_connection": null'])
def test_a_request_without_arguments_has_none(more):
    request = read_request(f'{{"a": 1{more}}}'.encode())
    assert (request["a"], request["args"]) == (1, {})
