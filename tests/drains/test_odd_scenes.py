"""A scene that Stash cannot show is named; sweeps, drains and comparisons go on without it."""

from __future__ import annotations

import pytest

from stash2plex.errors import UsageError
from stash2plex.operations.enqueue import enqueue_all, enqueue_recent
from stash2plex.operations.explain import explain_scene
from stash2plex.operations.health.report import read_health
from stash2plex.operations.preview import preview_all, preview_recent, preview_scenes
from stash2plex.operations.reconcile import reconcile_library
from stash2plex.rules.drift import Kind
from stash2plex.sync.observer import Silent
from stash2plex.sync.reconcile import Scope
from stash2plex_testing.plex import Fault as PlexFault
from stash2plex_testing.plex import scopes
from stash2plex_testing.stash import Fault, picture
from tests.harness.in_process import listen

CONTENT = "SceneFields"
KINDS = ["graphql_error", "status", "malformed"]
DAY = 86_400.0


def spoil(desk, scene, kind="graphql_error", operation="", **options):
    order = Fault(kind, times=None, scene=scene, operation=operation,
                  message="no such column: 1", **options)  # fmt: skip
    return desk.stash.faults.add(order)


def fill(desk, number=6):
    pairs = []
    for one in range(number):
        scene = desk.scene(f"{one}/pier-{one}.mp4", size=1000 + one)
        pairs.append((scene, desk.item(f"{one}/pier-{one}.mp4", size=1000 + one)))
        desk.clock.step(1)
    return pairs


def in_plex(pairs):
    return [item.title == scene.title for scene, item in pairs]


BUT_ONE = [True, True, False, True, True, True]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("operation", [CONTENT, ""], ids=["content", "ids too"])
def test_a_drain_goes_on_and_the_bad_scene_becomes_a_dead_letter(make_desk, kind, operation):
    desk = make_desk(max_retries=2)
    pairs = fill(desk)
    spoil(desk, pairs[2][0], kind, operation)
    desk.add(*(scene for scene, _ in pairs))
    desk.work(5)
    assert in_plex(pairs) == BUT_ONE
    desk.work(1200)
    assert desk.rows("SELECT 1 FROM outage") == []
    assert desk.dead() == {3: "transient"}
    assert "Scene 3 cannot be read" in desk.errors()[3]
    check = next(one for one in read_health(desk.app) if one.name == "dead letters")
    assert not check.ok
    assert "scene 3" in check.detail
    desk.stash.faults.clear()
    desk.app.store.queue.redrive()
    desk.drain()
    assert in_plex(pairs) == [True] * 6


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("operation", [CONTENT, ""], ids=["content", "ids too"])
def test_a_sweep_queues_the_others_and_names_the_bad_one_once(make_desk, kind, operation):
    desk = make_desk(max_retries=2)
    pairs = fill(desk)
    spoil(desk, pairs[2][0], kind, operation)
    heard = listen(desk)
    assert enqueue_all(desk.app).queued == 6
    assert enqueue_all(desk.app).due == 6
    assert len([line for line in heard if "Scene 3 cannot be read" in line]) == 1
    desk.drain()
    desk.work(1200)
    assert in_plex(pairs) == BUT_ONE
    assert desk.dead() == {3: "transient"}
    assert desk.rows("SELECT 1 FROM outage") == []
    assert desk.rows("SELECT count(*) FROM scene") == [(6,)]
    assert enqueue_recent(desk.app, DAY).queued == 1
    assert desk.dead() == {}, "the user asked for it"


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_changed_unseen_is_polled_beside_a_bad_newest_scene(make_desk, kind):
    desk = make_desk(max_retries=2)
    pairs = fill(desk)
    desk.drain(*(scene for scene, _ in pairs))
    desk.work(70)
    bad, good = pairs[2][0], pairs[4][0]
    spoil(desk, bad, kind)
    desk.clock.step(10)
    for scene in (good, bad):
        with desk.stash.library.lock:
            scene.details = "Changed unseen."
            desk.stash.library.touch(scene)
        desk.clock.step(2)
    desk.work(200)
    assert pairs[4][1].texts["summary"] == "Changed unseen."
    assert desk.rows("SELECT 1 FROM outage") == []
    (waiting,) = desk.rows("SELECT id FROM queue UNION SELECT id FROM dead_letter")
    assert waiting == (3,)
    desk.stash.faults.clear()
    desk.work(2000)
    desk.app.store.queue.redrive()
    desk.drain()
    assert pairs[2][1].texts["summary"] == "Changed unseen."


@pytest.mark.parametrize("scope", [Scope.ALL, Scope.RECENT])
@pytest.mark.parametrize("operation", [CONTENT, ""], ids=["content", "ids too"])
def test_a_reconcile_compares_the_others_and_names_the_bad_one(make_desk, scope, operation):
    desk = make_desk()
    pairs = fill(desk)
    desk.drain(*(scene for scene, _ in pairs))
    desk.stash.library.scenes[6].title = "The newest"
    desk.stash.library.touch(desk.stash.library.scenes[6])
    for _, item in pairs:
        item.title = "Edited in Plex"
        item.updated_at += 10
    spoil(desk, pairs[2][0], operation=operation)
    report = reconcile_library(desk.app, scope, observer=Silent(), stopped=lambda: False)
    assert report.problem is None
    (named,) = report.unread
    assert "Scene 3 cannot be read" in named
    if scope is Scope.ALL:
        assert report.counts[Kind.ORPHAN] == 0, "its item is not an orphan"
    desk.drain()
    assert in_plex(pairs) == BUT_ONE


def test_a_preview_lists_the_bad_one_among_what_does_not_match(make_desk):
    desk = make_desk()
    pairs = fill(desk)
    spoil(desk, pairs[2][0])
    for preview in (
        preview_all(desk.app), preview_scenes(desk.app, range(1, 7)), preview_recent(desk.app, DAY),
    ):  # fmt: skip
        assert (preview.seen, preview.changing, preview.not_matched) == (6, 5, 1)
        (problem,) = preview.problems
        assert (problem.scene_id, problem.reason) == (3, "transient")
        assert "cannot be read in Stash" in problem.error
    with pytest.raises(UsageError, match="no scene 99"):
        preview_scenes(desk.app, [3, 99])


def test_a_scene_is_explained_by_what_is_stored_while_it_cannot_be_read(make_desk):
    desk = make_desk()
    pairs = fill(desk)
    desk.drain(*(scene for scene, _ in pairs))
    spoil(desk, pairs[2][0])
    known = explain_scene(desk.app, 3)
    assert any("cannot be read in Stash" in one for one in known.unknown)
    assert known.title == pairs[2][0].title
    assert "Stash no longer has" not in known.why


def shut_uploads(desk):
    """Have the pictures of a scene wait in a process that has to read it for them."""
    scene = desk.scene("a/pier.mp4", cover=picture(1))
    item = desk.item("a/pier.mp4")
    desk.plex.faults.add(PlexFault("status", times=None, **scopes.uploads()))
    desk.drain(scene)
    assert item.title == scene.title
    desk.plex.faults.clear()
    desk.restart()
    return scene, item


def test_pictures_of_a_scene_that_cannot_be_read_are_given_up_and_named(make_desk):
    desk = make_desk(skip_fields="", max_retries=2)
    scene, item = shut_uploads(desk)
    heard = listen(desk)
    spoil(desk, scene)
    desk.work(1_200)
    assert f"the pictures of “{scene.title}”" in "".join(heard)
    assert "cannot be read in Stash" in desk.errors()[scene.id]
    desk.stash.faults.clear()
    desk.app.store.queue.redrive()
    desk.work(600)
    assert {*item.selected} == {"posters", "arts"}


def test_pictures_wait_for_a_stash_that_fails_while_they_are_read(make_desk):
    desk = make_desk(skip_fields="")
    _, item = shut_uploads(desk)
    fault = desk.stash.faults.add(Fault("status", times=6, operation="query Scenes"))
    desk.work(900)
    assert fault.hits == 6
    assert {*item.selected} == {"posters", "arts"}, "no endpoint is called reads"
    assert desk.dead() == {}


def test_a_stash_that_answers_500_to_everything_is_an_outage(make_desk):
    desk = make_desk()
    pairs = fill(desk)
    desk.drain(pairs[0][0])
    desk.stash.faults.add(Fault("status", times=None, path="^/graphql"))
    desk.add(*(scene for scene, _ in pairs))
    desk.work(120)
    assert [server for (server,) in desk.rows("SELECT server FROM outage")] == ["stash"]
    assert desk.rows("SELECT max(attempts) FROM queue") == [(0,)]
    desk.stash.faults.clear()
    desk.work(300)
    assert in_plex(pairs) == [True] * 6
