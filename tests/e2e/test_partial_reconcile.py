"""A Reconcile that does not reach its end."""

from __future__ import annotations

from stash2plex.errors import Interrupted, Unavailable
from stash2plex.rules.drift import Kind
from stash2plex.store.reports import ReportBook
from stash2plex.sync.report import report_lines
from stash2plex_testing.synced import make_synced
from tests.harness.reconciles import found, rows, run


def test_a_server_that_fails_half_way_leaves_a_partial_run(open_world):
    with open_world(1_100) as (world, app):
        make_synced(world, app)
        world.plex.add_item(world.section, file="/media/library/nobody.mp4")
        for item in world.plex.all_items()[:3]:
            item.title = "Another"
        world.stash.faults.add("status", operation="ScenePage", after=1, times=None, status=503)
        partial = run(app)
        assert isinstance(partial.error, Unavailable)
        assert (partial.scenes, partial.queued) == (1_000, 3)
        assert partial.counts[Kind.DRIFTED] == 3
        assert partial.counts[Kind.ORPHAN] is None
        assert partial.as_dict()["complete"] is False
        assert "503" in report_lines(partial.as_dict())[-1]
        assert app.store.queue.counts().pending == 3
        assert rows(app, "SELECT count(*) FROM plex_comparison") == [(0,)]
        assert ReportBook(app.store.connection).last() == partial.as_dict()

        world.stash.faults.clear()
        whole = run(app)
        assert (whole.problem, whole.queued) == (None, 0)
        assert found(whole) == {"drifted": 3, "orphan_in_plex": 1}


def test_a_person_who_stops_it_gets_a_partial_run(open_world):
    with open_world(30) as (world, app):
        make_synced(world, app)
        scenes = [scene for scene in world.read_scenes() if scene["title"]]
        path = scenes[0]["files"][0]["path"].replace("/data", "/media/library", 1)
        (gone,) = (item for item in world.plex.all_items() if item.parts[0].path == path)
        world.plex.remove_item(gone)
        stopped = run(app, stopped=lambda: True)
        assert isinstance(stopped.error, Interrupted)
        assert (stopped.problem, stopped.queued) == ("It was stopped.", 1)
        assert found(stopped) == {"missing_in_plex": 1}
        assert stopped.counts[Kind.ORPHAN] is None
        assert rows(app, "SELECT count(*) FROM plex_comparison") == [(0,)]


def test_a_plex_that_is_down_is_a_partial_run_of_nothing(open_world):
    with open_world(3) as (world, app):
        world.plex.down()
        report = run(app)
        assert isinstance(report.error, Unavailable)
        assert (report.scenes, found(report)) == (0, {})
