"""What callers may pass, at both ends of each range, and the sentences about what they may not."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Callable
from typing import Any, cast

import pytest

from stash2plex.app import App
from stash2plex.db import MAX_INTEGER, SETTINGS_FILE, set_meta
from stash2plex.errors import UsageError
from stash2plex.operations.enqueue import enqueue_all
from stash2plex.store.holds import PAUSE, hold, release
from stash2plex.store.meta import SETTINGS_SEEN
from stash2plex.store.notices import note_trouble
from stash2plex.tasks import lists, scenes, worker
from stash2plex.tasks.dead_letters import dead_letters
from stash2plex.tasks.holds import hold as hold_task
from stash2plex.tasks.registry import find_task
from stash2plex.tasks.run import run_task
from stash2plex.tasks.surveys import compare
from stash2plex.tasks.task import Call, problem_json
from tests.page.conftest import Page

LONG = "x" * 50
SHORT = f"'{'x' * 40}'"
LETTERS = (
    "not_in_plex, ambiguous, rejected, unavailable, transient, not_found, too_large, interrupted, "
    "fault"
)
STATES = "in_sync, to_send, sending, waiting, not_in_plex, given_up, left_out"


def make_call(**arguments):
    """Make a call that uses no application."""
    return Call(cast("App", None), arguments, {}, "", logging.getLogger("x"), io.StringIO())


def refused(deed, *given):
    with pytest.raises(UsageError) as caught:
        deed(*given)
    return caught.value.what


@pytest.mark.parametrize(
    ("value", "number"),
    [(3, 3), (9, 9), ("3", 3), (" 9 ", 9), (None, 7), ("", 7)],
)
def test_a_whole_number_within_its_range(value, number):
    assert make_call(n=value).whole("n", 7, 3, 9) == number


@pytest.mark.parametrize("value", [2, 10, "2", "many", True, False, 4.0, [4], {}, LONG])
def test_what_is_no_whole_number_within_its_range(value):
    shown = repr(str(value)[:40])
    assert refused(make_call(n=value).whole, "n", 7, 3, 9) == f"“n” is {shown}; allowed: 3 to 9."


def test_a_text_of_a_thousand_characters():
    assert make_call(t="x" * 1_000).text("t") == "x" * 1_000
    said = "“t” must be a text of at most 1,000 characters."
    assert refused(make_call(t="x" * 1_001).text, "t") == said
    assert refused(make_call(t=7).text, "t") == said
    assert make_call(t=" fog ").text("t", 5) == "fog"
    assert make_call().text("t") == ""


def test_a_flag_is_true_or_the_word():
    flags = [make_call(f=value).flag("f") for value in (True, "true", False, "false", "", 1, None)]
    assert flags == [True, True, False, False, False, True, False]
    assert make_call().flag("f") is False


def test_ids_of_scenes():
    assert make_call(scene_id="7").scene_id() == 7
    for value in (None, 0, "0", -1, "fog", 7.0):
        said = "“scene_id” is missing; pass the id of a scene in Stash."
        assert refused(make_call(scene_id=value).scene_id) == said
    assert make_call(scene_ids=["7", 8]).scene_keys() == [("scene", 7), ("scene", 8)]
    assert len(make_call(scene_ids=[1] * 10_000).scene_keys()) == 10_000
    many = "“scene_ids” must be a list of at most 10,000 scene ids."
    for ids in (None, "7", [1] * 10_001):
        assert refused(make_call(scene_ids=ids).scene_keys) == many
    assert refused(make_call(scene_ids=[7, LONG, 8]).scene_keys) == (
        f"“scene_ids” has {SHORT}, which is no scene id."
    )


def test_words_that_are_not_known_are_shown_in_part():
    reasons = "excluded, not_organized, no_metadata, undone, library, other_scene"
    cases: list[tuple[Callable[[Call], Any], dict[str, Any], str]] = [
        (lists.scenes, {"state": LONG}, f"“state” is {SHORT}; allowed: {STATES}."),
        (lists.scenes, {}, f"“state” is 'None'; allowed: {STATES}."),
        (
            lists.scenes, {"state": "left_out", "reason": LONG},
            f"“reason” is {SHORT}; allowed: {reasons}.",
        ),
        (lists.entity, {}, "Pass “performer_id”, “studio_id” or “tag_id”."),
        (hold_task, {"step": LONG}, f"“step” is {SHORT}; allowed: plex, library, files, start."),
        (compare, {"field": LONG}, f"“field” is {SHORT}, which is no field."),
        (
            dead_letters, {"reason": LONG},
            f"“reason” is {SHORT}; allowed: {LETTERS}.",
        ),
        (scenes.scene, {"scene_id": 0},
         "“scene_id” is missing; pass the id of a scene in Stash."),
        (scenes.scene, {"scene_id": -1}, f"“scene_id” is '-1'; allowed: 0 to {MAX_INTEGER}."),
        (scenes.preview, {"scene_id": -1}, f"“scene_id” is '-1'; allowed: 0 to {MAX_INTEGER}."),
    ]  # fmt: skip
    for deed, arguments, what in cases:
        assert refused(deed, make_call(**arguments)) == what


def test_a_preview_of_no_scene_in_particular_is_one_of_all(make_desk):
    desk = make_desk()
    desk.scene("a.mp4")
    desk.scene("b.mp4")
    page = Page(desk.app)
    cases: list[tuple[dict[str, Any], int]] = [
        ({}, 2), ({"scene_id": 0}, 2), ({"scene_id": "0"}, 2), ({"scene_id": ""}, 2),
        ({"scene_id": "2"}, 1),
    ]  # fmt: skip
    for arguments, seen in cases:
        assert find_task("preview").run(page.make_call(arguments))["seen"] == seen


def test_a_problem_has_a_cure_and_a_field_where_there_are_any():
    assert problem_json("It failed.", None) == {"problem": {"what": "It failed.", "do": ""}}
    assert problem_json("It failed.", "Try.", "url") == {
        "problem": {"what": "It failed.", "do": "Try.", "field": "url"}
    }


def test_the_first_run_begins_with_the_server(make_desk):
    desk = make_desk(plex_url="")
    Page(desk.app).call("hold")
    assert desk.rows("SELECT value FROM meta WHERE name = 'set_up_step'") == [("plex",)]


# -- waking the worker --------------------------------------------------------------------


@pytest.fixture
def woken(make_desk, monkeypatch):
    """Wake the worker of a desk, and return the answer with how many were started."""
    desk = make_desk()
    started: list[object] = []

    def start(*given):
        started.append(given)
        return True

    monkeypatch.setattr(worker, "start_worker", start)

    def wake():
        started.clear()
        own = {"Port": desk.stash.port, "Host": "127.0.0.1"}
        call = Call(desk.app, {}, own, "", desk.app.logs.logger, io.StringIO())
        return find_task("wake").run(call), len(started)

    return desk, wake


def answer(started, due):
    return {"started": bool(started), "due": due}, int(started)


def test_a_worker_is_woken_for_what_is_due_and_for_an_old_look(woken):
    desk, wake = woken
    assert wake() == answer(started=True, due=0)
    enqueue_all(desk.app)
    looked = desk.clock()
    assert wake() == answer(started=False, due=0)
    desk.app.store.queue.add("scene", 1, delay=0.5)
    assert wake() == answer(started=False, due=0)
    desk.clock.step(1.0)
    assert wake() == answer(started=True, due=1)
    hold(desk.app.store.connection, PAUSE, desk.clock())
    assert wake() == answer(started=False, due=1)
    release(desk.app.store.connection)
    desk.app.store.queue.clear_waiting()
    desk.clock.step(looked + 599.0 - desk.clock.now)
    assert wake() == answer(started=False, due=0)
    desk.clock.step(1.0)
    assert wake() == answer(started=True, due=0)
    hold(desk.app.store.connection, PAUSE, desk.clock())
    assert wake() == answer(started=False, due=0)


@pytest.mark.parametrize("settings", [{"background_worker": "off"}, {"plex_url": ""}])
def test_no_worker_is_woken_for_a_look_where_none_is_wanted(woken, settings):
    desk, wake = woken
    desk.restart(**settings)
    assert wake() == answer(started=False, due=0)


# -- through Stash's door -----------------------------------------------------------------


def press(mode, folder, port=9, **more):
    """Call as Stash does; returns the exit code and the answer."""
    answers: list[dict[str, Any]] = []
    connection = {"Dir": str(folder), "Scheme": "http", "Host": "127.0.0.1", "Port": port}
    request = {"args": {"mode": mode, **more}, "server_connection": connection}
    mask = os.umask(0o077)
    try:
        code = run_task(request, str(folder), answers.append)
    finally:
        os.umask(mask)
    (found,) = answers
    return code, found


@pytest.mark.parametrize("mode", ["report", "health", "health_check"])
def test_a_database_that_cannot_be_opened_is_what_is_reported(tmp_path, mode):
    (tmp_path / "stash2plex").write_text("a file in the folder's place")
    code, found = press(mode, tmp_path)
    assert code == 0
    if mode == "report":
        lines = found["output"]["report"]
        assert "== Health Check ==" in lines
        assert [line for line in lines if line.startswith("FAIL database")]
    else:
        checks = {check["name"]: check["state"] for check in found["output"]["checks"]}
        assert checks["database"] == "failed"


@pytest.mark.parametrize("stamp", ["1-1", None])
def test_trouble_that_a_changed_setting_cured_is_not_reported(make_desk, capsys, stamp):
    desk = make_desk()
    config = os.path.join(desk.folder, "config.yml")
    with open(config, "w", encoding="utf-8") as file:
        file.write("plugins: {}\n")
    status = os.stat(config)
    current = f"{status.st_mtime_ns}-{status.st_size}"
    desk.stash.configure_plugin(
        "Stash2Plex", {"plex_url": desk.plex.url, "plex_token": desk.plex.token}
    )
    db = desk.app.store.connection
    set_meta(db, SETTINGS_FILE, f"{stamp or current} {config}")
    set_meta(db, SETTINGS_SEEN, "those of before")
    note_trouble(db, "Max tags is 0.")
    os.rename(desk.app.folder, os.path.join(desk.folder, "stash2plex"))
    press("clear_dlq", desk.folder, desk.stash.port)
    said = capsys.readouterr().err
    assert ("Max tags is 0." in said) is (stamp is None)
    os.rename(os.path.join(desk.folder, "stash2plex"), desk.app.folder)


def test_an_operation_of_the_page_that_fails_answers_with_its_problem(make_desk):
    desk = make_desk()
    os.rename(desk.app.folder, os.path.join(desk.folder, "stash2plex"))
    code, found = press("candidates", desk.folder, desk.stash.port, scene_id=99)
    assert (code, found) == (0, {"output": problem_json("Stash has no scene 99.", None)})
    os.rename(os.path.join(desk.folder, "stash2plex"), desk.app.folder)


ROWS: list[tuple[str, dict[str, Any], int]] = [
    ("dead_letters", {}, 1_000), ("history", {}, 1_000), ("history", {"runs": True}, 1_000),
    ("unknown_files", {}, 1_000), ("compare", {}, 1_000), ("scenes", {"state": "in_sync"}, 100),
    ("not_in_plex", {}, 100),
]  # fmt: skip


@pytest.mark.parametrize(("mode", "arguments", "most"), ROWS)
def test_how_many_rows_one_answer_has_and_where_it_begins(mode, arguments, most):
    run = find_task(mode).run
    for value in (0, most + 1):
        said = f"“limit” is '{value}'; allowed: 1 to {most}."
        assert refused(run, make_call(**arguments, limit=value)) == said
    for value in (-1, 2**53 + 1):
        said = f"“offset” is '{value}'; allowed: 0 to 9007199254740992."
        assert refused(run, make_call(**arguments, offset=value)) == said


def test_the_ranges_of_other_numbers():
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("tags", {"limit": 101}, "“limit” is '101'; allowed: 1 to 100."),
        ("preview_some", {"limit": 51}, "“limit” is '51'; allowed: 1 to 50."),
        ("purge_dlq", {"days": 36_501}, "“days” is '36501'; allowed: 0 to 36500."),
        ("sign_in_poll", {"id": 0}, "“id” is '0'; allowed: 1 to 9007199254740992."),
        ("choose_server", {"id": 0}, "“id” is '0'; allowed: 1 to 9007199254740992."),
        ("history", {"scene_id": 0}, f"“scene_id” is '0'; allowed: 1 to {MAX_INTEGER}."),
        ("history", {"run_id": 0}, f"“run_id” is '0'; allowed: 1 to {MAX_INTEGER}."),
        ("undo", {"run_id": 0}, f"“run_id” is '0'; allowed: 1 to {MAX_INTEGER}."),
        ("entity", {"tag_id": -1}, f"“tag_id” is '-1'; allowed: 0 to {MAX_INTEGER}."),
    ]
    for mode, arguments, said in cases:
        assert refused(find_task(mode).run, make_call(**arguments)) == said


def test_lists_of_words():
    run = find_task("undo").run
    many = "“rating_keys” must be a list of at most 10,000 words."
    odd = "“rating_keys” has something that is not one of its words."
    cases: list[tuple[object, str]] = [
        ("1", many), (["1"] * 10_001, many), (["1", "a b", "2"], odd),
    ]  # fmt: skip
    for value, said in cases:
        assert refused(run, make_call(rating_keys=value)) == said
    assert refused(run, make_call(scene_ids=["1"], fields=["title", "fog", "x"])) == (
        "There is no field 'fog'. Known fields: title, summary, studio, tagline, date, rating, "
        "performers, tags, director, collection, poster, background."
    )


def test_fifty_rows_are_a_page_unless_more_are_asked_for(make_desk):
    desk = make_desk()
    for _ in range(52):
        desk.app.store.runs.end(desk.app.store.runs.begin("A task", None, 20.0).id)
    queue = desk.app.store.queue
    queue.add_many([("scene", number) for number in range(1, 53)])
    for claim in queue.claim(52, 60.0):
        queue.bury(claim, title="Pier", reason="rejected", error="No.")
    desk.stash.down()
    page = Page(desk.app)
    cases: list[tuple[str, dict[str, Any]]] = [
        ("dead_letters", {}), ("scenes", {"state": "given_up"}), ("runs", {}),
    ]  # fmt: skip
    for mode, arguments in cases:
        found = page.call(mode, **arguments)
        assert len(found["items"]) == 50 < found["total"]
        assert len(page.call(mode, **arguments, limit=60)["items"]) == found["total"]
