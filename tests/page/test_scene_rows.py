"""The rows of the page's lists, whole, with Stash there and away; what is stopped and held."""

from __future__ import annotations

import os
from contextlib import closing

import pytest

from stash2plex.db import connect, get_meta
from stash2plex.operations.holds import Stopped, begin_set_up, go_on, stop_runs
from stash2plex.store.holds import PAUSE, SET_UP, hold, read_hold
from stash2plex.store.meta import SET_UP_STEP
from stash2plex.store.runs import Runs
from stash2plex.store.scene_lists import awaited_file
from stash2plex.text import utc
from tests.harness.in_process import listen
from tests.page.conftest import Page


def row(scene_id, title, state, **values):
    return {
        "scene_id": scene_id, "title": title, "path": f"/data/{title}.mp4", "state": state,
        "reason": None, "words": None, "since": None, "until": None, "rating_key": None, **values,
    }  # fmt: skip


def fail(desk, scene, deed, **values):
    """Work on a key that is due, without success."""
    queue = desk.app.store.queue
    queue.add("scene", scene.id)
    claim = next(one for one in queue.claim(50, 60.0) if one.id == scene.id)
    given = {"reason": "transient", "error": "Half a page.", "title": scene.title, **values}
    getattr(queue, deed)(claim, **given)


@pytest.fixture
def desk(make_desk):
    desk = make_desk(only_organized=True, max_retries=3)
    for title in ("Lantern", "Quay", "Ferry", "Fog", "Buoy", "Pier", "Cove"):
        desk.scene(f"{title}.mp4", title=title, organized=title != "Fog", size=len(title))
    for name in ("Lantern", "Quay", "Ferry", "Buoy", "Pier", "Cove"):
        desk.item(f"{name}.mp4", size=len(name))
    return desk


def scene(desk, number):
    return desk.stash.library.scenes[number]


def items(desk, state, **more):
    return Page(desk.app).call("scenes", state=state, **more)["items"]


def test_a_whole_row_of_each_state(desk):
    at = desk.clock()
    desk.drain(scene(desk, 1), scene(desk, 4))
    desk.clock.step(10)
    fail(desk, scene(desk, 2), "nack", delay=90.0)
    fail(desk, scene(desk, 3), "bury", path="/old/Ferry.mp4")
    fail(desk, scene(desk, 6), "bury", error="")
    desk.app.store.queue.add("scene", 7, delay=30.0)
    desk.clock.step(5)
    desk.add(scene(desk, 5))
    assert items(desk, "in_sync") == [row(1, "Lantern", "in_sync", since=utc(at), rating_key="1")]
    assert items(desk, "left_out") == [
        row(4, "Fog", "left_out", reason="not_organized", words="not organized")
    ]
    assert items(desk, "waiting") == [
        row(
            2, "Quay", "waiting", reason="transient", words="Half a page.", since=utc(at + 10),
            until=utc(at + 100),
        ),
        row(7, "Cove", "waiting", words="waiting for a moment", since=utc(at + 10),
            until=utc(at + 40)),
    ]  # fmt: skip
    ferry = row(
        3, "Ferry", "given_up", reason="transient", words="Half a page.", since=utc(at + 10)
    )
    pier = row(
        6, "Pier", "given_up", reason="transient", since=utc(at + 10),
        words="a server sent answers that make no sense",
    )  # fmt: skip
    assert items(desk, "given_up") == [ferry, pier]
    assert items(desk, "to_send") == [row(5, "Buoy", "to_send", since=utc(at + 15))]
    desk.stash.down()
    # The paths are Stash's; where one was kept, it is shown.
    assert items(desk, "given_up") == [
        {**ferry, "path": "/old/Ferry.mp4"}, {**pier, "path": None},
    ]  # fmt: skip
    assert items(desk, "in_sync") == [
        {**row(1, "Lantern", "in_sync", since=utc(at), rating_key="1"), "path": None}
    ]
    assert items(desk, "to_send") == [
        {**row(5, "scene 5", "to_send", since=utc(at + 15)), "path": None}
    ]


def test_what_plex_lacks_and_whether_it_was_asked_to_scan(make_desk):
    desk = make_desk(path_map="/data=>/media")
    at = desk.clock()
    for title in ("Quay", "Buoy", "Pier"):
        desk.scene(f"b/{title}.mp4", title=title)
    desk.item("a/other.mp4")
    desk.drain(*desk.stash.library.scenes.values())
    common = {"since": utc(at), "looks": 1, "folder": None, "scan": None}
    page = Page(desk.app)
    first, *_ = rows = page.call("not_in_plex")["items"]
    assert rows == [
        {
            "scene_id": number, "title": title, "path": f"/data/b/{title}.mp4", **common,
            "next_look_at": first["next_look_at"],
        }
        for number, title in ((1, "Quay"), (2, "Buoy"), (3, "Pier"))
    ]  # fmt: skip
    db = desk.app.store.connection
    for scene_id, folder, asked_at in ((1, "/media/b", None), (2, "/media/c", 5.0)):
        db.execute(
            "UPDATE missed_file SET section_id = '1', folder = ? WHERE scene_id = ?",
            (folder, scene_id),
        )
        db.execute(
            "INSERT OR REPLACE INTO plex_scan VALUES ('1', ?, 1, 1.0, ?)", (folder, asked_at)
        )
    desk.stash.down()
    shown = page.call("not_in_plex")["items"]
    assert [(one["folder"], one["scan"]) for one in shown] == [
        ("/media/b", "due"), ("/media/c", "asked"), (None, None),
    ]  # fmt: skip
    assert [one["path"] for one in shown] == [
        f"/data/b/{one}.mp4" for one in ("Quay", "Buoy", "Pier")
    ]
    db.execute("DELETE FROM missed_file")
    assert [one["path"] for one in page.call("not_in_plex")["items"]] == [None] * 3


def test_a_file_that_is_not_awaited_is_none(make_desk):
    assert awaited_file(make_desk().app.store.connection, 1) is None


def test_the_scenes_of_an_entity_that_are_left_out_are_settled(make_desk):
    desk = make_desk(only_organized=True)
    tag = desk.stash.add_tag("Dusk")
    for number in range(1, 6):
        desk.scene(f"{number}.mp4", size=number, tags=[tag], organized=True)
        desk.item(f"{number}.mp4", size=number)
    desk.drain(*desk.stash.library.scenes.values())
    for number in (2, 3):
        scene(desk, number).organized = False
        desk.drain(scene(desk, number))
    desk.add(scene(desk, 4))
    assert Page(desk.app).call("entity", tag_id=tag.id) == {
        "kind": "tag", "id": tag.id, "scenes": 5, "not_in_sync": 1,
        "states": {"in_sync": 2, "left_out": 2, "to_send": 1},
    }  # fmt: skip


# -- stops and holds ----------------------------------------------------------------------


def test_a_run_that_ends_while_others_are_stopped_is_not_named(make_desk, monkeypatch):
    desk = make_desk()
    runs, queue = desk.app.store.runs, desk.app.store.queue
    job = desk.stash.jobs.add("Another task", lambda one: one.cancelled.wait(30) and None)
    (known,) = desk.app.stash.job_queue()
    begun = [
        runs.begin(name, of, 20.0)
        for name, of in (("First", None), ("Second", None), ("Third", known))
    ]
    for number, one in enumerate(begun):
        keys = [("scene", 10 * number + extra) for extra in range(1, number + 2)]
        queue.enqueue(keys, run_id=one.id)
    path, stop = os.path.join(desk.app.folder, "stash2plex.db"), desk.stash.jobs.stop

    def stop_and_end(id_):
        with closing(connect(path)) as database:
            Runs(database, desk.clock).end(begun[1].id)
        stop(id_)

    monkeypatch.setattr(desk.stash.jobs, "stop", stop_and_end)
    assert stop_runs(desk.app) == [Stopped("Third", 3), Stopped("First", 1)]
    assert job.cancelled.is_set()
    assert desk.rows("SELECT name, state FROM run WHERE id > 0 ORDER BY id") == [
        ("First", "stopped"), ("Second", "ended"), ("Third", "stopped"),
    ]  # fmt: skip


def test_a_stash_that_is_away_does_not_keep_the_other_tasks_from_being_stopped(make_desk):
    desk = make_desk()
    for name in ("First", "Second", "Third"):
        desk.app.store.runs.begin(name, None, 20.0)
    desk.app.store.connection.execute("UPDATE run SET job_id = 7, job_description = 'x'")
    desk.stash.down()
    lines = listen(desk)
    answer = Page(desk.app).call("stop")
    assert (answer["stopped"], answer["scenes"]) == (["Third", "Second", "First"], 0)
    assert len([line for line in lines if "refuses the connection" in line]) == 3


def test_the_first_run_begins_only_where_no_plex_is_set_up(make_desk):
    desk = make_desk()
    db = desk.app.store.connection
    begin_set_up(desk.app, "library")
    assert read_hold(db) is None
    desk.restart(plex_url="")
    db = desk.app.store.connection
    begin_set_up(desk.app, "library")
    known = read_hold(db)
    assert known is not None
    assert (known.by, known.since) == (SET_UP, desk.clock())
    assert get_meta(db, SET_UP_STEP) == "library"
    desk.restart(plex_url=desk.plex.url)
    desk.clock.step(60)
    begin_set_up(desk.app, "files")
    assert read_hold(desk.app.store.connection) == known
    assert get_meta(desk.app.store.connection, SET_UP_STEP) == "files"


def test_a_pause_has_no_step(make_desk):
    desk = make_desk(plex_url="")
    hold(desk.app.store.connection, PAUSE, desk.clock())
    begin_set_up(desk.app, "library")
    known = read_hold(desk.app.store.connection)
    assert known is not None
    assert known.by == PAUSE
    assert get_meta(desk.app.store.connection, SET_UP_STEP) is None


def test_going_on_releases_the_pause_and_the_scenes_of_stopped_tasks(make_desk):
    desk = make_desk()
    begun = desk.app.store.runs.begin("Sync All Scenes", None, 20.0)
    desk.app.store.queue.enqueue([("scene", 1), ("scene", 2)], run_id=begun.id)
    stop_runs(desk.app)
    hold(desk.app.store.connection, PAUSE, desk.clock())
    assert go_on(desk.app) == 2
    assert read_hold(desk.app.store.connection) is None
    assert go_on(desk.app) == 0
