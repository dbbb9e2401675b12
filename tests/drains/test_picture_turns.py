"""One turn of the pictures: how long each waits after a failure, and which go beside each other."""

from __future__ import annotations

import pytest
from attrs import evolve

from stash2plex.rules.desired import desired_state
from stash2plex.rules.endpoints import EndpointState
from stash2plex.store.metrics import read_metrics
from stash2plex.store.waiting_pictures import FRESH
from stash2plex.sync.picture_lane import MAX_BEGUN
from stash2plex_testing.plex import Fault, scopes
from tests.harness.lanes import Kept
from tests.support import Edge, present, until


@pytest.mark.parametrize(("high", "seconds"), [(False, 1.0), (True, 15.0)])
def test_pictures_whose_scene_or_item_could_not_be_read_wait_for_their_server(
    make_pier, high, seconds
):
    pier = make_pier(1, Edge(high=high))
    pier.wait_for()
    pier.lines.clear()
    pier.desk.plex.down()
    pier.send()
    assert pier.due_in() == [seconds]
    waits = f"{seconds:.0f} s"
    (line,) = [line for line in pier.lines if line.startswith("The pictures of")]
    assert line.startswith(f"The pictures of scene 1 wait {waits}: Plex ")


@pytest.mark.parametrize(("high", "seconds"), [(False, [2.5, 5.0]), (True, [5.0, 10.0])])
def test_pictures_wait_twice_as_long_after_each_failure_of_their_endpoint(make_pier, high, seconds):
    pier = make_pier(1, Edge(high=high))
    pier.wait_for()
    pier.desk.plex.faults.add(Fault("status", times=None, **scopes.uploads("arts")))
    met = []
    for _ in range(2):
        pier.send()
        met += pier.due_in()
        pier.desk.clock.step(met[-1])
    assert met == seconds
    pier.set(pier.scenes[0], failures=10)
    pier.store.pictures.endpoint_works("backgrounds")
    pier.set(pier.scenes[0], suspect=0)
    pier.send()
    assert pier.due_in() == [60.0 if high else 30.0]


def test_a_scene_that_cannot_be_read_counts_against_itself(make_pier):
    pier = make_pier(2, Edge(high=True), max_retries=2)
    pier.wait_for()
    pier.lane.session.stash.scenes([pier.scenes[1].id])
    pier.desk.stash.faults.add(
        "graphql_error", operation="s1: findScene", message="unexpected null", times=None
    )
    pier.send()
    assert pier.rows() == [(1, FRESH, 1, 1, 0, 0)]
    assert pier.due_in() == [5.0]
    assert pier.store.pictures.endpoints() == []
    pier.desk.clock.step(5.0)
    pier.send()
    assert pier.rows() == []
    ((_, title, attempts),) = pier.desk.rows("SELECT id, title, attempts FROM dead_letter")
    assert (title, attempts) == ("About 1.mp4", 2)


def test_a_scene_without_a_record_is_given_up_by_its_number(make_pier):
    pier = make_pier(1)
    pier.wait_for()
    pier.set(pier.scenes[0], begun=MAX_BEGUN)
    pier.store.records.drop(pier.scenes[0].id)
    pier.send()
    assert pier.lines[-1].startswith("Given up on the pictures of “scene 1”: ")


def test_two_endpoints_are_tried_at_a_time_each_with_a_scene_of_its_own(make_pier):
    pier = make_pier(2)
    pier.wait_for()
    for name in ("backgrounds", "posters"):
        pier.store.pictures.set_endpoint(EndpointState(name, 3, pier.desk.clock(), 1, 0.0, "away"))
    pier.set(pier.scenes[0], waits_for="posters")
    pier.set(pier.scenes[1], waits_for="backgrounds")
    assert pier.fill() == 2
    pier.finish()
    assert pier.store.pictures.endpoints() == []


def test_pictures_that_wait_for_an_endpoint_take_no_place_beyond_those_there_are(make_pier):
    pier = make_pier(6)
    pier.wait_for()
    pier.set(pier.scenes[4], waits_for="posters")
    pier.set(pier.scenes[5], waits_for="backgrounds")
    assert pier.fill() == 4
    assert not any(pier.lane.is_sending(scene.id) for scene in pier.scenes[4:])


@pytest.mark.parametrize("why", ["asked back", "ended the process"])
def test_what_does_not_begin_leaves_its_place_to_another(make_pier, why):
    pier = make_pier(5)
    pier.wait_for()
    pier.set(pier.scenes[4], waits_for="posters")
    if why == "asked back":
        with pier.store.connection as database:
            database.execute("INSERT INTO undo (scene_id, asked, job, at) VALUES (1, '{}', 0, 0)")
        pier.set(pier.scenes[0], due_at=0.0)
    else:
        pier.set(pier.scenes[0], begun=1)
    assert pier.fill() == 4
    assert not pier.lane.is_sending(pier.scenes[0].id)


def test_what_is_known_of_a_scene_is_not_read_again_unless_cover_or_item_changed(make_pier):
    pier = make_pier(3)
    scenes = pier.lane.session.stash.scenes([1, 2, 3])
    items = pier.lane.session.plex.items([str(item.rating_key) for item in pier.items])
    with pier.store.connection:
        for scene, item in zip(scenes.values(), items.values(), strict=True):
            job = Kept(scene, item)
            job.desired = desired_state(scene, pier.lane.session.settings)
            record = present(pier.store.records.get(scene.id))
            # What was in hand for the third is another item than the one that it has now.
            pier.lane.add(job, evolve(record, rating_key="9") if scene.id == 3 else record)
    pier.set(pier.scenes[1], tag="t=1")
    pier.desk.plex.clear_log()
    pier.send()
    read = [one.path for one in pier.desk.plex.requests if one.path.startswith("/library/metadata")]
    assert {path for path in read if path.count("/") == 3} == {
        f"/library/metadata/{item.rating_key}" for item in pier.items[1:]
    }


def test_pictures_that_are_sent_are_counted(make_pier):
    pier = make_pier(2)
    pier.wait_for()
    pier.send()
    pier.store.meter.flush(pier.store.connection)
    fields = read_metrics(pier.store.connection).fields
    assert (fields["poster"], fields["background"]) == (2, 2)


def test_what_waits_for_different_endpoints_fills_the_places_together(make_pier):
    pier = make_pier(4)
    pier.wait_for()
    pier.set(pier.scenes[2], waits_for="posters")
    pier.set(pier.scenes[3], waits_for="backgrounds")
    assert pier.fill() == 4


def test_an_item_that_went_away_during_the_upload_counts_against_its_scene(make_pier):
    pier = make_pier(2, Edge(high=True), max_retries=2)
    pier.wait_for()
    pier.desk.plex.faults.add(
        Fault("status", status=404, times=None, **scopes.item(pier.items[0], "upload"))
    )
    pier.send()
    assert pier.rows() == [(1, FRESH, 1, 1, 0, 0)]
    assert pier.due_in() == [5.0]
    assert pier.store.pictures.endpoints() == []


def test_an_endpoint_that_served_another_scene_meanwhile_is_not_to_blame(make_pier):
    pier = make_pier(3, Edge(high=True))
    pier.wait_for()
    pier.desk.plex.faults.add(Fault("hang", times=None, **scopes.item(pier.items[0], "upload")))
    pier.fill()
    until(lambda: (pier.flight.collect(1.0), len(pier.rows()) == 1)[1])
    pier.desk.plex.faults.clear()
    pier.finish()
    assert pier.rows() == [(1, FRESH, 1, 1, 0, 0)]
    assert pier.store.pictures.endpoints() == []


def test_endpoints_that_failed_a_little_are_forgotten_in_silence_once_they_work(make_pier):
    pier = make_pier(1)
    pier.wait_for()
    for name in ("covers", "posters", "backgrounds"):
        pier.store.pictures.set_endpoint(EndpointState(name, 2, 0.0, 0, 0.0, "away"))
    pier.lines.clear()
    pier.send()
    assert pier.store.pictures.endpoints() == []
    assert [line for line in pier.lines if "go through" in line] == []
