"""A comparison and a rebuilt index that the user waits for: what is shown, kept and changed."""

from __future__ import annotations

import pytest

from stash2plex.errors import ConfigError, Interrupted, Unavailable
from stash2plex.operations.rebuild_index import Rebuilt, rebuild_index
from stash2plex.operations.reconcile import reconcile_library
from stash2plex.rules.drift import Kind
from stash2plex.servers import stash as stash_client
from stash2plex.store.plex_comparisons import ComparisonMark
from stash2plex.sync.reconcile import Scope
from tests.harness.in_process import fill


class Shown:
    """An observer that keeps what it is shown."""

    def __init__(self):
        self.done = []

    def progress(self, progress):
        self.done.append(progress.done)


@pytest.fixture
def drifted(make_desk, monkeypatch):
    """Return a desk with three scenes, two of which were edited in Plex, and pages of one."""
    monkeypatch.setattr(stash_client, "PAGE", 1)
    desk = make_desk()
    desk.drain(*fill(desk, 3))
    for item in desk.plex.all_items()[:2]:
        item.title = "Somebody's words"
    desk.app.store.reports.keep(1.0, {"old": True})
    return desk


def compare(desk, **options):
    shown = Shown()
    given = {"observer": shown, "stopped": lambda: False, **options}
    return reconcile_library(desk.app, Scope.ALL, **given), shown.done


def keys(desk):
    return [tuple(row) for row in desk.rows("SELECT id, run_id FROM queue ORDER BY id")]


def test_a_comparison_shows_each_page_keeps_its_report_and_queues_for_its_run(drifted):
    report, done = compare(drifted, run_id=6)
    assert done[-1] == 3
    assert len(done) >= 4
    assert (report.scope, report.dry_run, report.problem) == ("all", False, None)
    assert (report.in_sync, report.counts[Kind.DRIFTED], report.queued) == (1, 2, 2)
    assert drifted.app.store.reports.last() == report.as_dict()
    assert [run for _, run in keys(drifted)] == [6, 6]


def test_a_dry_run_finds_the_same_and_changes_nothing(drifted):
    report, done = compare(drifted, dry_run=True)
    assert (report.dry_run, report.counts[Kind.DRIFTED], report.queued) == (True, 2, 2)
    assert done[-1] == 3
    assert (keys(drifted), drifted.app.store.reports.last()) == ([], {"old": True})


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_comparison_stops_after_the_page_at_which_the_user_wants_that(drifted, dry_run):
    asked = []

    def stopped():
        asked.append(1)
        return len(asked) == 2

    report, done = compare(drifted, stopped=stopped, dry_run=dry_run)
    assert (len(done), len(asked)) == (2, 2)
    assert (report.problem, type(report.error)) == ("It was stopped.", Interrupted)
    kept = drifted.app.store.reports.last()
    assert kept == ({"old": True} if dry_run else report.as_dict())


def test_a_plugin_without_a_plex_compares_nothing(make_desk):
    desk = make_desk(plex_token="")
    with pytest.raises(ConfigError):
        compare(desk)


def test_a_rebuilt_index_has_every_scene_compared_again(make_desk):
    desk = make_desk()
    desk.drain(*fill(desk, 3))
    store = desk.app.store
    store.plex_comparisons.put({"1": ComparisonMark(5, 6.0, preserve=False)})
    server = store.plex_files.server()
    store.connection.execute("INSERT INTO plex_file VALUES ('9', '/x', '1', 'x', '', 1, 1)")
    assert rebuild_index(desk.app) == Rebuilt(3, ())
    assert (store.plex_files.size(), store.plex_files.server()) == (3, server)
    assert store.plex_comparisons.get("1") is None
    assert desk.rows("SELECT count(*) FROM scene_record WHERE fingerprint <> ''") == [(0,)]


def test_an_index_is_gone_where_plex_does_not_answer(make_desk):
    desk = make_desk()
    desk.drain(*fill(desk, 2))
    desk.plex.down()
    with pytest.raises(Unavailable):
        rebuild_index(desk.app)
    assert (desk.app.store.plex_files.size(), desk.app.store.plex_files.server()) == (0, None)
