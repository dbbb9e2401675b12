"""One bad scene costs itself and nobody else, and never turns into a busy loop."""

from __future__ import annotations

from stash2plex_testing.plex import Fault

MANY = 60


def test_a_cover_that_cannot_be_had_is_no_busy_loop_and_holds_up_no_text(bench, make_run):
    scene, item = bench.add()
    bench.stash.faults.add("status", path="^/scene/", status=500, times=None)
    run = make_run()
    run.queue.add("scene", scene.id)
    run.drain(patience=300.0, horizon=30.0, stopped=lambda: bench.requests() > 4 * MANY)
    assert bench.requests() < MANY
    assert item.title == scene.title
    assert run.rows("SELECT attempts FROM queue UNION SELECT attempts FROM dead_letter") != [(0,)]
    assert run.rows("SELECT * FROM outage") == []


def test_a_cover_that_is_a_page_costs_the_picture_only(bench, make_run):
    scene, item = bench.add()
    bench.stash.faults.add("html", path="^/scene/", times=None)
    run = make_run()
    run.queue.add("scene", scene.id)
    assert run.drain().progress.done == 1
    assert item.title == scene.title
    assert any("not a picture that Plex takes" in line for line in run.heard.lines)


def test_a_server_that_names_a_time_is_left_alone_for_as_long(bench, make_run):
    scene, item = bench.add()
    bench.plex.faults.add(
        Fault("status", method="PUT", status=429, headers={"Retry-After": "200"}, times=None)
    )
    run = make_run()
    run.queue.add("scene", scene.id)
    start = run.clock.now
    run.drain(patience=190.0)
    assert 190 <= run.clock.now - start < 200
    assert bench.plex.count("PUT") == 1
    bench.plex.faults.clear()
    run.drain(patience=60.0)
    assert item.title == scene.title


def test_no_server_may_ask_for_more_than_five_minutes(bench, make_run):
    scene, _ = bench.add()
    bench.plex.faults.add(
        Fault("status", method="PUT", status=503, headers={"Retry-After": "86400"}, times=None)
    )
    run = make_run()
    run.queue.add("scene", scene.id)
    run.drain(patience=1000.0)
    assert bench.plex.count("PUT") == 4


def test_a_page_in_place_of_plex_costs_no_scene_an_attempt(bench, make_run):
    for stage in (r"^/library/metadata/[\d,]+$", "/all$"):
        scene, item = bench.add()
        bench.plex.faults.add(Fault("html", path=stage, times=None))
        run = make_run()
        run.queue.add("scene", scene.id)
        assert "Is http://127.0.0.1" in str(run.drain().error)
        assert run.rows("SELECT attempts FROM queue") == [(0,)]
        bench.plex.faults.clear()
        run.drain(patience=60.0)
        assert (item.title, len(item.images)) == (scene.title, 2)


def test_an_edit_of_many_that_plex_refuses_is_sent_to_each_alone(bench, make_run):
    studio = bench.stash.add_studio("Quay")
    pairs = [bench.add(title="", details="", performers=[], studio=studio) for _ in range(5)]
    bench.plex.faults.add(Fault("status", method="PUT", status=400))
    run = make_run()
    run.queue.add_many([("scene", scene.id) for scene, _ in pairs])
    assert run.drain().progress.done == 5
    assert {item.texts["studio"] for _, item in pairs} == {"Quay"}
    assert run.rows("SELECT count(*) FROM dead_letter") == [(0,)]
