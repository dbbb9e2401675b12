"""What is kept of each write: what the item showed first, and what each run changed."""

from __future__ import annotations

import pytest

from stash2plex.errors import UsageError
from stash2plex.model import Field
from stash2plex.operations.history import list_runs, list_writes
from stash2plex.operations.undo import Chosen, queue_undo
from stash2plex.rules.first_state import Before
from stash2plex.store import history as history_module
from stash2plex.store.history import KEPT_DAYS, KEPT_WRITES
from stash2plex.sync.goals import Foreground
from stash2plex.sync.observer import Silent
from stash2plex.text import DAY
from stash2plex.ui.lines.history import history_lines, run_lines
from stash2plex_testing.plex import Traits
from stash2plex_testing.stash import picture
from tests.support import present


@pytest.fixture
def pier(make_desk):
    desk = make_desk()
    scene, item = desk.scene("a/pier.mp4", rating100=80), desk.item("a/pier.mp4")
    item.texts["summary"] = "Before"
    item.tags["genre"] = ["Old"]
    item.locked.add("genre")
    return desk, scene, item


def first(desk, item):
    return present(desk.app.store.first_states.get(str(item.rating_key)))


def writes(desk, **chosen):
    given = {"scene_id": None, "run_id": None, "limit": 50, **chosen}
    return [write.as_json() for write in list_writes(desk.app, **given).writes]


def test_the_first_state_is_kept_and_later_writes_do_not_change_it(pier):
    desk, scene, item = pier
    desk.drain(scene)
    kept = first(desk, item)
    assert kept.fields[Field.TITLE] == Before("pier", locked=False)
    assert kept.fields[Field.SUMMARY] == Before("Before", locked=False)
    assert kept.fields[Field.RATING] == Before(None, locked=False)
    scene.title = "Another title"
    desk.drain(scene)
    assert first(desk, item) == kept
    # A field that is written for the first time is kept then.
    assert Field.DATE not in kept.fields
    item.originally_available_at = "2001-02-03"
    scene.date = "2002-02-02"
    desk.drain(scene)
    assert first(desk, item).fields[Field.DATE] == Before("2001-02-03", locked=False)


def test_a_field_that_was_right_already_is_kept_once_it_is_written(pier):
    desk, scene, item = pier
    item.title, item.locked = scene.title, {*item.locked, "title"}
    desk.drain(scene)
    assert Field.TITLE not in first(desk, item).fields
    before = scene.title
    scene.title = "Another title"
    desk.drain(scene)
    assert first(desk, item).fields[Field.TITLE] == Before(before, locked=True)


def test_what_was_written_before_anything_was_kept_is_not_taken_for_the_first_state(pier):
    desk, scene, item = pier
    desk.drain(scene)
    connection = desk.app.store.connection
    connection.execute("UPDATE first_state SET fields = '{}', before_history = 1")
    scene.title = "Another title"
    scene.date = "2002-02-02"
    desk.drain(scene)
    assert set(first(desk, item).fields) == {Field.DATE}


def test_the_history_has_each_write_with_its_run_and_what_plex_made_of_it(pier):
    desk, scene, item = pier
    desk.plex.traits = Traits(rounds_rating=1.0)
    scene.rating100 = 83
    desk.drain(scene)
    (write,) = writes(desk, scene_id=scene.id)
    assert write["cause"] == "save"
    assert write["rating_key"] == str(item.rating_key)
    assert write["fields"]["summary"] == {
        "before": "Before",
        "sent": scene.details,
        "shown": scene.details,
    }
    assert write["fields"]["rating"] == {"before": None, "sent": 8.3, "shown": 8.0}
    desk.clock.step(60)
    scene.details = ""
    desk.drain(scene)
    newest, oldest = writes(desk)
    assert newest["fields"] == {
        "summary": {"before": "Seen at a/pier.mp4.", "sent": "", "shown": ""}
    }
    assert oldest["run_id"] != newest["run_id"]
    assert writes(desk, run_id=newest["run_id"]) == [newest]
    lines = history_lines(list_writes(desk.app, scene_id=scene.id, run_id=None, limit=50))
    assert "  summary: “Seen at a/pier.mp4.” → nothing" in lines


def test_an_edit_of_many_is_one_run_and_a_task_is_another(pier):
    desk, scene, _ = pier
    other = desk.scene("a/quay.mp4")
    desk.item("a/quay.mp4")
    desk.drain(scene, other)
    page = list_runs(desk.app, 10)
    assert [(run.cause, run.scenes, run.writes) for run in page.runs] == [("bulk edit", 2, 2)]
    desk.clock.step(3600)
    scene.title = other.title = "Another title"
    begun = desk.app.store.runs.begin("Sync All Scenes", None, 20.0)
    desk.app.store.queue.enqueue([("scene", scene.id)], run_id=begun.id)
    desk.app.drain(Foreground("test", run_id=begun.id), Silent(), lambda: False)
    page = list_runs(desk.app, 10)
    assert [(run.cause, run.name, run.scenes) for run in page.runs] == [
        ("task", "Sync All Scenes", 1),
        ("bulk edit", "", 2),
    ]
    assert run_lines(page)[0].endswith(": task (Sync All Scenes), 1 scene.")


def test_an_edit_that_sends_pictures_is_in_the_history_with_them(make_desk):
    desk = make_desk(skip_fields="")
    scene = desk.scene("a.mp4", cover=picture(1))
    desk.item("a.mp4")
    desk.drain(scene)
    fields = {
        name
        for write in list_writes(desk.app, scene_id=scene.id, run_id=None, limit=9).as_json()[
            "items"
        ]
        for name in write["fields"]
    }
    assert {"poster", "background", "title"} <= fields
    assert desk.rows("SELECT uploads FROM first_state") == [(2,)]


def test_writes_are_chosen_in_one_way(make_desk):
    desk = make_desk()
    with pytest.raises(UsageError, match="by a scene or by a run, not by both"):
        list_writes(desk.app, scene_id=1, run_id=1, limit=9)


def test_old_writes_are_dropped_but_for_the_newest_of_each_scene(pier):
    desk, scene, _ = pier
    history = desk.app.store.history
    run = history.loose_run("save", desk.clock())
    for number in range(30):
        history.add(run, scene.id, "1", {"title": (f"{number}", f"{number + 1}")})
    history.add(run, scene.id + 1, "2", {"title": ("a", "b")})
    assert history.prune() == 0
    desk.clock.step(91 * 86_400)
    assert history.prune() == 10
    assert history.total(scene_id=scene.id, run_id=None) == 20
    assert history.total(scene_id=scene.id + 1, run_id=None) == 1
    assert history.page(scene_id=scene.id, run_id=None, limit=1, offset=19)[0].fields == {
        "title": ("10", "11")
    }


def test_a_first_state_is_small(pier):
    desk, scene, _ = pier
    scene.details = "A long text of a scene. " * 200
    desk.drain(scene)
    ((size,),) = desk.rows(
        "SELECT sum(length(fields) + length(path) + length(server)) FROM first_state"
    )
    assert size < 1000


def add_writes(history, scene_id, number):
    run = history.loose_run("save", history.clock())
    for one in range(number):
        history.add(run, scene_id, "1", {"title": (f"{one}", f"{one + 1}")})


def kept(history, scene_id):
    return history.total(scene_id=scene_id, run_id=None)


@pytest.mark.parametrize(
    ("days", "writes", "left"),
    [
        # Neither young nor few: both must be over.
        (KEPT_DAYS, KEPT_WRITES + 5, KEPT_WRITES + 5),
        (KEPT_DAYS + 1, KEPT_WRITES, KEPT_WRITES),
        (KEPT_DAYS + 1, KEPT_WRITES + 1, KEPT_WRITES),
        (0, 3 * KEPT_WRITES, 3 * KEPT_WRITES),
    ],
)
def test_a_write_is_kept_for_90_days_or_while_20_newer_ones_are_not_there(
    make_desk, days, writes, left
):
    desk = make_desk()
    history = desk.app.store.history
    add_writes(history, 1, writes)
    desk.clock.step(days * DAY)
    assert (history.prune(), kept(history, 1)) == (writes - left, left)
    # The newest stay.
    newest = history.page(scene_id=1, run_id=None, limit=1, offset=0)[0]
    assert newest.fields == {"title": (f"{writes - 1}", f"{writes}")}


def test_young_writes_of_a_scene_push_out_its_old_ones(make_desk):
    desk = make_desk()
    history = desk.app.store.history
    add_writes(history, 1, 5)
    desk.clock.step((KEPT_DAYS + 1) * DAY)
    add_writes(history, 1, KEPT_WRITES - 2)
    assert (history.prune(), kept(history, 1)) == (3, KEPT_WRITES)
    assert kept(history, 2) == 0


def test_a_step_of_pruning_is_bounded_and_the_next_one_goes_on(make_desk, monkeypatch):
    monkeypatch.setattr(history_module, "PRUNED_AT_ONCE", 10)
    desk = make_desk()
    history = desk.app.store.history
    add_writes(history, 1, KEPT_WRITES + 35)
    while history.prune():
        pass
    desk.clock.step((KEPT_DAYS + 1) * DAY)
    assert [history.prune() for _ in range(5)] == [10, 10, 10, 5, 0]
    assert kept(history, 1) == KEPT_WRITES


def test_pruning_needs_no_call_and_first_states_and_their_way_back_outlast_it(pier):
    desk, scene, item = pier
    shown = (item.title, dict(item.texts), list(item.tags["genre"]))
    desk.drain(scene)
    state = first(desk, item)
    history = desk.app.store.history
    desk.clock.step((KEPT_DAYS + 1) * DAY)
    # As the thousandth write comes, a step looks at the old ones.
    add_writes(history, scene.id, KEPT_WRITES)
    desk.app.store.connection.execute("UPDATE sqlite_sequence SET seq = 999 WHERE name = 'history'")
    add_writes(history, scene.id, 1)
    assert kept(history, scene.id) == KEPT_WRITES + 1
    assert first(desk, item) == state
    queue_undo(desk.app, Chosen(everything=True))
    desk.process(Silent())
    assert (item.title, item.texts, item.tags["genre"]) == shown


def test_there_are_never_more_than_a_million_writes(make_desk, monkeypatch):
    monkeypatch.setattr(history_module, "MAX_WRITES", 30)
    desk = make_desk()
    history = desk.app.store.history
    for scene_id in range(1, 51):
        add_writes(history, scene_id, 1)
    assert history.prune() == 20
    assert history.total(scene_id=None, run_id=None) == 30
    # Their runs go with them, but for the last.
    assert history.number_of_runs() == 1
    assert (kept(history, 20), kept(history, 21)) == (0, 1)
