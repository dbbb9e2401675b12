"""The hook's decisions, each on both sides of its limit; its samples; why no worker starts."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import closing

import pytest

from stash2plex import hook, hookcost, start_trouble
from stash2plex.db import HOOK_COST, connect, get_meta, set_meta
from stash2plex.errors import Stash2PlexError, UsageError
from stash2plex.first_aid import answer_without
from tests.support import present


@pytest.mark.parametrize(
    ("number", "seconds"), [(0, 0.0), (1, 0.0), (2, 0.002), (999, 0.999), (1_001, 1.0)]
)
def test_how_long_an_edit_waits(number, seconds):
    assert hook.edit_delay(number) == seconds


def test_only_a_new_scene_waits_for_its_cover():
    assert hook.delay_of("Scene.Create.Post") == 3.0
    assert hook.delay_of("Scene.Update.Post") == 0.0
    assert hook.read_key({"type": "Scene.Create.Post", "id": 4}) == ("scene", 4, 3.0)
    assert hook.read_key({"type": "Studio.Update.Post", "id": 5}) == ("studio", 5, 0.0)


@pytest.mark.parametrize(
    ("fields", "nothing"),
    [
        (["o_counter"], True),
        (["id", "play_count", "resume_time"], True),
        (["ids", "clientMutationId", "play_duration"], True),
        (["play_count", "title"], False),
        (["title", "play_count"], False),
        ([], False),
        (None, False),
        ("id", False),
    ],
)
def test_which_input_fields_plex_shows(fields, nothing):
    assert hook.shows_nothing(fields) is nothing
    context = {"type": "Scene.Update.Post", "id": 4, "inputFields": fields}
    assert (hook.read_key(context) is None) is nothing
    edit = {"hook": "Scene.Update.Post", "ids": [4], "fields": fields}
    assert hook.read_edit(edit) == (([], 0.0) if nothing else ([("scene", 4)], 0.0))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "The hook type 'None' is not one that Stash2Plex knows."),
        ({"hook": 7}, "The hook type '7' is not one that Stash2Plex knows."),
        (
            {"hook": "Scene.Update", "ids": [1]},
            "The hook type 'Scene.Update' is not one that Stash2Plex knows.",
        ),
        (
            {"hook": "Lamp.Update.Post." + "x" * 90},
            f"The hook type 'Lamp.Update.Post.{'x' * 63}' is not one that Stash2Plex knows.",
        ),
        ({"hook": "Scene.Update.Post"}, "The hook Scene.Update.Post has no list of ids."),
        (
            {"hook": "Scene.Update.Post", "ids": ["fog", 0]},
            "The hook Scene.Update.Post has no usable id: ['fog', 0].",
        ),
        (
            {"hook": "Tag.Update.Post", "ids": ["x" * 90]},
            f"The hook Tag.Update.Post has no usable id: ['{'x' * 78}.",
        ),
    ],
)
def test_an_edit_that_cannot_be_read_is_named(arguments, words):
    with pytest.raises(UsageError) as caught:
        hook.read_edit(arguments)
    assert caught.value.what == words


@pytest.mark.parametrize(
    ("context", "words"),
    [
        (None, "The hook context is not an object."),
        (
            {"type": "Scene.Update.Post", "id": "4"},
            "The hook Scene.Update.Post has no usable id: \"'4'\".",
        ),
        (
            {"type": "Scene.Update.Post", "id": True},
            "The hook Scene.Update.Post has no usable id: 'True'.",
        ),
        (
            {"type": "Scene.Update.Post", "id": 0},
            "The hook Scene.Update.Post has no usable id: '0'.",
        ),
    ],
)
def test_an_event_that_cannot_be_read_is_named(context, words):
    with pytest.raises(UsageError) as caught:
        hook.read_key(context)
    assert caught.value.what == words.replace("\"'4'\"", repr("4"))


def test_an_edit_of_nothing_has_no_keys():
    assert hook.read_edit({"hook": "Scene.Update.Post", "ids": []}) == ([], 0.0)


def test_the_tags_that_a_merge_removed():
    merge = {"type": "Tag.Merge.Post", "id": 1, "input": {"source": [2, "x", "3", 0, 4]}}
    assert hook.merged_tags(merge) == [("tag", 2), ("tag", 3), ("tag", 4)]
    assert hook.merged_tags({**merge, "type": "Tag.Update.Post"}) == []
    assert hook.merged_tags({**merge, "input": {"source": 2}}) == []
    assert hook.merged_tags({**merge, "input": [2]}) == []
    many = {**merge, "input": {"source": list(range(1, 1_100))}}
    assert [id_ for _, id_ in hook.merged_tags(many)] == list(range(1, 1_001))


@pytest.mark.parametrize(
    ("choice", "changed", "starts"),
    [
        (None, None, True),
        ("auto", False, True),
        ("auto 900", None, True),
        ("off 1000", False, False),
        ("off 1000", True, True),
        ("off 1000", None, False),
        ("off 941", None, False),
        ("off 940", None, True),
        ("off 1059", None, False),
        ("off 1060", None, True),
        ("off", None, False),
        ("off fog", None, False),
    ],
)
def test_whether_a_worker_may_be_started(choice, changed, starts):
    assert hook.may_start(choice, 1_000.0, changed) is starts


def test_when_the_user_was_last_notified():
    assert hook.last_notified("5.5", 100_000.0) == 5.5
    for unknown in (None, "", "fog"):
        assert hook.last_notified(unknown, 100_000.0) == 13_600.0


def test_a_request_for_a_worker_holds_the_connection_alone():
    assert json.loads(hook.worker_request({"Port": 9})) == {"server_connection": {"Port": 9}}


# -- what a save costs --------------------------------------------------------------------


@pytest.fixture
def database(tmp_path):
    connection = connect(str(tmp_path / "stash2plex.db"))
    yield connection
    connection.close()


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows the age")


class Age:
    """How old this process is, by the system's clock; our code begins when `began` says."""

    def __init__(self, monkeypatch):
        with open("/proc/self/stat", "rb") as file:
            ticks = int(file.read().rpartition(b")")[2].split()[19])
        self.start = ticks / os.sysconf("SC_CLK_TCK")
        self.seconds = 0.0
        self.monotonic = 50.0
        monkeypatch.setattr(time, "clock_gettime", lambda _: self.start + self.seconds)
        monkeypatch.setattr(time, "monotonic", lambda: self.monotonic)


@pytest.fixture
def age(monkeypatch):
    return Age(monkeypatch)


@on_linux
def test_five_samples_are_kept_and_then_one_a_minute_is_taken(database, age):
    assert hookcost.read_cost(database) is None
    dues = []
    for age.seconds in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6):
        # Our code began 0.06 s ago.
        hookcost.note_cost(database, age.monotonic - 0.06, 1_000.9)
        dues.append(str(get_meta(database, HOOK_COST)).partition(" ")[0])
    assert dues == ["0", "0", "0", "0", "1060", "1060"]
    assert hookcost.read_cost(database) == {
        "python": hookcost.interpreter(),
        "ms": [200, 300, 400, 500, 600],
        "start_ms": [140, 240, 340, 440, 540],
    }
    hookcost.forget_cost(database)
    assert hookcost.read_cost(database) is None


@on_linux
@pytest.mark.parametrize(("seconds", "kept"), [(-0.5, 0), (0.0, 1), (59.5, 1), (60.5, 0)])
def test_an_age_that_cannot_be_is_not_kept(database, age, seconds, kept):
    age.seconds = seconds
    hookcost.note_cost(database, age.monotonic, 2.0)
    known = hookcost.read_cost(database)
    assert len(known["ms"] if known else ()) == kept


@on_linux
def test_a_start_is_never_before_the_process(database, age):
    age.seconds = 0.01
    hookcost.note_cost(database, age.monotonic - 1.0, 1_000.0)
    known = hookcost.read_cost(database)
    assert known is not None
    assert (known["ms"], known["start_ms"]) == ([10], [0])


@pytest.mark.parametrize(
    "kept",
    [
        "0 {",
        "0",
        "0 []",
        '0 {"ms": [1], "start_ms": [1]}',
        '0 {"ms": [], "start_ms": [], "python": "p"}',
        '0 {"ms": ["1"], "start_ms": [1], "python": "p"}',
        '0 {"ms": [1], "start_ms": ["1"], "python": "p"}',
        '0 {"ms": [1], "start_ms": [1], "python": 7}',
        '0 {"ms": 1, "start_ms": [1], "python": "p"}',
    ],
)
def test_samples_that_cannot_be_read_count_as_none(database, kept):
    set_meta(database, HOOK_COST, kept)
    assert hookcost.read_cost(database) is None


def test_where_a_system_does_not_tell_how_old_a_process_is_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.delattr(time, "CLOCK_BOOTTIME")
    assert hookcost.process_age() is None
    with closing(connect(str(tmp_path / "a.db"))) as database:
        hookcost.note_cost(database, 0.0, 1_000.0)
        assert hookcost.read_cost(database) is None


def test_where_a_system_does_not_tell_which_file_a_process_runs_python_does(monkeypatch):
    def none(path):
        raise FileNotFoundError(path)

    monkeypatch.setattr(os, "readlink", none)
    assert hookcost.interpreter() == sys.executable


def test_the_last_costs_of_saves_are_kept(tmp_path, monkeypatch):
    # A process of tests is soon older than any save.
    ages = iter(range(1, 100))
    monkeypatch.setattr(hookcost, "process_age", lambda: next(ages) / 100)
    with closing(connect(str(tmp_path / "a.db"))) as database:
        for number in range(1, hookcost.SAMPLES_LIMIT + 3):
            hookcost.note_cost(database, time.monotonic(), 1_000.0 + number)
            known = present(hookcost.read_cost(database))
            expected = min(number, hookcost.SAMPLES_LIMIT)
            assert (len(known["ms"]), len(known["start_ms"])) == (expected, expected)
        # Of a growing process the last are the largest.
        assert known["ms"] == sorted(known["ms"])
        hookcost.forget_cost(database)
        assert hookcost.read_cost(database) is None


# -- why no worker starts -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (OSError(11, "Resource temporarily unavailable"), "Resource temporarily unavailable"),
        (OSError("no process is left"), "no process is left"),
    ],
)
def test_a_limit_of_the_machine_is_shown_as_the_system_words_it(tmp_path, error, why):
    assert start_trouble.start_trouble(str(tmp_path), error) == start_trouble.Trouble(
        f"The background worker cannot be started: {why}.",
        "Check what limits processes on this machine; “Process Queue” sends what waits.",
    )


def test_a_worker_that_ended_because_of_a_fault():
    assert start_trouble.fault_trouble(KeyError("x")) == start_trouble.Trouble(
        "The background worker has ended because of a fault in Stash2Plex (KeyError).",
        "“worker.log” has the details; an update may fix it.",
    )


# -- a plugin that cannot be imported -----------------------------------------------------

GONE = ModuleNotFoundError("No module named 'stash2plex.lantern'", name="stash2plex.lantern")
NO_ZLIB = ModuleNotFoundError("No module named 'zlib'", name="zlib")
WHAT = "Stash2Plex cannot be started: No module named 'stash2plex.lantern'."
FIX = "If it is being updated, try again in a moment; if not, install it again."


def answers(folder, error=GONE, *, for_script=False, for_page=False, **arguments):
    """Return the exit code and what is answered."""
    given: list[dict[str, object]] = []
    request = {"server_connection": {"Dir": str(folder)}, "args": arguments}
    code = answer_without(
        error, request, str(folder), given.append, for_script=for_script, for_page=for_page
    )
    return code, *given


def test_a_hook_reports_a_missing_module_once(tmp_path):
    save = {"hookContext": {"type": "Scene.Update.Post", "id": 1}}
    code = Stash2PlexError("x").exit_code
    assert answers(tmp_path, **save) == (code, {"error": f"{WHAT} {FIX}"})
    assert answers(tmp_path, **save) == (code, {"output": f"Not recorded: {WHAT}"})
    folder = tmp_path / "stash2plex"
    assert os.stat(folder).st_mode & 0o777 == 0o700
    # A folder that cannot be made: it is reported each time.
    file = tmp_path / "file"
    file.write_text("")
    for _ in range(2):
        assert answers(file, **save) == (code, {"error": f"{WHAT} {FIX}"})


def test_the_script_and_the_page_get_a_missing_module_as_an_output(tmp_path):
    told = {"recorded": 0, "error": f"{WHAT} {FIX}"}
    assert answers(tmp_path, for_script=True) == (0, {"output": told})
    assert answers(tmp_path, for_script=True) == (0, {"output": {**told, "error": None}})
    problem = {"what": WHAT, "do": FIX}
    assert answers(tmp_path, for_page=True) == (0, {"output": {"problem": problem}})


def test_health_check_begins_with_the_missing_module(tmp_path, capfd):
    check = {"name": "python", "ok": False, "state": "failed", "detail": WHAT, "fix": FIX}
    assert answers(tmp_path, mode="health") == (0, {"output": {"checks": [check]}})
    assert capfd.readouterr().err == ""
    assert answers(tmp_path, mode="health_check") == (0, {"output": {"checks": [check]}})
    assert capfd.readouterr().err == f"\x01w\x02Health Check: python: {WHAT} {FIX}\n"


def test_another_task_gets_an_error_and_the_log_where_it_comes_from(tmp_path, capfd):
    code = Stash2PlexError("x").exit_code
    assert answers(tmp_path, mode="all") == (
        code,
        {"error": "Stash2Plex has a fault (ModuleNotFoundError); the log has the details."},
    )
    assert "No module named 'stash2plex.lantern'" in capfd.readouterr().err
    _, answer = answers(tmp_path, NO_ZLIB, mode="all")
    assert "zlib" in str(answer["error"])
    assert capfd.readouterr().err == ""
