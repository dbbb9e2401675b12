"""A comparison with Plex: what it reads, counts and tries again, and when it begins again."""

from __future__ import annotations

import pytest
from attrs import evolve

from stash2plex.model import Change, Field
from stash2plex.operations.reconcile import reconcile_library
from stash2plex.rules.drift import Kind
from stash2plex.servers import stash as stash_client
from stash2plex.sync import reconcile
from stash2plex.sync.observer import Silent
from stash2plex.sync.reconcile import Scope
from stash2plex.sync.scheduled_reconcile import RETRY_SECONDS, ScheduledReconcile
from tests.harness.in_process import fill
from tests.support import present


def test_no_file_of_a_scene_is_an_orphan(make_desk):
    desk = make_desk()
    paths = [f"/data/a/{number}.mp4" for number in range(3)]
    desk.stash.add_scene(title="Three parts", files=paths, sizes=[1, 2, 3])
    for number in range(3):
        desk.item(f"a/{number}.mp4", size=number + 1)
    desk.item("a/stranger.mp4", size=9)
    run = desk.app.make_reconciliation(desk.app.open_session())
    list(run.pages())
    assert run.report().counts[Kind.ORPHAN] == 1


@pytest.mark.parametrize(
    ("reason", "healed"), [("not_in_plex", True), ("ambiguous", True), ("rejected", False)]
)
def test_a_comparison_tries_again_what_only_plex_lacked(make_desk, reason, healed):
    desk = make_desk()
    (scene,) = fill(desk, 1)
    queue = desk.app.store.queue
    queue.add("scene", scene.id)
    (claim,) = queue.claim(1, 60.0)
    queue.bury(claim, title="A pier", reason=reason, error="No.", path="")
    list(desk.app.make_reconciliation(desk.app.open_session()).pages())
    assert (desk.dead() == {}) is healed


def test_a_comparison_that_began_under_other_settings_is_begun_anew(make_desk):
    desk = make_desk(reconcile_interval="daily")
    desk.drain(*fill(desk, 2))
    app = desk.app
    scheduled = ScheduledReconcile(app.store, app.make_reconciliation, clock=desk.clock)
    first = app.open_session()
    second = evolve(first)
    assert not scheduled.step(first)
    desk.clock.step(25 * 3600)
    assert scheduled.step(first)
    assert present(scheduled._under_way).session is first
    assert not scheduled.step(second)
    assert not scheduled._under_way
    desk.clock.step(RETRY_SECONDS)
    assert scheduled.step(second)
    assert present(scheduled._under_way).session is second
    scheduled.rest()


def test_what_is_in_sync_is_counted_over_all_reads_and_pages(make_desk, monkeypatch):
    monkeypatch.setattr(reconcile, "IDS_PER_READ", 2)
    monkeypatch.setattr(stash_client, "PAGE", 2)
    desk = make_desk()
    scenes = fill(desk, 7)
    desk.drain(*scenes)
    desk.app.store.records.invalidate([scene.id for scene in scenes[2:]])
    desk.plex.all_items()[6].title = "Somebody's words"
    report = reconcile_library(
        desk.app, Scope.ALL, dry_run=True, observer=Silent(), stopped=lambda: False
    )
    assert (report.scenes, report.in_sync, report.counts[Kind.DRIFTED]) == (7, 6, 1)


def test_a_comparison_looks_at_what_changed_in_plex_since_the_last(make_desk):
    desk = make_desk()
    desk.drain(*fill(desk, 3))

    def compare():
        return reconcile_library(
            desk.app, Scope.ALL, observer=Silent(), stopped=lambda: False
        ).counts[Kind.DRIFTED]

    assert compare() == 0
    plex = desk.app.make_plex(desk.app.open_session().settings)
    keys = [str(item.rating_key) for item in desk.plex.all_items()]
    for number, drifted in ((1, 1), (2, 2)):
        desk.clock.step(60)
        change = Change({Field.TITLE: "Somebody's words"}, {})
        plex.edit(str(desk.films.id), [keys[number]], change)
        desk.clock.step(60)
        desk.plex.clear_log()
        assert compare() == drifted
    plex.close()
    read = [one.path for one in desk.plex.requests if one.path.startswith("/library/metadata/")]
    # The last mark is the moment of the edit before, which counts once more.
    assert read == [f"/library/metadata/{keys[1]},{keys[2]}"]
