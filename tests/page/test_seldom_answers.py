"""What the page's operations answer when a part is away, damaged, refused or stopped."""

from __future__ import annotations

import os
import sys

import pytest

from stash2plex import start_trouble
from stash2plex.errors import ConfigError, Refused, ServerError, Unavailable, UsageError
from stash2plex.operations.explain import explain_scene
from stash2plex.operations.health import local_checks
from stash2plex.operations.health.kept_checks import check_kept
from stash2plex.operations.history import list_writes
from stash2plex.operations.holds import start_all, stop_runs
from stash2plex.operations.libraries import libraries_json
from stash2plex.operations.preview import preview_scenes
from stash2plex.operations.surveys import carry_out, changes_json
from stash2plex.store.identity import make_identity
from stash2plex.store.notices import note_trouble
from stash2plex.store.scene_lists import awaited_file
from stash2plex.store.stored_page import read_page
from stash2plex.store.surveys import SurveyKind, Surveys
from stash2plex.sync.observer import Silent
from stash2plex.tasks.registry import find_task
from stash2plex_testing.plex import Fault, scopes
from tests.page.conftest import Page
from tests.support import present


def cards(desk):
    return {(card["kind"], card["name"]): card for card in Page(desk.app).call("trouble")["cards"]}


def test_a_server_that_is_away_and_one_that_refuses_are_cards_with_a_cure(make_desk):
    desk = make_desk()
    desk.add(desk.scene("a.mp4"))
    for _ in range(3):
        desk.app.store.breakers["plex"].failed(Unavailable("Plex", "Plex rests."), 1)
    card = cards(desk)["server", "plex"]
    assert (card["what"], card["do"], card["action"], card["number"]) == (
        "Plex rests.", "What waits is sent once it works again.", "try_now", 1,
    )  # fmt: skip
    desk.app.store.breakers["plex"].failed(Refused("Plex", "The token is wrong."), 1)
    desk.app.store.breakers["stash"].failed(Refused("Stash", "Stash wants a log-in."), 1)
    found = cards(desk)
    plex, stash = found["server", "plex"], found["server", "stash"]
    assert (plex["do"], plex["action"]) == ("Sign in again.", "sign_in")
    assert (stash["do"], stash["action"]) == (
        "Press any button of Stash2Plex in Stash.", "health",
    )  # fmt: skip


def test_what_stopped_the_worker_and_a_setting_are_cards(make_desk):
    desk = make_desk()
    start_trouble.record_trouble(
        desk.app.folder, start_trouble.Trouble("It cannot start.", "Install Python.")
    )
    note_trouble(desk.app.store.connection, "The Plex URL is none.")
    found = cards(desk)
    worker, setting = found["worker", ""], found["setting", ""]
    assert (worker["what"], worker["do"], worker["action"]) == (
        "It cannot start.", "Install Python.", "health",
    )  # fmt: skip
    assert (setting["what"], setting["do"], setting["action"]) == (
        "The Plex URL is none.", "Correct it.", "settings",
    )  # fmt: skip


def test_tasks_are_stopped_even_where_stash_does_not_answer(make_desk):
    desk = make_desk()
    runs = desk.app.store.runs
    begun = runs.begin("Sync All Scenes", None, 20.0)
    desk.app.store.connection.execute(
        "UPDATE run SET job_id = 7, job_description = 'x' WHERE id = ?", (begun.id,)
    )
    desk.stash.down()
    (stopped,) = stop_runs(desk.app)
    assert (stopped.name, stopped.number) == ("Sync All Scenes", 0)
    assert desk.rows("SELECT state FROM run WHERE id = ?", begun.id) == [("stopped",)]


def test_the_first_run_does_not_end_without_a_plex(make_desk):
    desk = make_desk(plex_url="")
    with pytest.raises(ConfigError):
        start_all(desk.app)


def test_the_first_run_ends_with_the_task_of_that_button(make_desk):
    desk = make_desk()
    job = present(desk.stash.jobs.find(int(start_all(desk.app))))
    assert job.description == "Running plugin task: Sync All Scenes"


def test_a_survey_that_fails_is_stored_with_the_cause(make_desk):
    desk = make_desk()
    surveys = Surveys(desk.app.store.connection)
    surveys.begin(SurveyKind.CHANGES, "a word", desk.clock())
    desk.stash.down()
    assert carry_out(desk.app, SurveyKind.CHANGES, "a word", Silent())
    ended = surveys.read(SurveyKind.CHANGES)
    assert ended is not None
    assert ended.ended_at is not None
    assert "refuses the connection" in str(ended.problem)
    # It is done once.
    assert not carry_out(desk.app, SurveyKind.CHANGES, "a word", Silent())


def test_a_survey_that_stash_does_not_start_is_a_failure_that_stays_known(make_desk):
    desk = make_desk()
    desk.stash.down()
    with pytest.raises(ServerError):
        changes_json(desk.app, start=True)
    stored = Surveys(desk.app.store.connection).read(SurveyKind.CHANGES)
    assert stored is not None
    assert stored.problem


def test_a_survey_ends_when_another_has_begun(make_desk):
    desk = make_desk()
    surveys = Surveys(desk.app.store.connection)
    first = surveys.begin(SurveyKind.CHANGES, "first", 1.0)
    surveys.begin(SurveyKind.CHANGES, "second", 2.0)
    assert not surveys.keep(SurveyKind.CHANGES, first)
    assert not carry_out(desk.app, SurveyKind.CHANGES, "first", Silent())


def test_libraries_that_do_not_answer_or_do_not_exist(make_desk):
    desk = make_desk(plex_library="Nowhere")
    answer = libraries_json(desk.app)
    (films,) = answer["libraries"]
    assert (films["title"], films["chosen"], films["items"]) == ("Harbour Films", False, 0)
    desk.plex.faults.add(Fault("status", path="/library/sections/1/all", times=None))
    (films,) = libraries_json(desk.app)["libraries"]
    assert films["items"] is None


def test_an_item_that_cannot_be_read_is_a_problem_of_the_preview(make_desk):
    desk = make_desk()
    scenes = [desk.scene("a.mp4", size=1), desk.scene("b.mp4", size=2)]
    items = [desk.item("a.mp4", size=1), desk.item("b.mp4", size=2)]
    desk.drain(*scenes)
    for scene in scenes:
        scene.title = f"Edited {scene.id}"
    desk.plex.faults.add(Fault("status", times=None, **scopes.item(items[0], "read")))
    known = preview_scenes(desk.app, [scene.id for scene in scenes])
    assert (known.seen, known.changing, known.not_matched) == (2, 1, 1)
    (problem,) = known.problems
    assert (problem.scene_id, problem.reason) == (1, "transient")


def test_the_check_of_what_plex_keeps_does_not_need_the_settings(make_desk):
    desk = make_desk()
    desk.drain(desk.scene("a.mp4"))
    desk.stash.down()
    assert check_kept(desk.app).state == "passed"


def test_writes_are_chosen_in_one_way(make_desk):
    desk = make_desk()
    with pytest.raises(UsageError, match="by a scene or by a run, not by both"):
        list_writes(desk.app, scene_id=1, run_id=1, limit=9)


def test_a_trouble_of_the_start_is_what_the_check_of_the_worker_shows(make_desk):
    desk = make_desk()
    start_trouble.record_trouble(
        desk.app.folder, start_trouble.Trouble("It cannot start.", "Install Python.")
    )
    check = local_checks.check_worker(desk.app, off=False)
    assert (check.state, check.detail, check.fix) == (
        "failed", "It cannot start.", "Install Python.",
    )  # fmt: skip


def test_a_file_that_is_not_awaited_is_none(make_desk):
    assert awaited_file(make_desk().app.store.connection, 1) is None


def test_an_identity_is_made_once(make_desk):
    connection = make_desk().app.store.connection
    sql = "SELECT name, value FROM meta WHERE name IN ('plex_client_id', 'alias_key') ORDER BY name"
    before = list(connection.execute(sql))
    assert len(before) == 2
    make_identity(connection)
    assert list(connection.execute(sql)) == before
    connection.execute("DELETE FROM meta WHERE name = 'alias_key'")
    make_identity(connection)
    (alias, _), (client, kept) = connection.execute(sql)
    assert (alias, client, kept) == ("alias_key", "plex_client_id", before[1][1])


def test_a_scene_that_failed_twice_is_one_change(make_desk):
    desk = make_desk()
    queue = desk.app.store.queue
    queue.add("scene", 7)
    for error in ("It failed.", "It failed again."):
        (claim,) = queue.claim(1, 60.0)
        queue.nack(claim, delay=0.0, reason="transient", error=error, title="Pier")
    (change,) = read_page(desk.app.store.connection, desk.app.folder, desk.clock())["changes"]
    assert (change["scene_id"], change["words"]) == (7, "It failed again.")


def test_a_scene_that_is_to_be_put_back_waits_for_that(make_desk):
    desk = make_desk()
    scene, _ = desk.scene("a.mp4"), desk.item("a.mp4")
    desk.drain(scene)
    call = Page(desk.app).make_call({"scene_ids": [scene.id]})
    assert find_task("undo").run(call)["queued"] == 1
    known = explain_scene(desk.app, scene.id)
    assert (known.state, known.why) == (
        "waiting", "It is to be put back. The worker does that next.",
    )  # fmt: skip
    desk.drain()
    known = explain_scene(desk.app, scene.id)
    assert (known.state, known.why) == (
        "left_out", f"It was put back. Sync scene {scene.id} to send it again.",
    )  # fmt: skip


class Access:
    """What the system says about the rights of this process."""

    def __init__(self, *closed):
        self.closed = closed

    def __call__(self, path, _):
        return str(path) not in self.closed


@pytest.mark.parametrize("kind", ["folder", "log", "data", "python"])
def test_each_reason_why_no_worker_starts(tmp_path, monkeypatch, kind):
    log, python = tmp_path / "worker.log", str(tmp_path / "python")
    if kind == "folder":
        log.mkdir()
    else:
        log.write_text("")
    monkeypatch.setattr(
        os, "access", Access(*{"log": [str(log)], "data": [str(tmp_path)]}.get(kind, ()))
    )
    if kind == "python":
        monkeypatch.setattr(sys, "executable", python)
    trouble = start_trouble.start_trouble(str(tmp_path), OSError(13, "Permission denied"))
    mine = start_trouble._this_user()
    begin = "The background worker cannot be started: "
    assert trouble == start_trouble.Trouble(
        *{
            "folder": (f"{begin}“{log}” is a folder, not a file.", f"Move “{log}” away."),
            "log": (
                f"{begin}“{log}” belongs to {mine}, and Stash runs as {mine}.",
                f"Delete “{log}”, or give it to the user that runs Stash.",
            ),
            "data": (
                f"{begin}“{tmp_path}” belongs to {mine}, and Stash runs as {mine}.",
                f"Give “{tmp_path}” and the files in it to the user that runs Stash.",
            ),
            "python": (
                f"{begin}Python reports its path as “{python}”, which is not a program.",
                "Enter Python's full path under Settings > System > Python executable path.",
            ),
        }[kind]
    )


def test_users_are_named_with_their_number():
    assert start_trouble._user(0) == "“root” (uid 0)"
    assert start_trouble._user(4_000_000_000) == "uid 4000000000"
    assert start_trouble._owner("/nowhere/at/all") == "another user"
