"""Which run a write belongs to, what is kept of it, and which writes are pruned."""

from __future__ import annotations

import pytest
from attrs import asdict

from stash2plex.store.history import History, Write, WriteRun
from tests.support import ManualClock

DAY = 86_400.0
NOW = 1_000_000_000.0


@pytest.fixture
def clock():
    return ManualClock(NOW)


@pytest.fixture
def history(database, clock):
    return History(database, clock)


def write(history, run, scene, key="7", **fields):
    history.add(run, scene, key, fields or {"title": ("", f"Pier {scene}")})


def told(runs):
    return [(one.id, one.cause, one.name, one.writes, one.scenes) for one in runs]


def test_a_task_has_one_run_of_writes_with_its_name_and_its_cause(database, history):
    names = {3: "Sync", 4: "Reconcile all", 5: "Put back"}
    for number, name in names.items():
        database.execute(
            "INSERT INTO run (id, name, began_at, state, pid) VALUES (?, ?, 1.0, 'open', 1)",
            (number, name),
        )
    first = history.task_run(3)
    assert [history.task_run(3), history.task_run(3, undoes=True)] == [first, first]
    compared, undone, nameless = (
        history.task_run(4), history.task_run(5, undoes=True), history.task_run(6),
    )  # fmt: skip
    assert [history.task_run(number) for number in (3, 4, 5, 6)] == [
        first, compared, undone, nameless,
    ]  # fmt: skip
    assert told(history.runs(9)) == [
        (nameless, "task", "", 0, 0),
        (undone, "undo", "Put back", 0, 0),
        (compared, "comparison", "Reconcile all", 0, 0),
        (first, "task", "Sync", 0, 0),
    ]
    assert told(history.runs(2, 1)) == told(history.runs(9))[1:3]
    assert history.number_of_runs() == 4
    assert (history.run(first + 90), history.run(first)) == (None, history.runs(9)[3])


def test_keys_that_were_added_within_five_seconds_are_one_edit(history):
    task = history.task_run(1)
    first = history.loose_run("save", 100.0)
    assert first != task
    assert history.loose_run("save", 105.0) == first
    # Each key of the edit counts, the newest of them too; an older one leaves it there.
    assert history.loose_run("save", 110.0) == first
    assert history.loose_run("save", 106.0) == first
    assert history.loose_run("save", 115.0) == first
    assert history.loose_run("save", 110.0) == first
    later = history.loose_run("save", 120.5)
    assert later != first
    assert history.loose_run("save", 109.5) not in (first, later)
    other = history.loose_run("comparison", 115.0)
    assert other not in (first, later)
    # Between two, the newer one.
    assert history.loose_run("save", 118.0) == later


def test_a_run_of_saves_with_several_scenes_is_a_bulk_edit(history, clock):
    one, several, compared = (
        history.loose_run("save", 100.0),
        history.loose_run("save", 200.0),
        history.loose_run("comparison", 300.0),
    )
    for run, scenes in ((one, (1, 1)), (several, (1, 2, 2)), (compared, (1, 2))):
        for scene in scenes:
            clock.step(10)
            write(history, run, scene)
    assert history.runs(9) == [
        WriteRun(compared, "comparison", "", NOW, NOW + 70, 2, 2),
        WriteRun(several, "bulk edit", "", NOW, NOW + 50, 3, 2),
        WriteRun(one, "save", "", NOW, NOW + 20, 2, 1),
    ]
    assert [history.run(run) for run in (compared, several, one)] == history.runs(9)
    assert history.scenes_of_run(several) == [1, 2]
    assert history.scenes_of_run(one) == [1]


def test_writes_are_listed_newest_first_all_or_of_a_scene_or_of_a_run(history):
    first, second = history.loose_run("save", 100.0), history.loose_run("save", 200.0)
    for run, scene in ((first, 1), (first, 2), (second, 1), (second, 3), (second, 1)):
        write(history, run, scene)

    def page(scene_id=None, run_id=None, limit=9, offset=0):
        found = history.page(scene_id=scene_id, run_id=run_id, limit=limit, offset=offset)
        return [one.id for one in found], history.total(scene_id=scene_id, run_id=run_id)

    assert page() == ([5, 4, 3, 2, 1], 5)
    assert page(limit=2, offset=1) == ([4, 3], 5)
    assert page(scene_id=1) == ([5, 3, 1], 3)
    assert page(scene_id=1, limit=1, offset=1) == ([3], 3)
    assert page(run_id=first) == ([2, 1], 2)
    assert page(run_id=second, limit=1, offset=2) == ([3], 3)
    assert page(scene_id=2, run_id=second) == ([2], 1)
    assert page(scene_id=0) == ([], 0)
    assert [one.id for one in history.of_item(1, "7")] == [1, 3, 5]
    assert history.of_item(1, "8") == []


def test_a_write_whose_end_is_unknown_is_one_with_the_next(history, clock):
    run, later = history.loose_run("save", 100.0), history.loose_run("save", 200.0)
    history.announce(run, 1, "7", {"title": ("First", "Ours"), "studio": ("", "Quay")})
    history.announce(run, 1, "8", {"title": ("There", "Ours")})
    clock.step(5)
    history.announce(later, 1, "7", {"title": ("Ours", "Ours again"), "summary": ("", "Text")})
    both = Write(
        1, run, NOW + 5, 1, "7",
        {"title": ("First", "Ours again"), "studio": ("", "Quay"), "summary": ("", "Text")},
        {}, has_ended=False,
    )  # fmt: skip
    assert history.of_item(1, "7") == [both]
    history.end(1, "7")
    assert [one.has_ended for one in history.of_item(1, "7")] == [True]
    assert [one.has_ended for one in history.of_item(1, "8")] == [False]
    history.announce(later, 1, "7", {"title": ("Ours again", "New")})
    assert [(one.run_id, one.fields, one.has_ended) for one in history.of_item(1, "7")][1:] == [
        (later, {"title": ("Ours again", "New")}, False)
    ]


def test_pictures_join_the_write_that_they_follow(history):
    run = history.loose_run("save", NOW - 60)
    write(history, run, 1)
    write(history, run, 1, "8")
    history.add_pictures(1, "7", {"poster": ("", "a")})
    history.add_pictures(1, "7", {"background": ("", "b")})
    assert [one.fields for one in history.of_item(1, "7")] == [
        {"title": ("", "Pier 1"), "poster": ("", "a"), "background": ("", "b")}
    ]
    # Another poster is another write, in the same run.
    history.add_pictures(1, "7", {"poster": ("a", "c")})
    last = history.of_item(1, "7")[-1]
    assert (last.fields, last.run_id, last.has_ended) == ({"poster": ("a", "c")}, run, True)
    assert [one.fields for one in history.of_item(1, "8")] == [{"title": ("", "Pier 1")}]
    # Where nothing is known of the item, they are a save of their own.
    history.add_pictures(2, "9", {"poster": ("", "d")})
    (own,) = history.of_item(2, "9")
    assert own.run_id != run
    assert (own.cause, own.name, own.has_ended) == ("save", "", True)


def test_what_plex_made_of_a_write_is_added_to_the_newest_one(history):
    run = history.loose_run("save", 100.0)
    write(history, run, 1, title=("", "PIER"), studio=("", "QUAY"))
    write(history, run, 1, title=("PIER", "BUOY"), studio=("QUAY", "MOLE"))
    write(history, run, 1, "8", title=("", "PIER"))
    history.note_shown(1, "7", {"title": "Buoy", "summary": "of an earlier write"})
    history.note_shown(1, "7", {"studio": "Mole"})
    history.note_shown(1, "7", {"summary": "of an earlier write"})
    history.note_shown(2, "7", {"title": "of no write"})
    assert [one.shown for one in history.of_item(1, "7")] == [
        {}, {"title": "Buoy", "studio": "Mole"},
    ]  # fmt: skip
    history.note_shown(1, "7", {"title": "BUOY!"})
    assert history.of_item(1, "7")[1].shown == {"title": "BUOY!", "studio": "Mole"}
    assert history.of_item(1, "8")[0].shown == {}


def test_damaged_parts_of_a_write_are_left_out(database, history):
    run = history.loose_run("save", 100.0)
    write(history, run, 1)
    write(history, run + 90, 2)
    database.execute(
        """UPDATE history SET shown = 'no JSON', fields =
        '{"date": "none", "title": ["", "Pier"], "studio": ["one"], "tags": [["a"], ["b"]]}'
        WHERE id = 1"""
    )
    lost, other = history.of_item(1, "7")[0], history.of_item(2, "7")[0]
    assert asdict(lost) == {
        "id": 1, "run_id": run, "at": NOW, "scene_id": 1, "rating_key": "7",
        "fields": {"title": ("", "Pier"), "tags": (["a"], ["b"])}, "shown": {},
        "has_ended": True, "cause": "save", "name": "",
    }  # fmt: skip
    # Its run is gone.
    assert (other.cause, other.name) == ("save", "")


def test_old_writes_go_once_their_scene_has_twenty_newer_ones(history, clock):
    run = history.loose_run("save", 100.0)
    for number in range(22):
        write(history, run, 1, title=("", f"Pier {number}"))
        write(history, run, 2 + number)
    clock.step(90 * DAY)
    assert history.prune() == 0
    clock.step(1)
    # The two oldest of the first scene; each other scene has one only.
    assert history.prune() == 2
    assert [one.fields["title"][1] for one in history.of_item(1, "7")] == [
        f"Pier {number}" for number in range(2, 22)
    ]
    assert history.total(scene_id=None, run_id=None) == 42
    assert history.prune() == 0


def test_a_run_goes_with_its_last_write_but_never_the_newest_one(history, clock):
    empty, old, kept = (history.loose_run("save", 100.0 * number) for number in (1, 2, 3))
    for _ in range(21):
        write(history, old, 1)
    for _ in range(20):
        write(history, kept, 1)
    newest = history.loose_run("save", 900.0)
    clock.step(90 * DAY + 1)
    assert [one.id for one in history.runs(9)] == [newest, kept, old, empty]
    assert history.prune() == 21
    assert [one.id for one in history.runs(9)] == [newest, kept]


def test_pruning_goes_on_where_it_stopped(history, clock, monkeypatch):
    monkeypatch.setattr("stash2plex.store.history.PRUNED_AT_ONCE", 10)
    run = history.loose_run("save", 100.0)
    for scene in (1, 2):
        for _ in range(25):
            write(history, run, scene)
    clock.step(90 * DAY + 1)
    assert [history.prune() for _ in range(8)] == [5, 0, 5, 0, 0, 0, 0, 0]
    assert history.total(scene_id=None, run_id=None) == 40


def test_more_writes_than_are_kept_in_all_go_oldest_first(history, monkeypatch):
    monkeypatch.setattr("stash2plex.store.history.MAX_WRITES", 30)
    monkeypatch.setattr("stash2plex.store.history.PRUNED_AT_ONCE", 2)
    run = history.loose_run("save", 100.0)
    for scene in range(1, 31):
        write(history, run, scene)
    assert history.total(scene_id=None, run_id=None) == 30
    # Each second write prunes, so that no more than one is ever too many.
    for scene in range(31, 36):
        write(history, run, scene)
    assert history.total(scene_id=None, run_id=None) == 31
    assert [
        one.scene_id for one in history.page(scene_id=None, run_id=None, limit=1, offset=30)
    ] == [5]
