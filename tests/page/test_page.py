"""What the page polls, and what holds all sending back."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest

from stash2plex.errors import UsageError
from stash2plex.operations.health.local_checks import check_local
from stash2plex.operations.status import look_at_status
from stash2plex.plugin import PAGE_MODES
from stash2plex.store.stored_page import read_page
from stash2plex.tasks.holds import hold
from stash2plex.tasks.registry import TASKS
from stash2plex.tasks.task import Call
from stash2plex.ui.lines.status import status_lines
from tests.budget.test_hook import ALLOWED
from tests.budget.test_stored_status import MORE
from tests.harness.hooks import plugin as plugin  # noqa: PLC0414 - the same fixture
from tests.harness.hooks import run
from tests.page.conftest import Page, read_schema


def test_every_operation_of_the_page_has_a_schema_and_answers_with_its_failures():
    defs = read_schema()["$defs"]
    of_page = {task.mode for task in TASKS if task.for_page}
    assert set(PAGE_MODES) == of_page
    assert of_page <= {
        name for name, schema in defs.items() if "output" in schema.get("properties", {})
    }


def ask(folder, mode="page", **arguments):
    # Nobody listens there: a request would be an error.
    connection = {"Scheme": "http", "Port": 9, "Dir": str(folder.parent / "config")}
    return json.dumps(
        {"server_connection": connection, "args": {"mode": mode, **arguments}}
    ).encode()


def test_the_page_imports_what_the_stored_status_imports_and_asks_nobody(plugin):
    bare = subprocess.run(
        [sys.executable, "-ISX", "importtime", "-c", "pass"],
        capture_output=True, check=True, env={},
    )  # fmt: skip
    done = run(plugin, ask(plugin), "-X", "importtime")

    def modules(text):
        return {
            line.rsplit(b"|", 1)[1].strip().decode() for line in text.splitlines() if b"|" in line
        }

    extra = modules(done.stderr) - modules(bare.stderr) - {"imported package"}
    assert extra <= ALLOWED | MORE | {"stash2plex.store.stored_page", "binascii"}
    page = json.loads(done.stdout)["output"]
    assert page["set_up"] == {"done": False, "step": "plex", "held": False}
    assert page["changes"] == []


def test_a_failure_is_an_output(plugin):
    database = plugin.parent / "config" / "stash2plex" / "stash2plex.db"
    database.with_name("stash2plex.db-wal").unlink(missing_ok=True)
    database.unlink()
    database.mkdir()
    # The package's libraries are not there either.
    for mode, what in (("page", "cannot be used"), ("pause", "cannot be started")):
        done = run(plugin, ask(plugin, mode))
        answer = json.loads(done.stdout)
        assert set(answer) == {"output"}
        assert what in answer["output"]["problem"]["what"]
        assert done.returncode == 0


def test_the_page_shows_what_was_sent_what_waits_and_what_was_given_up(make_desk):
    desk = make_desk(max_retries=1)
    page = Page(desk.app)
    first = page.call("page")
    assert first == {**page.call("page"), "now": first["now"]}
    sent, missing = desk.scene("a/1.mp4", title="Lantern"), desk.scene("a/2.mp4", title="Quay")
    broken = desk.scene("a/3.mp4", title="Ferry")
    desk.item("a/1.mp4")
    for name in ("c/3.mp4", "d/3.mp4"):
        desk.item(name)
    desk.drain(sent, missing, broken)
    shown = page.call("page")
    assert shown["version"] != first["version"]
    states = {change["title"]: change["state"] for change in shown["changes"]}
    assert states == {"Lantern": "sent", "Quay": "waits", "Ferry": "given_up"}
    (lantern,) = (change for change in shown["changes"] if change["title"] == "Lantern")
    assert {"title", "summary"} <= set(lantern["fields"])
    assert shown["troubles"] == 1
    assert shown["plex"]["version"]
    # On a clock that stands, Plex answers at once; before the first answer nothing is known.
    assert (first["plex"]["ms"], shown["plex"]["ms"]) == (None, 0.0)
    assert shown["stash"]["version"]
    assert shown["set_up"] == {"done": True, "step": None, "held": False}
    assert shown["run"] is None
    total = shown["scenes"].pop("total")
    assert total == sum(number for number in shown["scenes"].values() if isinstance(number, int))


def test_a_scene_that_failed_twice_is_one_change(make_desk):
    desk = make_desk()
    queue = desk.app.store.queue
    queue.add("scene", 7)
    for error in ("It failed.", "It failed again."):
        (claim,) = queue.claim(1, 60.0)
        queue.nack(claim, delay=0.0, reason="transient", error=error, title="Pier")
    (change,) = read_page(desk.app.store.connection, desk.app.folder, desk.clock())["changes"]
    assert (change["scene_id"], change["words"]) == (7, "It failed again.")


def test_the_page_names_parts_that_misbehave(make_desk):
    desk = make_desk()
    db = desk.app.store.connection
    trouble = {"section_id": "7", "title": "Old Harbour", "error": "It answers 500.",
               "since": 1.8e9, "failures": 2, "retry_at": 1.8e9 + 60, "locations": []}  # fmt: skip
    db.execute("INSERT INTO meta VALUES ('library_trouble 7', ?)", (json.dumps(trouble),))
    db.execute("INSERT INTO meta VALUES ('library_trouble 8', '{')")
    db.execute("INSERT INTO meta VALUES ('plex_machine_id', 'm')")
    db.execute("INSERT INTO endpoint VALUES ('posters', 3, 1.8e9, 1, 1.8e9, 'Plex answers 500.')")
    db.execute("INSERT INTO server_trait VALUES ('m', 'loses', 'tagline', '1', 1.8e9)")
    shown = Page(desk.app).call("page")
    assert [one["name"] for one in shown["sick"]] == ["Old Harbour", "posters", "tagline"]
    assert shown["troubles"] == 3
    assert "/server/m/details" in shown["plex"]["web"]


def test_a_task_that_runs_is_what_drains(make_desk):
    desk = make_desk()
    desk.add(desk.scene("a/1.mp4"), desk.scene("a/2.mp4"))
    begun = desk.app.store.runs.begin("Sync All Scenes", None, 20.0)
    shown = Page(desk.app).call("page")["run"]
    assert (shown["id"], shown["name"], shown["left"], shown["total"]) == (
        begun.id, "Sync All Scenes", 2, 2,
    )  # fmt: skip


def test_a_pause_holds_everything_but_saves(make_desk):
    desk = make_desk()
    page = Page(desk.app)
    scene = desk.scene("a/1.mp4")
    desk.item("a/1.mp4")
    held = page.call("pause")["held"]
    assert held["by"] == "pause"
    assert page.call("pause")["held"] == held
    summary = desk.drain(scene)
    assert "Paused by you since" in str(summary.error)
    assert "Go on" in summary.sentence()
    assert desk.titles() != ["About a/1.mp4"]
    assert page.call("page")["held"]["scenes"] == 1
    # A worker ends there; it is started again when the pause ends.
    assert "Paused by you" in desk.work(30).gave_up
    desk.restart()
    page = Page(desk.app)
    assert page.call("page")["held"]["by"] == "pause"
    assert page.call("resume") == {"held": None, "started": False, "released": 0}
    assert desk.drain().progress.done == 1


def test_a_stopped_task_is_on_hold_until_resume(make_desk):
    desk = make_desk()
    page = Page(desk.app)
    desk.app.store.runs.begin("Sync All Scenes", None, 20.0)
    desk.app.store.queue.add_many([("scene", desk.scene("a/1.mp4").id)], priority=1)
    desk.app.store.connection.execute("UPDATE queue SET run_id = 1")
    stopped = page.call("stop")
    assert (stopped["stopped"], stopped["scenes"]) == (["Sync All Scenes"], 1)
    assert stopped["held"]["by"] == "stop"
    assert page.call("stop") == {**stopped, "stopped": [], "scenes": 0}
    assert page.call("resume")["released"] == 1


def test_the_first_run_holds_back_until_its_start(make_desk):
    desk = make_desk(plex_url="", plex_token="")
    page = Page(desk.app)
    assert page.call("hold")["held"]["by"] == "set_up"
    desk.restart(plex_url=desk.plex.url, plex_token=desk.plex.token)
    page = Page(desk.app)
    desk.app.settings_reader.take_up()
    assert page.call("page")["set_up"] == {"done": False, "step": "library", "held": True}
    page.call("hold", step="files")
    assert page.call("page")["set_up"]["step"] == "files"
    scene = desk.scene("a/1.mp4")
    desk.item("a/1.mp4")
    assert "set-up has not been finished" in str(desk.drain(scene).error)
    # A pause does not end it.
    assert page.call("pause")["held"]["by"] == "set_up"
    answer = page.call("start")
    # This stand-in has no plugin that could run the task.
    assert "problem" in answer or answer["held"] is None
    assert page.call("page")["set_up"]["done"]
    assert desk.drain().progress.done == 1


def test_the_first_run_holds_nothing_back_where_plex_is_set_up(make_desk):
    desk = make_desk()
    assert Page(desk.app).call("hold") == {"held": None}


def test_an_unknown_step_is_a_problem(make_desk):
    app = make_desk().app
    call = Call(app, {"step": "harbour"}, {}, "", app.logs.logger, io.StringIO())
    with pytest.raises(UsageError, match="allowed: plex, library, files, start"):
        hold(call)


def test_status_and_health_check_report_what_holds_everything_back(make_desk):
    desk = make_desk()
    Page(desk.app).call("pause")
    desk.add(desk.scene("a/1.mp4"))
    status = look_at_status(desk.app)
    assert status["held"]["by"] == "pause"
    assert "Paused by you since" in "\n".join(status_lines(status))
    checks = check_local(desk.app, lambda _: 10**12, worker_off=False)
    (queue,) = (check for check in checks if check.name == "queue")
    assert (queue.ok, queue.fix) == (False, "Press “Go on” on the page of Stash2Plex.")
