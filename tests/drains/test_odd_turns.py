"""Turns that a drain, a look or a task seldom takes."""

from __future__ import annotations

import pytest
from attrs import evolve

from stash2plex.errors import Refused, Transient, Unavailable
from stash2plex.model import Change, Field
from stash2plex.operations.enqueue import enqueue_all
from stash2plex.operations.reconcile import reconcile_library
from stash2plex.operations.server_probe import ASK_SECONDS, ServerProbe
from stash2plex.rules.drift import Kind
from stash2plex.servers import plexlists
from stash2plex.servers import stash as stash_client
from stash2plex.store.metrics import read_metrics
from stash2plex.store.outages import read_outages
from stash2plex.store.progress import Wait
from stash2plex.store.scans import GATHER_SECONDS
from stash2plex.sync import indexing, pipeline, reconcile
from stash2plex.sync.goals import Background, Foreground
from stash2plex.sync.in_hand import LEASE_RENEWAL
from stash2plex.sync.observer import Silent
from stash2plex.sync.reconcile import Scope
from stash2plex.sync.scheduled_reconcile import RETRY_SECONDS, ScheduledReconcile
from stash2plex.sync.sweep import Idle
from tests.harness.in_process import fill, listen
from tests.support import present

# -- the other process ---------------------------------------------------------------------


def test_a_task_that_watches_asks_the_servers_again_after_a_while(make_desk):
    desk = make_desk()
    probe = ServerProbe(desk.app, Foreground("test", patience=600.0))
    wait = Wait("Plex is away.", "plex")
    assert probe.verdict(wait, 3) == (None, None)
    desk.settings["plex_token"] = "old"
    desk.restart()
    probe = ServerProbe(desk.app, Foreground("test", patience=600.0))
    desk.plex.clear_log()
    assert probe.verdict(wait, 3) == (None, None)
    assert desk.plex.count("GET") == 0
    desk.clock.step(ASK_SECONDS)
    error, words = probe.verdict(wait, 3)
    assert isinstance(error, Refused)
    assert words == str(error)


# -- looks ---------------------------------------------------------------------------------


def test_a_failure_of_a_look_that_lasts_is_logged_once_and_tried_with_the_next(make_desk):
    desk = make_desk()
    lines = listen(desk)
    for _ in range(2):
        desk.app.sweeper._failed(Transient("Stash", "Half a page."))
    assert [line for line in lines if "Half a page" in line] == lines
    assert len(lines) == 1
    assert desk.app.store.breakers["stash"].read().state == "closed"
    desk.app.sweeper._failed(Unavailable("Stash", "It is away."))
    assert len(lines) == 2


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


def test_a_save_does_not_wait_for_what_is_in_hand(make_desk, monkeypatch):
    monkeypatch.setattr(pipeline, "BATCH", 2)
    desk = make_desk()
    scenes = fill(desk, 12)
    queue = desk.app.store.queue
    queue.enqueue([("scene", one.id) for one in scenes[:-1]])
    claim = queue.claim

    def claim_and_save(*arguments, **options):
        queue.claim = claim
        claimed = claim(*arguments, **options)
        queue.add("scene", scenes[-1].id)
        return claimed

    queue.claim = claim_and_save
    desk.process(Silent())
    written = [one.query["id"][0] for one in desk.plex.requests if one.method == "PUT"]
    item = next(one for one in desk.plex.all_items() if one.title == scenes[-1].title)
    assert len(written) == 12
    assert written.index(str(item.rating_key)) < 11


def test_a_save_that_comes_as_a_worker_begins_to_wait_is_not_waited_for(make_desk):
    desk = make_desk()
    (scene,) = fill(desk, 1)
    queue = desk.app.store.queue
    next_due_at = queue.next_due_at

    def save_and_look():
        queue.next_due_at = next_due_at
        queue.add("scene", scene.id)
        return next_due_at()

    queue.next_due_at = save_and_look
    before = desk.clock()
    desk.work(0.2)
    assert desk.titles() == [scene.title]
    assert desk.clock() < before + 1


def test_of_two_libraries_the_one_that_plex_reads_already_is_left_alone(make_desk):
    desk = make_desk(trigger_plex_scan=True, path_map="/data=>/media;/shows=>/other")
    other = desk.plex.add_section("Lantern Films", locations=["/other"])
    desk.films.stage_file("/media/a/pier.mp4", 100)
    other.stage_file("/other/b/quay.mp4", 200)
    desk.add(
        desk.scene("a/pier.mp4"),
        desk.stash.add_scene(title="Quay", files=["/shows/b/quay.mp4"], sizes=[200]),
    )
    desk.work(GATHER_SECONDS - 2)
    desk.plex.scanning.seconds = 10_000
    desk.plex._library.scan(desk.films, "/media/z")
    desk.plex.clear_log()
    desk.work(60)
    asked = [one.path for one in desk.plex.requests if one.path.endswith("/refresh")]
    assert asked == [f"/library/sections/{other.id}/refresh"]


def test_scenes_wait_for_plex_and_none_is_said_to_wait_for_stash(make_desk):
    desk = make_desk()
    desk.add(*fill(desk, 2))
    desk.stash.down()
    desk.work(120)
    (outage,) = read_outages(desk.app.store.connection)
    assert (outage.server, outage.waiting) == ("stash", 0)


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


@pytest.mark.parametrize(
    ("only_organized", "organized", "why"),
    [
        (False, False, Idle.EXCLUDED),
        (True, True, Idle.EXCLUDED),
        (True, False, Idle.NOT_ORGANIZED),
    ],
)
def test_why_a_scene_is_left_out_is_the_reason_that_holds(
    make_desk, only_organized, organized, why
):
    desk = make_desk(exclude_tags="Fog", only_organized=only_organized)
    desk.scene("a/pier.mp4", tags=[desk.stash.add_tag("Fog")], organized=organized)
    assert enqueue_all(desk.app).idle == {why: 1}


def test_a_library_of_many_files_is_stored_in_parts(make_desk, monkeypatch):
    monkeypatch.setattr(indexing, "ROWS_PER_COMMIT", 3)
    monkeypatch.setattr(plexlists, "LIST_PAGE", 2)
    desk = make_desk()
    scenes = fill(desk, 7)
    desk.drain(*scenes)
    assert sorted(desk.titles()) == sorted(scene.title for scene in scenes)
    assert desk.rows("SELECT count(*) FROM plex_file") == [(7,)]


def test_leases_are_renewed_while_a_drain_takes_its_time(make_desk):
    desk = make_desk()
    queue = desk.app.store.queue
    ack, extend = queue.ack, queue.extend
    extended = []

    def slow_ack(claim):
        desk.clock.step(LEASE_RENEWAL)
        return ack(claim)

    def noted_extend(*arguments):
        extended.append(arguments)
        return extend(*arguments)

    queue.ack, queue.extend = slow_ack, noted_extend
    desk.drain(*fill(desk, 12))
    assert desk.app.store.records.summary()[0] == 12
    assert extended


def test_what_a_drain_did_is_on_record_when_it_has_ended(make_desk):
    desk = make_desk()
    desk.drain(*fill(desk, 3))
    last = desk.app.book.read(0)
    assert (last.done, last.ended) == (3, True)
    assert read_metrics(desk.app.store.connection).scenes["written"] == 3


def test_plex_is_not_asked_for_its_libraries_for_each_scene_that_it_lacks(make_desk, monkeypatch):
    monkeypatch.setattr(pipeline, "BATCH", 1)
    desk = make_desk()
    desk.add(*(desk.scene(f"lost/{one}.mp4", size=one) for one in range(8)))
    desk.plex.clear_log()
    desk.process(Silent())
    asked = [one.path for one in desk.plex.requests if one.path == "/library/sections"]
    assert len(asked) <= 4


class Seen:
    """An observer that keeps what it is shown."""

    def __init__(self):
        self.shown = []

    def progress(self, progress):
        self.shown.append(progress)


def test_a_drain_that_stands_still_shows_and_stores_for_whom_it_waits(make_desk):
    desk = make_desk()
    desk.add(*fill(desk, 2))
    desk.plex.down()
    seen = Seen()
    stored = []
    end = desk.clock() + 120

    def stopped():
        stored.append(desk.app.book.read(0).wait)
        return desk.clock() >= end

    desk.app.drain(Background(), seen, stopped)
    assert {present(wait).server for wait in stored if wait} == {"Plex"}
    assert {wait.server for one in seen.shown if (wait := one.wait)} == {"Plex"}


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
