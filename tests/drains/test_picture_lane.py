"""The pictures that wait: which of them begin, what a failure means for them, and when they end."""

from __future__ import annotations

from stash2plex.model import Record
from stash2plex.rules.endpoints import FAILURES, POSTERS, EndpointState
from stash2plex.store.waiting_pictures import FRESH
from stash2plex.sync.picture_lane import FULL, KEPT_BACK, MAX_BEGUN
from stash2plex.workqueue import BULK
from stash2plex_testing.plex import Fault, scopes
from tests.harness.lanes import Kept
from tests.support import make_scene


def test_pictures_are_sent_and_no_longer_wait(make_pier):
    pier = make_pier(3)
    pier.wait_for()
    assert not pier.lane.busy
    assert pier.fill() == 3
    assert pier.lane.busy
    assert [row[-1] for row in pier.rows()] == [1, 1, 1]
    pier.finish()
    assert not pier.lane.busy
    assert (pier.rows(), pier.uploads()) == ([], [2, 2, 2])
    # What was shown before is kept, and so is which cover was sent.
    kept = pier.desk.rows("SELECT scene_id, uploads FROM first_state ORDER BY scene_id")
    assert kept == [(scene.id, 2) for scene in pier.scenes]
    hashes = pier.desk.rows("SELECT poster_hash = background_hash, cover_tag FROM scene_record")
    assert [equal for equal, _ in hashes] == [1, 1, 1]
    assert all(tag.startswith("t=") for _, tag in hashes)


def test_four_scenes_are_under_way_at_a_time_and_one_while_plex_is_tried(make_pier):
    pier = make_pier(6)
    pier.wait_for()
    assert pier.fill(single=True) == 1
    assert pier.fill(single=True) == 1
    assert pier.fill() == 4
    assert pier.fill() == 4
    pier.finish()
    assert pier.fill() == 2
    pier.finish()
    assert pier.rows() == []


def test_a_scene_that_is_to_be_put_back_begins_a_day_later(make_pier):
    pier = make_pier(2)
    pier.wait_for()
    with pier.store.connection as database:
        database.execute(
            "INSERT INTO undo (scene_id, asked, job, at) VALUES (?, '{}', 0, 0)",
            (pier.scenes[0].id,),
        )
    assert pier.fill() == 1
    pier.finish()
    assert [row[0] for row in pier.rows()] == [pier.scenes[0].id]
    assert pier.due_in() == [KEPT_BACK]
    assert pier.uploads() == [0, 2]


def test_pictures_without_an_item_have_their_scene_looked_at(make_pier):
    pier = make_pier(3)
    pier.wait_for()
    pier.store.records.drop(pier.scenes[0].id)
    pier.store.records.detach(pier.scenes[1].id, str(pier.items[1].rating_key))
    assert pier.fill() == 1
    pier.finish()
    assert pier.rows() == []
    assert pier.desk.rows("SELECT id, priority FROM queue ORDER BY id") == [
        (scene.id, BULK) for scene in pier.scenes[:2]
    ]


def test_pictures_whose_item_is_another_one_have_their_scene_looked_at(make_pier):
    pier = make_pier(2)
    pier.wait_for()
    pier.desk.plex.remove_item(pier.items[0])
    pier.send()
    assert pier.rows() == []
    assert pier.desk.rows("SELECT id FROM queue") == [(pier.scenes[0].id,)]
    prints = pier.desk.rows("SELECT fingerprint = '' FROM scene_record ORDER BY scene_id")
    assert prints == [(1,), (0,)]


def test_pictures_that_ended_the_process_are_sent_alone(make_pier):
    pier = make_pier(3)
    pier.wait_for()
    pier.set(pier.scenes[0], begun=1)
    assert pier.fill() == 2
    assert not pier.lane.is_sending(pier.scenes[0].id)
    pier.finish()
    # A key that waits could be lost with it too.
    pier.desk.add(pier.scenes[2])
    assert pier.fill() == 0
    pier.store.connection.execute("DELETE FROM queue")
    assert pier.fill() == 1
    pier.finish()
    assert pier.uploads() == [2, 2, 2]


def test_pictures_that_ended_the_process_five_times_are_given_up(make_pier):
    pier = make_pier(2)
    pier.wait_for(pier.scenes[0])
    pier.set(pier.scenes[0], begun=MAX_BEGUN - 1)
    pier.send()
    assert pier.desk.dead() == {}
    first, second = pier.scenes
    pier.wait_for(second)
    pier.set(second, begun=MAX_BEGUN, attempts=2)
    pier.send()
    told = f"The worker ended {MAX_BEGUN} times while it sent the pictures."
    assert pier.desk.rows("SELECT id, title, reason, error, attempts FROM dead_letter") == [
        (second.id, "About 2.mp4", "interrupted", told, 3)
    ]
    assert pier.lines[-1] == f"Given up on the pictures of “About 2.mp4”: {told}"
    assert (pier.rows(), pier.uploads()) == ([], [2, 0])
    assert first.id not in pier.desk.dead()


def test_a_scene_without_a_title_is_given_up_by_its_number(make_pier):
    pier = make_pier(1)
    pier.wait_for()
    pier.set(pier.scenes[0], begun=MAX_BEGUN)
    with pier.store.connection as database:
        database.execute("UPDATE scene_record SET written = '{}'")
    pier.send()
    assert pier.lines[-1].startswith(f"Given up on the pictures of “scene {pier.scenes[0].id}”: ")


def test_an_endpoint_that_fails_keeps_its_pictures_waiting_and_lets_the_others_go(make_pier):
    pier = make_pier(2)
    pier.wait_for()
    pier.desk.plex.faults.add(Fault("status", times=None, **scopes.uploads("posters")))
    pier.send()
    assert [row[1:] for row in pier.rows()] == [("posters", 0, 1, 0, 0)] * 2
    assert all(2.5 <= seconds <= 5.0 for seconds in pier.due_in())
    (state,) = pier.store.pictures.endpoints()
    assert (state.name, state.failures, state.is_shut) == ("posters", 2, False)
    assert state.since == pier.desk.clock()
    assert state.reason == "Plex answered the upload of a poster with 500."
    assert [{*item.selected} for item in pier.items] == [{"arts"}] * 2
    # Pictures that are not due yet do not begin.
    assert pier.fill() == 0
    pier.desk.clock.step(5.0)
    pier.send()
    assert [row[1:] for row in pier.rows()] == [("posters", 0, 2, 0, 0)] * 2
    assert all(5.0 <= seconds <= 10.0 for seconds in pier.due_in())
    (state,) = pier.store.pictures.endpoints()
    assert (state.failures, state.is_shut) == (4, True)
    assert [line for line in pier.lines if "texts go on" in line] == [
        f"{state.reason} The posters wait, the texts go on; nothing is lost."
    ]


def test_a_shut_endpoint_is_tried_with_one_scene_and_then_opens(make_pier):
    pier = make_pier(4)
    pier.wait_for()
    pier.desk.plex.faults.add(Fault("status", times=None, **scopes.uploads("posters")))
    pier.send()
    pier.desk.clock.step(60.0)
    assert pier.fill() == 1, "one of those that wait tries it"
    assert pier.fill() == 1
    pier.finish()
    pier.desk.plex.faults.clear()
    pier.desk.clock.step(60.0)
    assert pier.fill() == 1
    pier.finish()
    assert pier.lines[-1] == "The posters go through again after 2 min 00 s."
    assert pier.store.pictures.endpoints() == []
    assert [row[1:] for row in pier.rows()] == [(FRESH, 0, row[3], 1, 0) for row in pier.rows()]
    pier.send()
    assert pier.rows() == []
    assert pier.uploads() == [2, 2, 2, 2]


def test_a_shut_endpoint_is_not_tried_while_as_many_are_under_way_as_may_be(make_pier):
    pier = make_pier(6)
    pier.wait_for()
    now = pier.desk.clock()
    pier.store.pictures.set_endpoint(EndpointState(POSTERS, FAILURES, now, 0, now + 30.0, "Fog."))
    assert pier.fill() == 4
    pier.desk.clock.step(60.0)
    assert pier.fill() == 4
    pier.finish()
    # The last two, and one of the first four with what it lacks.
    assert pier.fill() == 3


def test_a_failure_of_one_item_counts_against_it_alone(make_pier):
    pier = make_pier(2, max_retries=2)
    pier.wait_for(pier.scenes[0])
    pier.set(pier.scenes[0], suspect=1)
    pier.desk.plex.faults.add(Fault("status", times=None, **scopes.item(pier.items[0], "upload")))
    pier.send()
    assert pier.rows() == [(pier.scenes[0].id, FRESH, 1, 1, 0, 0)]
    assert all(0.0 <= seconds <= 5.0 for seconds in pier.due_in())
    assert [state.name for state in pier.store.pictures.endpoints()] == ["backgrounds", "posters"]
    pier.desk.clock.step(5.0)
    pier.set(pier.scenes[0], suspect=1)
    pier.send()
    assert pier.rows() == []
    ((_, *given_up),) = pier.desk.rows("SELECT id, title, reason, attempts FROM dead_letter")
    assert given_up == ["About 1.mp4", "unavailable", 2]


def test_a_server_that_is_away_is_no_failure_of_the_pictures(make_pier):
    pier = make_pier(2)
    pier.wait_for()
    pier.desk.plex.down()
    pier.send()
    assert [row[1:] for row in pier.rows()] == [(FRESH, 0, 1, 0, 0)] * 2
    assert all(1.0 <= seconds <= 15.0 for seconds in pier.due_in())
    assert pier.store.pictures.endpoints() == []
    assert pier.store.breakers["plex"].read().failures == 2


def test_texts_wait_for_pictures_only_where_those_go_out(make_pier):
    pier = make_pier(1)
    (scene,) = pier.lane.session.stash.scenes([pier.scenes[0].id]).values()
    (item,) = pier.lane.session.plex.items([str(pier.items[0].rating_key)]).values()
    record = pier.store.records.get(scene.id)
    assert isinstance(record, Record)

    def add(number):
        job = Kept(make_scene(number, title=f"Kept {number}"), item)
        with pier.store.connection:
            pier.lane.add(job, record)

    for number in range(1_001, 1_000 + FULL):
        add(number)
    assert not pier.lane.is_full
    add(1_000 + FULL)
    assert pier.lane.is_full
    assert len(pier.rows()) == FULL
    pier.desk.plex.faults.add(Fault("status", times=None, **scopes.uploads()))
    pier.wait_for()
    pier.store.connection.execute("UPDATE waiting_picture SET due_at = 9e9 WHERE scene_id > 1000")
    pier.send()
    assert not pier.lane.is_full


def test_whether_a_cover_waits_is_asked_by_its_tag(make_pier):
    pier = make_pier(2)
    pier.wait_for(pier.scenes[0])
    scenes = pier.lane.session.stash.scenes([scene.id for scene in pier.scenes])
    assert [pier.lane.is_waiting(scene) for scene in scenes.values()] == [True, False]
    pier.set(pier.scenes[0], tag="t=0")
    assert not pier.lane.is_waiting(scenes[pier.scenes[0].id])
