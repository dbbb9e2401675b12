"""Looks at Stash in a drain: what is polled, how often, and what a sweep has to see to."""

from __future__ import annotations

import threading

import pytest
from attrs import evolve

from stash2plex.db import set_meta
from stash2plex.errors import Transient, Unavailable
from stash2plex.operations.enqueue import enqueue_recent
from stash2plex.servers import stash as stash_client
from stash2plex.store.marks import load_marks, save_marks
from stash2plex.store.meta import SWEEP_MARKS
from stash2plex.sync import sweep as sweeping
from stash2plex.sync.goals import Foreground
from stash2plex.sync.observer import Silent
from tests.harness.in_process import listen
from tests.support import present

POLL = "query ScenePage"
MINUTE = 61.0
MAX_PAGES = 20
"""Pages of one look after which it is taken for one that does not end."""


@pytest.fixture
def small_pages(monkeypatch):
    """Let a page hold three rows, so that a small library has many pages."""
    monkeypatch.setattr(stash_client, "PAGE", 3)
    monkeypatch.setattr(sweeping, "PAGE", 3)


def at_rest(desk, number, **values):
    """Bring scenes in sync, and let the looks come to rest."""
    scenes = [desk.scene(f"a/{n}.mp4", size=n, **values) for n in range(1, number + 1)]
    for n in range(1, number + 1):
        desk.item(f"a/{n}.mp4", size=n)
    desk.drain(*scenes)
    for _ in range(3):
        look(desk)
    return scenes


def look(desk):
    """Let a minute go by and look once; returns how many pages of scenes that costs."""
    desk.clock.step(MINUTE)
    desk.stash.clear_log()

    def asks_for_ever():
        return pages() > MAX_PAGES

    def pages():
        return desk.stash.count(operation=POLL)

    desk.app.drain(Foreground("test"), Silent(), asks_for_ever)
    return pages()


def test_what_was_polled_is_not_polled_again_for_ever(make_desk):
    desk = make_desk()
    scene, _ = at_rest(desk, 2)
    scene.title = "Edited unseen"
    desk.stash.library.touch(scene)
    # The second poll is for what changed within the same second.
    assert [look(desk) for _ in range(4)] == [1, 1, 0, 0]
    assert "Edited unseen" in desk.titles()


def test_a_poll_reads_each_page_once_and_misses_nothing(make_desk, small_pages):
    desk = make_desk()
    scenes = at_rest(desk, 7)
    for scene in scenes:
        scene.title = f"Edited unseen {scene.id}"
        desk.stash.library.touch(scene)
    assert look(desk) == 3
    assert desk.titles() == [scene.title for scene in scenes]


def test_what_a_poll_found_is_told_with_its_number(make_desk):
    desk = make_desk()
    scenes = at_rest(desk, 3)
    for scene in scenes[:2]:
        scene.title = f"Edited unseen {scene.id}"
        desk.stash.library.touch(scene)
    heard = listen(desk)
    look(desk)
    assert [line for line in heard if "changed in Stash" in line] == [
        "2 scenes queued: changed in Stash unseen."
    ]
    heard.clear()
    look(desk)
    assert not [line for line in heard if "changed in Stash" in line]


def test_more_studios_than_one_question_tells_of_are_left_to_a_sweep(make_desk, small_pages):
    desk = make_desk()
    studios = [desk.stash.add_studio(f"Studio {n}") for n in range(3)]
    scenes = at_rest(desk, 2, studio=studios[0])
    desk.clock.step(MINUTE)
    for studio in studios:
        studio.name += ", renamed"
        desk.stash.library.touch(studio)
    heard = listen(desk)
    look(desk)
    assert any("because many studios have changed" in line for line in heard)
    held = [item.texts["studio"] for item in desk.plex.all_items()]
    assert held == ["Studio 0, renamed"] * len(scenes)
    for _ in range(3):
        look(desk)
    assert look(desk) == 0


def test_recent_scenes_are_queued_and_counted_over_all_pages(make_desk, small_pages):
    desk = make_desk()
    desk.scene("a/old.mp4")
    desk.clock.step(2 * 86_400)
    recent = [desk.scene(f"a/{n}.mp4", size=n) for n in range(1, 8)]
    assert enqueue_recent(desk.app, 86_400).sentence() == "7 scenes queued."
    queued = [id_ for (id_,) in desk.rows("SELECT id FROM queue ORDER BY id")]
    assert queued == [scene.id for scene in recent]


def test_a_look_goes_on_while_stash_takes_its_time(make_desk):
    desk = make_desk()
    at_rest(desk, 1)
    take, answers = desk.stash.faults.take, threading.Event()

    def wait_then_take(path, operation):
        answers.wait(30.0)
        return take(path, operation)

    settings = desk.app.settings()
    desk.stash.faults.take = wait_then_take
    desk.clock.step(MINUTE)

    def step(seconds):
        return desk.app.sweeper.step(settings, desk.app.stash, by_clock=False, seconds=seconds)

    assert [step(0.0) for _ in range(3)] == [True] * 3
    answers.set()
    assert step(30.0)
    assert not step(0.0)


def test_a_studio_that_is_gone_asks_for_no_scenes_of_none(make_desk):
    desk = make_desk()
    studio = desk.stash.add_studio("Harbour")
    at_rest(desk, 2, studio=desk.stash.add_studio("Port"))
    desk.stash.library.destroy_entity(studio)
    desk.clock.step(MINUTE)
    assert look(desk) == 0


@pytest.mark.parametrize("text", ["{lantern", '{"looked_at": "once"}'])
def test_marks_that_cannot_be_read_make_a_full_sweep_due_once(make_desk, text):
    desk = make_desk()
    scenes = at_rest(desk, 3)
    scenes[1].title = "Edited before the marks were lost"
    set_meta(desk.app.store.connection, SWEEP_MARKS, text)
    heard = listen(desk)
    assert look(desk) > 0
    assert [line for line in heard if "cannot be read" in line] == [
        "What was last seen of Stash cannot be read; every scene is compared."
    ]
    assert any("because what was last seen of Stash could not be read" in line for line in heard)
    assert desk.plex.all_items()[1].title == "Edited before the marks were lost"
    assert desk.app.store.breakers["stash"].read().state == "closed"
    heard.clear()
    for _ in range(3):
        look(desk)
    assert look(desk) == 0
    assert not any("cannot be read" in line for line in heard)


def test_after_a_restart_of_stash_its_jobs_are_asked_for_from_the_first(make_desk):
    desk = make_desk()
    connection, settings = desk.app.store.connection, desk.app.settings()
    while load_marks(connection) is None:
        desk.app.sweeper.step(settings, desk.app.stash, by_clock=True, seconds=9.0)
    save_marks(connection, evolve(present(load_marks(connection)), last_job=50))
    steps = desk.app.sweeper._look(settings, desk.app.stash)
    first = next(steps)
    again = steps.send(first())
    assert [request.args[-1] for request in (first, again)] == [50, 0]


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
