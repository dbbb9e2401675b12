"""Stash's buttons and the operations behind them in this process: what is done, said and left.

`tests/e2e` presses them as Stash does, in processes of the archive.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Any

import pytest

from stash2plex.errors import ServerError, UsageError
from stash2plex.lock import drain_lock, show_presence
from stash2plex.store.holds import PAUSE, hold
from stash2plex.store.marks import load_marks
from stash2plex.store.queue import Queue
from stash2plex.tasks import worker
from stash2plex.tasks.registry import find_task
from stash2plex.tasks.run import run_task
from stash2plex.tasks.task import Call
from tests.harness.in_process import fill, listen

DAY = 86_400.0


class Buttons:
    """Presses the tasks of a desk."""

    def __init__(self, desk, monkeypatch):
        self.desk = desk
        self.started: list[str] = []
        self.lines = listen(desk)
        self.stderr = io.StringIO()
        self.fails: OSError | None = None
        monkeypatch.setattr(worker, "start_worker", self.start)

    def start(self, folder, *_):
        if self.fails is not None:
            raise self.fails
        self.started.append(folder)
        return True

    def call(self, arguments, *, in_stash=True):
        connection = {"Port": self.desk.stash.port, "Host": "127.0.0.1"} if in_stash else {}
        return Call(
            self.desk.app, arguments, connection, "", self.desk.app.logs.logger, self.stderr
        )

    def press(self, mode, *, in_stash=True, **arguments) -> Any:
        self.lines.clear()
        self.started.clear()
        return find_task(mode).run(self.call(arguments, in_stash=in_stash))

    def bury(self, number, reason="ambiguous", age=0.0):
        """Give up on a scene, that long ago."""
        desk = self.desk
        queue = Queue(desk.app.store.connection, lambda: desk.clock() - age)
        queue.add("scene", number)
        (claim,) = [claim for claim in queue.claim(99, 60.0) if claim.id == number]
        queue.bury(claim, title=f"Pier {number}", reason=reason, error="It failed.", path="")

    def queued(self):
        return [id_ for (id_,) in self.desk.rows("SELECT id FROM queue ORDER BY id")]


@pytest.fixture
def buttons(make_desk, monkeypatch):
    return Buttons(make_desk(), monkeypatch)


def test_sync_all_and_process_queue(buttons):
    desk = buttons.desk
    fill(desk, 3)
    assert buttons.press("all") == "Sync All Scenes: 3 scenes in sync after 0 s."
    assert buttons.lines[0] == "Sync All Scenes: 3 scenes queued."
    assert [item.title for item in desk.plex.all_items()] == [f"About {n}.mp4" for n in range(3)]
    assert "\x01p\x021" in buttons.stderr.getvalue()
    assert buttons.started == []
    scene = desk.stash.scenes[0]
    scene.title = "Edited"
    desk.add(scene)
    assert buttons.press("process_queue") == "Process Queue: 1 scene in sync after 0 s."
    assert desk.rows("SELECT name, state, job_id FROM run WHERE name <> '' ORDER BY id") == [
        ("Sync All Scenes", "ended", None),
        ("Process Queue", "ended", None),
    ]


def test_sync_all_tries_again_what_was_given_up_and_fills_the_bar_twice(buttons):
    desk = buttons.desk
    fill(desk, 1)
    buttons.bury(1)
    buttons.press("all")
    assert (desk.dead(), desk.titles()) == ({}, ["About 0.mp4"])
    # Stash drops a value that comes while it handles another: the last one is sent again.
    assert buttons.stderr.getvalue().endswith("\x01p\x021.0000\n" * 2)


def test_sync_recent_leaves_out_what_is_older(buttons):
    desk = buttons.desk
    fill(desk, 1)
    desk.clock.step(2 * DAY)
    later = desk.scene("later.mp4", size=9)
    item = desk.item("later.mp4", size=9)
    assert buttons.press("recent") == "Sync Recent Scenes: 1 scene in sync after 0 s."
    assert item.title == later.title
    assert desk.titles() == ["0", later.title]


def test_what_waits_after_a_task_is_the_workers(buttons):
    desk = buttons.desk
    desk.scene("nowhere.mp4")
    buttons.press("all")
    assert buttons.started == [desk.app.folder]
    # On a command line, at a pause, and where the user wants none, there is no worker.
    buttons.press("process_queue", in_stash=False)
    assert buttons.started == []
    hold(desk.app.store.connection, PAUSE, desk.clock())
    buttons.press("sync", scene_ids=["1"])
    assert buttons.started == []
    buttons.press("resume")
    assert buttons.started == [desk.app.folder]
    desk.restart(background_worker="off")
    buttons.press("sync", scene_ids=["1"])
    assert buttons.started == []


def test_a_worker_that_cannot_be_started_is_a_warning_once(buttons):
    buttons.desk.scene("nowhere.mp4")
    buttons.fails = OSError(11, "Resource temporarily unavailable")
    assert buttons.press("sync", scene_ids=["1"]) == {"changed": 1}
    (line,) = buttons.lines
    assert line == (
        "The background worker cannot be started: Resource temporarily unavailable. Check what "
        "limits processes on this machine; “Process Queue” sends what waits."
    )
    assert os.path.exists(os.path.join(buttons.desk.app.folder, "worker-trouble-told.json"))


def test_wake_starts_a_worker_for_what_is_due_or_for_a_look(buttons):
    desk = buttons.desk
    assert buttons.press("wake") == {"started": True, "due": 0}
    desk.app.sweeper.step(desk.app.settings(), desk.app.stash, by_clock=True, seconds=9.0)
    while load_marks(desk.app.store.connection) is None:
        desk.app.sweeper.step(desk.app.settings(), desk.app.stash, by_clock=True, seconds=9.0)
    assert buttons.press("wake") == {"started": False, "due": 0}
    desk.add(desk.scene("a/pier.mp4"))
    assert buttons.press("wake") == {"started": True, "due": 1}
    hold(desk.app.store.connection, PAUSE, desk.clock())
    assert buttons.press("wake") == {"started": False, "due": 1}


def test_the_queue_is_cleared_except_for_what_is_in_progress(buttons):
    desk = buttons.desk
    assert buttons.press("clear_queue") == "Nothing was waiting."
    desk.app.store.queue.add_many([("scene", number) for number in (1, 2, 3)])
    desk.app.store.queue.claim(1, 60.0)
    other = drain_lock(desk.app.folder)
    assert other.acquire()
    assert buttons.press("clear_queue") == (
        "Removed 2 waiting scenes. 1 scene in progress will still be sent."
    )
    assert buttons.queued() == [1]
    other.release()
    assert buttons.started == [desk.app.folder]


def test_dead_letters_are_retried_purged_and_cleared(buttons):
    assert buttons.press("retry_dlq") == "There are no dead letters."
    assert buttons.press("retry_dlq", reason="fault") == (
        "There are no dead letters with the reason fault."
    )
    buttons.bury(1)
    buttons.bury(2, reason="rejected")
    buttons.bury(3, age=31 * DAY)
    buttons.bury(4, age=29 * DAY)
    assert buttons.press("purge_dlq") == ("Removed 1 dead letter older than 30 days. 3 newer stay.")
    assert buttons.press("purge_dlq", days="28") == (
        "Removed 1 dead letter older than 28 days. 2 newer stay."
    )
    said = buttons.press("retry_dlq", reason="rejected")
    assert said == "Put 1 dead letter back into the queue. The worker sends what is due."
    assert buttons.queued() == [2]
    said = buttons.press("retry_dlq", in_stash=False)
    assert said.endswith("queue. Run “Process Queue” to send what is due.")
    buttons.bury(5)
    assert buttons.press("clear_dlq") == "Removed 1 dead letter."
    assert buttons.desk.dead() == {}
    with pytest.raises(UsageError, match="“reason” is 'lantern'; allowed: "):
        buttons.press("retry_dlq", reason="lantern")
    with pytest.raises(UsageError, match="“days” is '-1'; allowed: 0 to 36500."):
        buttons.press("purge_dlq", days="-1")


def test_a_process_that_drains_already_sends_what_is_put_back(buttons):
    buttons.bury(1)
    other = show_presence(buttons.desk.app.folder, buttons.desk.clock.sleep)
    assert buttons.press("retry_dlq", in_stash=False).endswith("The worker sends what is due.")
    other.release()


def test_what_came_from_an_outage_is_recovered_and_the_rest_stays(buttons):
    buttons.bury(1, reason="unavailable")
    buttons.bury(2)
    said = buttons.press("recover_outage_jobs")
    assert said.startswith("Put 1 dead letter from outages back into the queue.")
    assert "The worker sends what is due." in said
    assert (buttons.queued(), buttons.desk.dead()) == ([1], {2: "ambiguous"})
    assert buttons.press("recover_outage_jobs").startswith("No dead letter comes from an outage.")


def test_operations_on_dead_letters(buttons):
    for number, reason in ((1, "ambiguous"), (2, "ambiguous"), (3, "rejected"), (4, "rejected")):
        buttons.bury(number, reason=reason, age=float(number))
    page = buttons.press("dead_letters", limit="1", offset=1, reason="ambiguous")
    assert [letter["scene_id"] for letter in page["items"]] == [2]
    assert page["total"] == 2
    assert buttons.press("dead_letters", search="Pier 3")["total"] == 1
    assert buttons.press("retry", scene_ids=["1"]) == {"changed": 1}
    assert buttons.started == [buttons.desk.app.folder]
    assert buttons.press("discard", scene_ids=["2"]) == {"changed": 1}
    assert buttons.press("retry_reason", reason="rejected") == {"changed": 2}
    assert buttons.started == [buttons.desk.app.folder]
    buttons.bury(5)
    assert buttons.press("discard_reason", reason="ambiguous") == {"changed": 1}
    assert (buttons.queued(), buttons.desk.dead()) == ([1, 3, 4], {})
    for mode in ("retry_reason", "discard_reason"):
        with pytest.raises(UsageError, match="“reason” is missing"):
            buttons.press(mode)


@pytest.mark.parametrize(
    ("mode", "name", "seen"),
    [
        ("reconcile_all", "Reconcile Library (All)", 3),
        ("reconcile_7days", "Reconcile Library (Last 7 Days)", 2),
        ("reconcile_recent", "Reconcile Library (Recent)", 1),
    ],
)
def test_a_comparison_sends_what_it_finds(buttons, mode, name, seen):
    desk = buttons.desk
    for days, path in ((0, "a.mp4"), (6, "b.mp4"), (2, "c.mp4")):
        desk.clock.step(days * DAY)
        desk.scene(path, size=days + 1)
        desk.item(path, size=days + 1)
    value = buttons.press(mode)
    assert (value["scenes"], value["queued"]) == (seen, seen)
    assert desk.titles()[3 - seen :] == ["About a.mp4", "About b.mp4", "About c.mp4"][3 - seen :]
    assert all(line.startswith(f"{name}: ") for line in buttons.lines if "Library" in line)
    assert any(line.startswith(f"{name}: {seen} scene") for line in buttons.lines)
    # Nothing is left to find: the bar is full all the same.
    buttons.stderr.truncate(0)
    assert buttons.press(mode)["queued"] == 0
    assert "\x01p\x021" in buttons.stderr.getvalue()


def test_a_comparison_of_empty_items_finds_those_that_show_nothing(buttons):
    desk = buttons.desk
    scenes = fill(desk, 2)
    desk.drain(*scenes)
    item = desk.plex.all_items()[0]
    item.title, item.texts = "0", {}
    desk.plex._library.touch(desk.films)
    desk.clock.step(60)
    value = buttons.press("reconcile_missing_metadata")
    assert value["queued"] == 1
    assert item.title == scenes[0].title


def test_a_comparison_that_fails_is_an_error_with_what_was_seen(buttons):
    desk = buttons.desk
    desk.add(*fill(desk, 1))
    desk.plex.down()
    with pytest.raises(ServerError) as failure:
        buttons.press("reconcile_all")
    assert str(failure.value).startswith("Reconcile Library (All): ")
    assert buttons.started == [desk.app.folder]


def test_health_check_is_a_task_and_an_operation(buttons):
    desk = buttons.desk
    fill(desk, 1)
    checks = buttons.press("health_check")["checks"]
    assert {check["state"] for check in checks} <= {"passed", "failed", "skipped"}
    failed = [check for check in checks if check["state"] == "failed"]
    assert buttons.lines[0].startswith("Health Check: ")
    assert len(buttons.lines) == 1 + len(failed)
    assert desk.rows("SELECT value <> '' FROM meta WHERE name = 'health_at'") == [(1,)]
    assert [check["name"] for check in buttons.press("health")["checks"]] == [
        check["name"] for check in checks
    ]
    assert buttons.lines == []


def test_a_preview_is_logged_and_writes_nothing(buttons):
    desk = buttons.desk
    fill(desk, 2)
    assert buttons.press("preview")["changing"] == 2
    assert any("About 1.mp4" in line for line in buttons.lines)
    one = buttons.press("preview", scene_id="2")
    assert one["seen"] == 1
    assert not any("About 0.mp4" in line for line in buttons.lines)
    assert (desk.titles(), buttons.queued()) == (["0", "1"], [])


def test_a_scene_is_explained_by_its_id(buttons):
    desk = buttons.desk
    desk.drain(*fill(desk, 1))
    known = buttons.press("scene", scene_id=1)
    assert (known["scene_id"], known["state"]) == (1, "in_sync")
    with pytest.raises(UsageError, match="“scene_id” is missing; pass the id"):
        buttons.press("scene")


def run(desk, mode, folder, monkeypatch, **arguments):
    """Run a task as the door does; returns the exit code and the answer."""
    for name in ("STASH2PLEX_DATA_DIR", "STASH_PLUGIN_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    request = {
        "args": {"mode": mode, **arguments},
        "server_connection": {
            "Dir": str(folder), "Scheme": "http", "Host": "127.0.0.1", "Port": desk.stash.port,
        },
    }  # fmt: skip
    answers: list[Any] = []
    code = run_task(request, str(folder / "plugin"), answers.append)
    return code, answers[0]


def test_a_task_that_the_door_runs_answers_with_an_output_or_an_error(
    buttons, tmp_path, monkeypatch
):
    desk = buttons.desk
    folder = tmp_path / "config"
    assert run(desk, "clear_queue", folder, monkeypatch) == (0, {"output": "Nothing was waiting."})
    assert os.path.exists(folder / "stash2plex" / "stash2plex.db")
    code, answer = run(desk, "scene", folder, monkeypatch)
    assert (code, answer) == (
        2,
        {"error": "“scene_id” is missing; pass the id of a scene in Stash."},
    )
    # A failure of the page's operation is an output, for Stash logs the arguments of an error.
    code, answer = run(desk, "retry_reason", folder, monkeypatch)
    assert (code, answer["output"]["problem"]["what"]) == (0, "“reason” is missing.")
    with pytest.raises(UsageError, match="There is no mode 'lantern'. Known modes: all, "):
        run(desk, "lantern", folder, monkeypatch)


def test_health_is_answered_without_a_database(buttons, tmp_path, monkeypatch):
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "stash2plex").write_text("a file in the folder's place")
    for mode in ("health", "health_check"):
        code, answer = run(buttons.desk, mode, folder, monkeypatch)
        states = {check["name"]: check["state"] for check in answer["output"]["checks"]}
        assert (code, states["database"]) == (0, "failed")


def test_a_fault_in_a_task_is_one_sentence(buttons, tmp_path, monkeypatch):
    def fail(_):
        raise RuntimeError("a secret")

    monkeypatch.setattr("stash2plex.tasks.task.Call.scene_keys", fail)
    sentence = "Stash2Plex has a fault (RuntimeError); the log has the details."
    code, answer = run(buttons.desk, "sync", tmp_path / "config", monkeypatch)
    assert (code, answer) == (1, {"error": sentence})
    code, answer = run(
        buttons.desk, "preview_some", tmp_path / "config", monkeypatch, scene_ids=["1"]
    )
    assert (code, answer["output"]["problem"]) == (0, {"what": sentence, "do": ""})


def test_a_mode_that_there_is_none_of_is_named_with_those_that_there_are():
    with pytest.raises(UsageError, match="no mode 'lantern'. Known modes: .*queue_status"):
        find_task("lantern")
    assert find_task("queue_status").mode == "queue_status"
