"""One file in several chosen libraries: each of its items follows the scene (issue 21, point 7)."""

from __future__ import annotations

import pytest

from stash2plex.operations.explain import explain_scene
from stash2plex.rules.drift import Kind
from stash2plex.sync.reconcile import Scope
from stash2plex_testing.plex import Fault, combined, scopes
from tests.harness.in_process import fill
from tests.support import present

DAY = 86_400.0


@pytest.fixture
def shelf(make_desk):
    """Return a desk, a scene, and its items in two libraries over the same folder."""
    desk = make_desk()
    other = desk.plex.add_section("All Films", locations=["/media"])
    scene = desk.scene("a/pier.mp4", tags=[desk.stash.add_tag("fog")])
    items = [desk.item("a/pier.mp4"), desk.plex.add_item(other, "/media/a/pier.mp4", size=100)]
    return desk, scene, items


def titles(items):
    return [item.title for item in items]


def test_each_item_gets_every_write_and_nothing_twice(shelf):
    desk, scene, items = shelf
    desk.drain(scene)
    assert titles(items) == [scene.title] * 2
    assert [item.tags["genre"] for item in items] == [["fog"]] * 2
    assert desk.dead() == {}
    desk.plex.clear_log()
    desk.drain(scene)
    assert desk.plex.count("PUT") == 0
    scene.title = "Edited"
    scene.tags = ()
    desk.drain(scene)
    assert titles(items) == ["Edited"] * 2
    assert [item.tags["genre"] for item in items] == [[], []]
    assert desk.plex.count("PUT") == 2


@pytest.mark.parametrize("traits", ["title_case", "rounds_to_whole_stars", "append_double"])
def test_the_servers_own_spelling_is_no_drift_in_either(shelf, traits):
    desk, scene, items = shelf
    desk.plex.traits = combined(traits)
    scene.tags[0].name, scene.rating100 = "night harbour", 77
    desk.drain(scene)
    desk.plex.clear_log()
    report = reconcile(desk)
    assert (report.in_sync, report.counts[Kind.DRIFTED]) == (1, 0)
    desk.drain(scene)
    assert desk.plex.count("PUT") == 0
    assert [len(item.tags["genre"]) for item in items] == [1, 1]


def reconcile(desk):
    session = desk.app.open_session()
    run = desk.app.make_reconciliation(session, Scope.ALL)
    for _ in run.pages():
        pass
    return run.report()


@pytest.mark.parametrize("which", [0, 1])
def test_an_edit_in_plex_of_either_item_is_found_and_mended(shelf, which):
    desk, scene, items = shelf
    desk.drain(scene)
    assert reconcile(desk).counts[Kind.ORPHAN] == 0
    items[which].title = "Edited in Plex"
    desk.clock.step(60)
    items[which].updated_at = int(desk.clock())
    report = reconcile(desk)
    assert (report.scenes, report.in_sync, report.counts[Kind.DRIFTED]) == (1, 0, 1)
    desk.drain()
    assert titles(items) == [scene.title] * 2
    assert reconcile(desk).in_sync == 1


def test_an_edit_of_the_user_is_kept_in_each_item_by_itself(shelf):
    desk, scene, items = shelf
    desk.restart(preserve_plex_edits=True)
    desk.drain(scene)
    items[1].title = "Mine"
    scene.title, scene.details = "Edited", "Seen again."
    desk.drain(scene)
    assert titles(items) == ["Edited", "Mine"]
    assert [item.texts["summary"] for item in items] == ["Seen again."] * 2


def test_a_library_that_gets_the_file_later_follows(make_desk):
    desk = make_desk()
    other = desk.plex.add_section("All Films", locations=["/media"])
    scene, first = desk.scene("a/pier.mp4"), desk.item("a/pier.mp4")
    waits = desk.scene("b/quay.mp4", size=9)
    desk.drain(scene, waits)
    second = desk.plex.add_item(other, "/media/a/pier.mp4", size=100)
    desk.work(60)
    assert titles([first, second]) == [scene.title] * 2
    third_library = desk.plex.add_section("More Films", locations=["/media"])
    third = desk.plex.add_item(third_library, "/media/a/pier.mp4", size=100)
    desk.clock.step(DAY)
    desk.work(60)
    assert titles([first, second, third]) == [scene.title] * 3
    desk.plex.clear_log()
    desk.clock.step(2 * DAY)
    desk.work(60)
    assert desk.plex.count("PUT") == 0


@pytest.mark.parametrize("which", [0, 1])
def test_an_item_that_goes_is_left_and_one_that_comes_again_follows(shelf, which):
    desk, scene, items = shelf
    desk.drain(scene)
    desk.plex.remove_item(items[which])
    scene.title = "Edited"
    desk.clock.step(700)
    desk.drain(scene)
    desk.work(700)
    assert items[1 - which].title == "Edited"
    assert desk.rows("SELECT 1 FROM queue") == []
    again = desk.plex.add_item(items[which].section, "/media/a/pier.mp4", size=100)
    desk.clock.step(2 * DAY)
    desk.restart()
    scene.details = "Seen again."
    desk.drain(scene)
    assert again.title == "Edited"


@pytest.mark.parametrize("which", [0, 1])
def test_one_item_that_fails_holds_up_no_other(shelf, which):
    desk, scene, items = shelf
    fault = desk.plex.faults.add(Fault("status", status=400, times=None,
                                       **scopes.item(items[which], "edit")))  # fmt: skip
    desk.drain(scene)
    if which == 1:
        assert items[0].title == scene.title
    assert desk.dead() == {scene.id: "rejected"}
    desk.plex.faults.remove(fault)
    desk.app.store.queue.redrive()
    desk.drain()
    assert titles(items) == [scene.title] * 2


def test_a_library_that_fails_holds_up_no_other_and_follows_when_it_is_back(shelf):
    desk, scene, items = shelf
    desk.drain(scene)
    fault = desk.plex.faults.add(Fault("status", times=None, **scopes.library(items[1].section)))
    scene.title = "Edited"
    desk.add(scene)
    desk.work(60)
    assert titles(items) == ["Edited", "About a/pier.mp4"]
    assert desk.rows("SELECT attempts, reason FROM queue") == [(0, "library")]
    assert desk.rows("SELECT 1 FROM outage") == []
    desk.plex.faults.remove(fault)
    desk.work(320)
    assert titles(items) == ["Edited"] * 2


def test_a_deselected_library_follows_no_more(shelf):
    desk, scene, items = shelf
    desk.drain(scene)
    desk.restart(plex_library="All Films")
    scene.title = "Edited"
    desk.drain(scene)
    assert titles(items) == ["About a/pier.mp4", "Edited"]
    desk.restart(plex_library="")
    desk.clock.step(700)
    scene.details = "Seen again."
    desk.drain(scene)
    assert titles(items) == ["Edited"] * 2


def test_an_item_that_is_another_scenes_does_not_follow(make_desk):
    desk = make_desk()
    other = desk.plex.add_section("All Films", locations=["/media"])
    pier, quay = desk.scene("a/pier.mp4", size=1), desk.scene("a/quay.mp4", size=2)
    first = desk.item("a/pier.mp4", size=1)
    both = desk.plex.add_item(other, files=["/media/a/quay.mp4", "/media/a/pier.mp4"], sizes=[2, 1])
    desk.drain(quay)
    desk.drain(pier)
    assert (first.title, both.title) == (pier.title, quay.title)
    desk.plex.clear_log()
    desk.app.store.records.invalidate_all()
    desk.drain(pier, quay)
    assert desk.plex.count("PUT") == 0


def test_an_item_that_follows_is_written_until_plex_shows_it_in_one_turn(shelf):
    desk, scene, items = shelf
    desk.plex.traits = combined("one_removal_per_put")
    scene.tags = [desk.stash.add_tag("ebb"), desk.stash.add_tag("quay")]
    desk.drain(scene)
    scene.tags = ()
    desk.plex.clear_log()
    desk.drain(scene)
    assert [item.tags["genre"] for item in items] == [[], []]
    assert desk.plex.count("PUT") == 4
    assert desk.rows("SELECT name, label FROM metric WHERE name IN ('retried', 'put_off')") == []


def test_the_explanation_names_what_follows(shelf):
    desk, scene, _ = shelf
    desk.drain(scene)
    known = explain_scene(desk.app, scene.id)
    assert [one.why for one in present(known.look).candidates] == [
        "", "the same file in another library, which follows"
    ]  # fmt: skip


def test_no_item_follows_a_scene_once_another_server_answers(make_desk):
    desk = make_desk()
    (scene,) = fill(desk, 1)
    desk.drain(scene)
    desk.app.store.connection.execute("INSERT INTO follower VALUES (1, '9', '{}')")
    desk.app.store.records.detach_all()
    assert desk.rows("SELECT count(*) FROM follower") == [(0,)]
    assert desk.rows("SELECT rating_key, fingerprint FROM scene_record") == [("", "")]
