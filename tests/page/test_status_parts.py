"""Parts of the status, and small operations beside it."""

from __future__ import annotations

import json

from stash2plex.config import parse_settings
from stash2plex.model import TaskJob
from stash2plex.operations.enqueue import CHUNK, add_scenes, enqueue_scenes
from stash2plex.operations.report import changed_settings, log_tail, read_report, report_of_health
from stash2plex.operations.status import last_report, look_at_status, read_status
from stash2plex.store.undo_marks import Asked
from tests.harness.in_process import fill


def test_the_numbers_of_what_was_done(make_desk):
    desk = make_desk(max_retries=1)
    desk.drain(*fill(desk, 3))
    desk.drain(desk.scene("lost.mp4", size=99))
    assert read_status(desk.app)["metrics"] == {
        "scenes": {"written": 3}, "fields": {"summary": 3, "title": 3}, "dead": {}, "retried": {},
        "put_off": {"not_in_plex": 1},
        "edit_seconds": {"count": 0, "mean": None, "p50_below": None, "p95_below": None},
    }  # fmt: skip


def test_the_status_settles_what_a_task_left_and_a_mere_reading_does_not(make_desk):
    desk = make_desk()
    job = TaskJob(77, "RUNNING", "Running plugin task: Sync All Scenes", "2026-01-01T00:00:00Z")
    begun = desk.app.store.runs.begin("Sync All Scenes", job, 20.0)
    state = "SELECT state FROM run WHERE id = ?"
    read_status(desk.app)
    assert desk.rows(state, begun.id) == [("open",)]
    look_at_status(desk.app)
    assert desk.rows(state, begun.id) == [("lost",)]


def test_plex_as_the_status_sees_it(make_desk):
    desk = make_desk()
    desk.plex.add_section("Quay", locations=["/quay"])
    desk.drain(*fill(desk, 2))
    plex = read_status(desk.app)["plex"]
    assert plex == {
        "reachable": True, "version": desk.plex.version, "library": "Harbour Films, Quay",
        "items": 2, "problem": None, "traits": [],
    }  # fmt: skip
    desk.plex.down()
    down = read_status(desk.app)["plex"]
    assert "refuses the connection" in down.pop("problem")
    assert down == {
        "reachable": False, "version": None, "library": "Harbour Films, Quay", "items": 2,
        "traits": [],
    }  # fmt: skip
    desk.restart(plex_url="")
    bare = read_status(desk.app)["plex"]
    assert bare.pop("problem")
    assert bare == {
        "reachable": False, "version": None, "library": None, "items": 0, "traits": [],
    }  # fmt: skip


def test_the_library_of_the_setting_stands_until_one_was_listed(make_desk):
    desk = make_desk(plex_library="Harbour Films")
    assert read_status(desk.app)["plex"]["library"] == "Harbour Films"
    desk.restart(plex_library="")
    assert read_status(desk.app)["plex"]["library"] is None
    assert last_report(desk.app) is None
    assert read_status(desk.app)["reconcile"] == {"last": None}


def test_who_sends_what_waits_where_no_worker_is_wanted(make_desk):
    desk = make_desk(background_worker="off")
    desk.app.settings_reader.take_up()
    assert read_status(desk.app)["held"] is None
    desk.add(desk.scene("a.mp4"), desk.scene("b.mp4"))
    status = read_status(desk.app)
    assert (status["background_worker"], status["held"]["by"]) == ("off", "off")
    desk.restart(background_worker="auto")
    status = read_status(desk.app)
    # The present setting counts, whatever a worker has read before.
    assert (status["background_worker"], status["held"]) == ("auto", None)
    desk.stash.down()
    status = read_status(desk.app)
    assert status["background_worker"] == "off"


def test_what_a_save_asks_for_goes_first_and_is_taken_in_again(make_desk):
    desk = make_desk()
    marks = desk.app.store.undo_marks
    marks.ask([1, 2, 7], Asked())
    assert add_scenes(desk.app, [("scene", 1), ("performer", 7)]) == 2
    assert desk.rows("SELECT kind, id, priority FROM queue ORDER BY kind") == [
        ("performer", 7, 0), ("scene", 1, 0),
    ]  # fmt: skip
    assert set(marks.asked_of([1, 2, 7])) == {2, 7}


def test_chosen_scenes_are_queued_in_parts_and_counted(make_desk):
    desk = make_desk()
    begun = desk.app.store.runs.begin("A task", None, 20.0)
    desk.app.sweeper.run_id = begun.id
    desk.app.store.queue.add("scene", 5)
    desk.app.store.undo_marks.ask([2, CHUNK + 1], Asked())
    found = enqueue_scenes(desk.app, range(1, CHUNK + 2))
    assert (found.queued, found.due) == (CHUNK, 1)
    assert desk.rows("SELECT count(*), max(id) FROM queue") == [(CHUNK + 1, CHUNK + 1)]
    assert desk.app.store.undo_marks.asked_of([2, CHUNK + 1]) == {}
    run = desk.app.store.runs.read(begun.id)
    assert run is not None
    assert run.queued == CHUNK


# -- the report ---------------------------------------------------------------------------


def test_sixty_lines_of_a_log_are_reported_however_long_they_are(tmp_path):
    lines = [f"{number:>4} " + "x" * 995 for number in range(100)]
    (tmp_path / "worker.log").write_text("\n".join(lines) + "\n")
    assert log_tail(str(tmp_path)) == lines[-60:]
    # No more than 64 KiB is read.
    long = [f"{number:>4} " + "x" * 1_995 for number in range(100)]
    (tmp_path / "worker.log").write_text("\n".join(long) + "\n")
    found = log_tail(str(tmp_path))
    assert found[1:] == long[-32:]
    assert sum(len(line) + 1 for line in found) == 65_536
    (tmp_path / "worker.log").write_bytes(b"one \xff\ntwo\n")
    assert log_tail(str(tmp_path)) == ["one \ufffd", "two"]


def test_a_report_without_settings_says_why_and_has_no_secret(make_desk):
    desk = make_desk()
    report = read_report(desk.app)
    assert report.secrets == (desk.plex.token,)
    assert "skip_fields = background poster" in report.settings
    desk.restart(plex_token="")
    assert read_report(desk.app).secrets == ()
    desk.stash.down()
    report = read_report(desk.app)
    assert report.secrets == ()
    (said,) = report.settings
    assert said.startswith("They could not be read: Stash at ")
    bare = report_of_health(report.health)
    assert (bare.settings, bare.status, bare.log, bare.key, bare.secrets) == ((), None, (), b"", ())


def test_each_kind_of_setting_is_shown_as_little_as_needed():
    settings, _ = parse_settings(
        {"path_map": "/a=>/b", "background_worker": "off", "tls_insecure": True,
         "skip_fields": "tags date", "connect_timeout": 7, "plex_library": "Quay"}
    )  # fmt: skip
    assert sorted(changed_settings(settings)) == [
        "background_worker = off", "connect_timeout = 7.0", "path_map is set",
        "plex_library is set", "skip_fields = date tags", "tls_insecure = True",
    ]  # fmt: skip
    assert json.dumps(changed_settings(parse_settings({})[0])) == "[]"
