"""Reconcile in this process, against both stand-ins: what it asks, and what a partial run does."""

from __future__ import annotations

from datetime import UTC, datetime

from attrs import evolve

from stash2plex.operations.foreground import drain_here
from stash2plex.rules.drift import Kind
from stash2plex.servers import stash as stash_client
from stash2plex.store.reports import ReportBook
from stash2plex.sync import reconcile
from stash2plex.sync.goals import Foreground
from stash2plex.sync.observer import Silent
from stash2plex.sync.reconcile import Scope
from stash2plex.sync.report import report_lines
from stash2plex_testing.plex import Fault
from stash2plex_testing.synced import LONG_AGO, make_synced
from tests.harness.reconciles import DAY, change_settings, found, rows, run
from tests.support import ManualClock, present


def test_an_unchanged_library_costs_the_pages_of_stash_and_little_of_plex(open_world):
    with open_world(1_100) as (world, app):
        make_synced(world, app)
        first = run(app)
        assert (found(first), first.queued, first.problem) == ({}, 0, None)
        assert not first.dry_run
        again = run(app)
        assert (found(again), again.in_sync + again.left_out) == ({}, 1_100)
        # The count and two pages; token, libraries, the newest change, two deltas, and the
        # items of the last minute before it.
        assert again.requests["stash"] == 3
        assert again.requests["plex"] == 6
        assert world.plex.count("PUT") == 0

        item = world.plex.all_items()[7]
        item.tags["genre"] = ["Fog"]
        item.updated_at = LONG_AGO + 1_000_000
        world.plex._library.rate(world.plex.all_items()[9], 0.5)
        drifted = run(app)
        assert found(drifted) == {"drifted": 2}
        # Items of all pages are read together.
        assert drifted.requests["plex"] == 6
        assert [example.fields for example in drifted.examples[Kind.DRIFTED]] == [
            ("tags",),
            ("rating",),
        ]


def test_what_makes_every_item_be_read_again(open_world):
    with open_world(30) as (world, app):
        clock = app.clock = ManualClock(app.clock())
        make_synced(world, app)
        details = []

        def read():
            world.plex.clear_log()
            assert found(run(app)) == {}
            asked = [one for one in world.plex.requests if "/metadata/" in one.path]
            details.append(sum(one.path.count(",") + 1 for one in asked))

        read()
        read()
        whole, few = details
        assert (whole, few) == (app.store.records.summary()[0], 6)
        # A person may now keep an edit that was no drift before, or the other way round.
        change_settings(app, preserve_plex_edits=True)
        read()
        read()
        # What writes Plex's database past Plex moves no time.
        clock.step(8 * DAY)
        read()
        read()
        # Plex was put back to a backup.
        for item in world.plex.all_items():
            item.updated_at -= 1_000
        read()
        # A Plex that knows no such question.
        world.plex.faults.add(
            Fault("status", path="/all", query={"sort": "id"}, status=400, times=None)
        )
        read()
        world.plex.faults.clear()
        app.store.plex_files.clear()
        app.store.plex_comparisons.clear()
        read()
        assert details[2:] == [whole, few, whole, few, whole, whole, whole]


def test_recent_scopes_look_at_plex_for_what_changed_in_stash(open_world):
    with open_world(0) as (world, app):
        for age, title in ((0, "New"), (3, "Newer"), (30, "Old")):
            scene = world.stash.add_scene(title=title, files=[f"/data/{title}.mp4"])
            world.plex.add_item(world.section, file=f"/media/library/{title}.mp4")
            at = datetime.fromtimestamp(app.clock() - age * DAY, UTC)
            scene.updated_at = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        make_synced(world, app)
        for item in world.plex.all_items():
            item.title = "Another"
        assert [run(app, scope, dry_run=True).scenes for scope in Scope] == [3, 1, 2, 3]
        week = run(app, Scope.WEEK)
        assert found(week) == {"drifted": 2}
        assert week.counts[Kind.ORPHAN] is None


def test_missing_metadata_looks_for_bare_items_only(open_world):
    with open_world(0) as (world, app):
        for name in ("Bare", "Drifted", "Gone"):
            world.stash.add_scene(title=name, details="Fog.", files=[f"/data/{name}.mp4"])
            world.plex.add_item(world.section, file=f"/media/library/{name}.mp4")
        make_synced(world, app)
        bare, drifted, gone = world.plex.all_items()
        bare.texts.clear()
        drifted.title = "Another"
        world.plex.remove_item(gone)
        report = run(app, Scope.MISSING_METADATA)
        assert {kind: number for kind, number in report.counts.items() if number is not None} == {
            Kind.EMPTY: 1
        }
        assert (report.in_sync, report.queued) == (None, 1)
        assert rows(app, "SELECT count(*) FROM plex_comparison") == [(0,)]


def test_what_a_person_changed_in_plex_is_drift_only_where_stash_wins(open_world):
    with open_world(0) as (world, app):
        world.stash.add_scene(title="Quay", files=["/data/quay.mp4"])
        world.plex.add_item(world.section, file="/media/library/quay.mp4")
        make_synced(world, app)
        world.plex.all_items()[0].title = "A person's title"
        change_settings(app, preserve_plex_edits=True)
        assert found(run(app)) == {}
        change_settings(app, preserve_plex_edits=False)
        assert found(run(app)) == {"drifted": 1}


def test_what_was_written_to_an_old_item_says_nothing_of_the_new_one(open_world):
    with open_world(0, preserve_plex_edits=True) as (world, app):
        world.stash.add_scene(title="Quay", files=["/data/a.mp4"])
        world.plex.add_item(world.section, file="/media/library/a.mp4")
        make_synced(world, app)
        assert found(run(app)) == {}
        world.plex.readd_item(world.plex.all_items()[0])
        report = run(app)
        assert [one.fields for one in report.examples[Kind.STALE]] == [("title",)]


def test_dead_letters_come_back_only_when_their_reason_is_gone(open_world):
    with open_world(0) as (world, app):
        queue = app.store.queue
        reasons = ("not_in_plex", "rejected", "not_in_plex", "ambiguous")
        for number, reason in enumerate(reasons, 1):
            name = f"{reason}{number}"
            world.stash.add_scene(title="A quay", files=[f"/data/{name}.mp4"])
            if number != 3:
                world.plex.add_item(world.section, file=f"/media/library/{name}.mp4")
            queue.add("scene", number)
            (claim,) = queue.claim(1, 60.0)
            queue.bury(claim, title=name, reason=reason, error="It was not there.")
        report = run(app)
        assert found(report) == {"missing_in_plex": 1, "stale": 3}
        assert report.queued == 2
        assert rows(app, "SELECT id FROM queue ORDER BY id") == [(1,), (4,)]
        assert rows(app, "SELECT id FROM dead_letter") == [(2,), (3,)]


def test_a_scene_that_waits_for_plex_is_due_at_once_when_it_is_there(open_world):
    with open_world(0) as (world, app):
        for name in ("there", "away"):
            scene = world.stash.add_scene(title=name, files=[f"/data/{name}.mp4"])
            app.store.queue.add("scene", scene.id)
            (claim,) = app.store.queue.claim(1, 60.0)
            app.store.queue.snooze(claim, delay=500.0, reason="not_in_plex")
        world.plex.add_item(world.section, file="/media/library/there.mp4")
        away = rows(app, "SELECT * FROM queue WHERE id = 2")
        assert run(app).queued == 0
        assert app.store.queue.counts().pending == 1
        assert rows(app, "SELECT * FROM queue WHERE id = 2") == away


def test_a_scene_that_plex_may_lack_is_not_queued(open_world):
    with open_world(0, skip_not_found=True) as (world, app):
        world.stash.add_scene(title="Away", files=["/data/away.mp4"])
        report = run(app)
        assert (found(report), report.queued) == ({"missing_in_plex": 1}, 0)
        assert app.store.queue.is_empty()


def test_a_stash_without_scenes_says_nothing_and_a_scene_without_files_is_left_out(open_world):
    with open_world(0) as (world, app):
        world.plex.add_item(world.section, file="/media/library/a.mp4")
        empty = run(app)
        assert (empty.problem, empty.counts[Kind.ORPHAN]) == (None, None)
        world.stash.add_scene(title="No file")
        report = run(app)
        assert (found(report), report.left_out) == ({"orphan_in_plex": 1}, 1)


def test_the_second_file_of_a_scene_is_no_orphan(open_world):
    with open_world(0) as (world, app):
        world.stash.add_scene(title="Two", files=["/data/one.mp4", "/data/two.mp4"])
        for name in ("one", "two"):
            world.plex.add_item(world.section, file=f"/media/library/{name}.mp4")
        assert found(run(app)) == {"stale": 1}


def test_items_are_looked_at_while_the_pages_go_on(open_world, monkeypatch):
    monkeypatch.setattr(stash_client, "PAGE", 4)
    monkeypatch.setattr(reconcile, "IDS_PER_READ", 4)
    with open_world(0) as (world, app):
        for number in range(1, 11):
            world.stash.add_scene(title="Quay", files=[f"/data/{number}.mp4"])
            world.plex.add_item(world.section, file=f"/media/library/{number}.mp4")
        stopped = run(app, stopped=lambda: True)
        assert (stopped.scenes, stopped.queued, found(stopped)) == (4, 4, {"stale": 4})


def test_an_item_that_went_since_it_was_listed_is_missing(open_world):
    with open_world(0) as (world, app):
        scene = world.stash.add_scene(title="Quay", details="Fog.", files=["/data/quay.mp4"])
        item = world.plex.add_item(world.section, file="/media/library/quay.mp4")
        make_synced(world, app)
        item.title = "Another"
        world.plex.faults.add(Fault("status", path="/metadata/", status=404))
        report = run(app)
        assert (found(report), report.queued, report.in_sync) == ({"missing_in_plex": 1}, 1, 0)
        (example,) = report.examples[Kind.MISSING]
        assert (example.scene_id, "“/media/library/quay.mp4”" in example.detail) == (scene.id, True)
        # What the list says is compared with what the item holds.
        item.parts[0].path = "/media/library/jetty.mp4"
        assert found(run(app, dry_run=True)) == {"missing_in_plex": 1}


def test_of_an_item_that_fits_as_well_as_another_neither_is_an_orphan(open_world):
    with open_world(0) as (world, app):
        world.stash.add_scene(title="Twice", files=["/data/a/twice.mp4"])
        for folder in ("one", "two"):
            world.plex.add_item(world.section, file=f"/media/{folder}/a/twice.mp4")
        assert found(run(app)) == {"ambiguous": 1}


def test_only_the_newest_reports_are_kept(open_world):
    with open_world(0) as (_, app):
        report = run(app)
        book = ReportBook(app.store.connection)
        for number in range(25):
            book.keep(report.started_at, evolve(report, scenes=number).as_dict())
        assert rows(app, "SELECT count(*) FROM reconcile_report") == [(20,)]
        assert present(book.last())["scenes"] == 24


def test_an_orphan_says_which_scene_it_was(open_world):
    with open_world(4) as (world, app):
        app.sweeper.sweep_all(app.settings(), app.stash)
        drain_here(app, Foreground("test"), Silent(), lambda: False)
        scene = next(scene for scene in world.stash.scenes if scene.files)
        number = scene.id
        world.graphql(
            "mutation Gone($input: SceneDestroyInput!) { sceneDestroy(input: $input) }",
            input={"id": str(number)},
        )
        app.store.queue.add("scene", number)
        drain_here(app, Foreground("test"), Silent(), lambda: False)
        report = run(app).as_dict()
        (orphan,) = report["kinds"]["orphan_in_plex"]["examples"]
        assert orphan["detail"] == f"was scene {number}"
        assert any(f"(was scene {number})" in line for line in report_lines(report))
