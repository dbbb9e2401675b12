"""A library that vanishes or is renamed, and ids that point elsewhere after a rebuild."""

from __future__ import annotations

from stash2plex.errors import ConfigError
from stash2plex_testing.plex import Fault


def test_a_library_renamed_in_mid_drain_costs_no_attempt(bench, make_run):
    name = bench.section.title
    bench.configure_plainly(plex_library=name)
    scene, item = bench.add()
    lost = bench.stash.add_scene(title="Lost at sea", files=["/data/lost.mp4"])
    run = make_run()
    run.queue.add("scene", scene.id)
    run.queue.add("scene", lost.id, delay=5.0)

    def rename():
        bench.section.title = "Harbour Pictures"

    run.clock.at[run.clock.now + 2] = rename
    try:
        summary = run.drain(horizon=30.0)
    finally:
        bench.section.title = name
    assert item.title == scene.title
    assert isinstance(summary.error, ConfigError)
    assert "It has: “Harbour Pictures”" in str(summary.error)
    assert run.rows("SELECT attempts, snoozes FROM queue") == [(0, 0)]
    asked = bench.requests()
    run.drain(horizon=30.0)
    assert bench.requests() - asked < 10


def test_an_item_that_was_missed_once_is_found_again_within_ten_minutes(bench, make_run):
    scene, item = bench.add()
    bench.plex.faults.add(Fault("status", path="^/library/metadata/", status=404))
    run = make_run()
    run.queue.add("scene", scene.id)
    start = run.clock.now
    run.drain(foreground=False, patience=120.0, stopped=lambda: item.title == scene.title)
    assert run.clock.now - start < 15 * 60


def test_ids_that_point_to_other_items_after_a_rebuild_write_nothing_there(bench, make_run):
    scenes = [bench.add() for _ in range(3)]
    run = make_run()
    run.queue.add_many([("scene", scene.id) for scene, _ in scenes])
    run.drain()
    # The same files, each under the number that another one had.
    items = [item for _, item in scenes]
    paths = [item.parts[0].path for item in items]
    for item, path in zip(items, paths[1:] + paths[:1], strict=True):
        item.title, item.texts, item.images = "", {}, {}
        bench.plex.move_file(item, path)
    for scene, _ in scenes:
        scene.title += ", again"
    run.clock.now += 700
    run.queue.add_many([("scene", scene.id) for scene, _ in scenes])
    run.drain(foreground=False, patience=120.0, idle=60.0)
    held = {item.parts[0].path.rsplit("/", 1)[1]: item.title for item in items}
    assert held == {scene.files[0].basename: scene.title for scene, _ in scenes}
    assert run.rows("SELECT count(*) FROM queue") == [(0,)]
