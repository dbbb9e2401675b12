"""What is kept before a write is sent, and what Plex made of it afterwards."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from attrs import evolve

from stash2plex.app import open_store
from stash2plex.db import transaction
from stash2plex.model import Change, Field, ListChange
from stash2plex.rules.first_state import Before, FirstState
from stash2plex.rules.traits import NO_TRAITS
from stash2plex.sync.apply import Applied
from stash2plex.sync.collections import Collections
from stash2plex.sync.in_flight import InFlight
from stash2plex.sync.keeping import Keeper, sent_by
from stash2plex.sync.picture_keeping import PictureKeeper
from stash2plex.sync.session import Follower
from stash2plex.sync.writes import planned
from stash2plex.workqueue import BULK, URGENT, Claim
from tests.drains.test_write_jobs import job_for
from tests.support import ManualClock, make_item, named, present

TITLE = Field.TITLE
ITEM = make_item(texts={TITLE: "First", Field.SUMMARY: "Before"}, lists={Field.TAGS: ("Old",)})


class Bench:
    """A database, and what keeps the way back in it."""

    def __init__(self, folder):
        self.clock = ManualClock()
        self.store = open_store(folder, self.clock, Random(1))
        self.keeper = Keeper(self.store)
        self.flight = InFlight(1, 1)
        self.collections = Collections(self.store, self.flight, self.clock.monotonic)

    def announce(self, *jobs):
        plans = [planned(job, NO_TRAITS, preserve=False) for job in jobs]
        self.keeper.announce(plans, self.collections, NO_TRAITS, preserve=False)
        return plans

    def first(self, key="7"):
        state = self.store.first_states.get(key)
        return None if state is None else state.fields

    def writes(self, key="7", scene_id=1):
        return [dict(one.fields) for one in self.store.history.of_item(scene_id, key)]

    def causes(self):
        return [(run.cause, run.name) for run in self.store.history.runs(9)]


@pytest.fixture
def bench(tmp_path):
    made = Bench(str(tmp_path))
    yield made
    made.flight.close()
    made.store.connection.close()


def claim(priority=BULK, run_id=0, number=1):
    return Claim("scene", number, "lease", 0, 0, 0, priority, run_id, added_at=50.0)


def test_what_an_item_shows_is_kept_before_the_first_write_and_never_again(bench):
    bench.announce(job_for(ITEM, title="New", details="Text", tags=named("Fog")))
    kept = bench.first()
    assert {name: one.value for name, one in kept.items()} == {
        TITLE: "First",
        Field.SUMMARY: "Before",
        Field.TAGS: ["Old"],
    }
    (write,) = bench.writes()
    assert {name: tuple(values) for name, values in write.items()} == {
        "title": ("First", "New"),
        "summary": ("Before", "Text"),
        "tags": (["Old"], ["Fog"]),
    }
    ours = evolve(ITEM, texts={TITLE: "New", Field.SUMMARY: "Text"})
    bench.announce(job_for(ours, title="Newer", details="Text"))
    assert bench.first()[TITLE] == Before("First", locked=False)
    assert bench.store.first_states.get("7").path == "/media/a.mp4"


def test_a_write_that_changes_nothing_keeps_nothing(bench):
    held = evolve(ITEM, texts={TITLE: "New"}, lists={}, locked=frozenset({TITLE}))
    (plan,) = bench.announce(job_for(held, title="New"))
    assert (plan.change.fields, plan.change.locks) == ((), frozenset())
    assert (bench.first(), bench.writes()) == (None, [])
    # A lock alone is kept, and is in no history.
    (plan,) = bench.announce(job_for(evolve(held, locked=frozenset()), title="New"))
    assert plan.change.locks == {TITLE}
    assert bench.first() == {TITLE: Before("New", locked=False)}
    assert bench.writes() == []


def test_what_changes_nothing_keeps_nothing_from_what_comes_after_it(bench):
    held = evolve(ITEM, texts={TITLE: "New"}, lists={}, locked=frozenset({TITLE}))
    others = [evolve(ITEM, rating_key=key) for key in ("8", "9")]
    bench.announce(
        job_for(others[0], 2, title="New"),
        job_for(held, title="New"),
        job_for(others[1], 3, title="New"),
    )
    assert [len(bench.writes(key, number)) for key, number in (("7", 1), ("8", 2), ("9", 3))] == [
        0, 1, 1,
    ]  # fmt: skip


def test_items_that_follow_are_kept_too(bench):
    other = evolve(ITEM, rating_key="8", section_id="2", texts={TITLE: "Other"})
    job = job_for(ITEM, title="New")
    bench.announce(evolve(job, followers=(Follower(other, job.match.file, None),)))
    assert bench.first()[TITLE].value == "First"
    assert bench.first("8")[TITLE].value == "Other"
    assert len(bench.writes("8")) == 1
    with transaction(bench.store.connection):
        record = present(planned(job, NO_TRAITS, preserve=False).record)
        follower = evolve(record, rating_key="8")
        bench.keeper.written(job, Applied(record, (TITLE,), 1.0, followers=(follower,)))
    ended = bench.store.connection.execute("SELECT rating_key, ended FROM history ORDER BY 1")
    assert list(ended) == [("7", 1), ("8", 1)]


def test_the_cause_of_a_write_is_a_save_a_comparison_or_a_task(bench):
    run = bench.store.runs.begin("Sync All Scenes", None, 20.0)
    for number, of in enumerate((claim(URGENT), claim(BULK), claim(BULK, run.id))):
        item = evolve(ITEM, rating_key=str(number))
        bench.announce(evolve(job_for(item, title="New"), claim=of))
    assert bench.causes() == [("task", "Sync All Scenes"), ("comparison", ""), ("save", "")]


def test_an_item_of_another_file_begins_with_a_first_state_of_its_own(bench):
    bench.announce(job_for(ITEM, title="New"))
    same = evolve(ITEM, paths=(r"\media\a.mp4", "/media/b.mp4"))
    assert bench.keeper.first_state(same, "/media/b.mp4") is not None
    assert bench.keeper.first_state(evolve(ITEM, paths=()), "/media/a.mp4") is not None
    other = evolve(ITEM, paths=("/media/b.mp4",), texts={TITLE: "Another"})
    assert bench.keeper.first_state(other, "/media/b.mp4") is None
    assert bench.keeper.first_state(evolve(ITEM, rating_key="9"), "/media/a.mp4") is None
    bench.announce(job_for(other, title="New"))
    state = bench.store.first_states.get("7")
    assert (state.path, state.fields[TITLE].value) == ("/media/b.mp4", "Another")
    # Another scene of the same item takes it over.
    bench.announce(job_for(evolve(other, texts={TITLE: "New"}), 5, title="Newer"))
    assert bench.store.first_states.get("7").scene_id == 5


def test_what_plex_made_of_a_write_is_in_its_history(bench):
    (plan,) = bench.announce(job_for(ITEM, title="New", details="Text"))
    with transaction(bench.store.connection):
        bench.store.history.end(1, "7")
    before = evolve(plan.record, unread={"title": "First", "summary": "Before"}, shown={})

    def shown():
        (write,) = bench.store.history.of_item(1, "7")
        return dict(write.shown)

    # A field that was not to be read back, and one that is as it was sent.
    bench.keeper.read_back(before, evolve(before, unread={}, shown={"studio": "quay"}))
    assert shown() == {}
    bench.keeper.read_back(before, evolve(before, unread={}, shown={"title": "new"}))
    assert shown() == {"title": "new"}


def test_what_a_change_sends_is_listed_with_what_was_there():
    item = evolve(ITEM, rating=6.0)
    change = Change(
        {TITLE: "New"}, {Field.TAGS: ListChange(("Fog", "Ebb"), ("Old",))}, clear_rating=True
    )
    expected: dict[str, tuple[Any, Any]] = {
        "title": ("First", "New"),
        "tags": (["Old"], ["Fog", "Ebb"]),
        "rating": (6.0, None),
    }
    assert sent_by(change, item) == expected
    rated = evolve(change, clear_rating=False, rating=8.0)
    assert sent_by(rated, item)["rating"] == (6.0, 8.0)
    assert "rating" not in sent_by(evolve(change, clear_rating=False), item)


POSTER, BACKGROUND = Field.POSTER, Field.BACKGROUND


def test_of_which_pictures_it_is_known_what_was_chosen_first(make_desk):
    store = make_desk().app.store
    keeper = PictureKeeper(store)
    states = store.first_states
    state = FirstState(1, "7", states.server, "1", "/media/a.mp4", 9.0)

    def keep(state, *names):
        with store.connection:
            states.keep(state, {name: Before("", locked=False) for name in names})

    assert (keeper.known_pictures("7"), keeper.has_uploads("7")) == (frozenset(), False)
    keep(state, Field.TITLE, POSTER)
    assert keeper.known_pictures("7") == {POSTER}
    keep(evolve(state, rating_key="8", before_history=True), POSTER)
    assert keeper.known_pictures("8") == {POSTER, BACKGROUND}
    with store.connection:
        states.count_uploads("8", 1)
        states.put_back(evolve(state, rating_key="8"), {}, is_done=True)
    # What was put back is forgotten; that pictures of ours are there is not.
    assert (keeper.known_pictures("8"), keeper.has_uploads("8")) == (frozenset(), True)
    assert not keeper.has_uploads("7")
