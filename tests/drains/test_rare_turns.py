"""Turns of a drain that only a rare case takes: held keys, odd ratings, unreadable scenes."""

from __future__ import annotations

import os

import pytest
from attrs import evolve

from stash2plex.db import HOOK_COST, get_meta, set_meta
from stash2plex.errors import ConfigError, Transient
from stash2plex.namelist import NameList
from stash2plex.operations.history import list_writes
from stash2plex.rules.drift import Kind
from stash2plex.servers.stash_address import read_server_connection
from stash2plex.store.marks import load_marks, save_marks
from stash2plex.sync.collections import Collections
from stash2plex.sync.in_flight import InFlight
from stash2plex.workqueue import BULK, HELD, URGENT
from stash2plex_testing.plex import Fault, scopes
from stash2plex_testing.stash import picture
from tests.harness.in_process import fill, listen
from tests.support import present


def test_a_rating_out_of_range_and_what_was_sent_is_logged_with_the_scene(make_desk):
    desk = make_desk()
    lines = listen(desk)
    scene, item = desk.scene("a.mp4", rating100=150), desk.item("a.mp4")
    desk.drain(scene)
    assert item.floats["userRating"] == 10.0
    assert [line for line in lines if "out of range" in line] == [
        "The rating of “About a.mp4” is out of range in Stash: 150 of 100; sent is 10 of 10."
    ]


@pytest.mark.parametrize(("priority", "taken"), [(URGENT, True), (BULK, False)])
def test_a_change_of_a_tag_takes_held_scenes_along_if_the_user_made_it_now(
    make_desk, priority, taken
):
    desk = make_desk()
    tag = desk.stash.add_tag("Fog")
    (scene,) = fill(desk, 1)
    scene.tags = [tag]
    desk.drain(scene)
    queue = desk.app.store.queue
    queue.add_many([("scene", scene.id)], priority=1)
    desk.app.store.connection.execute("UPDATE queue SET priority = ?", (HELD,))
    tag.name = "Thick Fog"
    queue.add_many([("tag", tag.id)], priority=priority)
    desk.drain()
    assert (desk.plex.all_items()[0].tags["genre"] == ["Thick Fog"]) is taken
    assert (desk.rows("SELECT priority FROM queue") == [(HELD,)]) is not taken


def test_a_scene_that_cannot_be_read_keeps_its_title(make_desk):
    desk = make_desk()
    scenes = fill(desk, 2)
    desk.drain(*scenes)
    desk.stash.faults.add(
        "graphql_error", operation=r"s1: findScene", message="unexpected null", times=None
    )
    desk.add(*scenes)
    desk.work(2)
    assert set(desk.rows("SELECT id, title FROM failure")) == {(1, "About 0.mp4")}


def test_pictures_that_fail_are_reported_once_for_their_endpoint(make_desk):
    desk = make_desk(skip_fields="")
    lines = listen(desk)
    scenes = [desk.scene(f"{n}.mp4", size=n, cover=picture(n)) for n in range(1, 5)]
    for n in range(1, 5):
        desk.item(f"{n}.mp4", size=n)
    desk.plex.faults.add(Fault("status", times=None, **scopes.uploads("posters")))
    desk.drain(*scenes)
    told = [line for line in lines if "wait, the texts go on; nothing is lost." in line]
    assert len(told) == 1
    assert " The posters wait, " in told[0]


@pytest.mark.parametrize("port", [0, -1, 65_536, "9999", True, None])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(ConfigError, match="no usable port"):
        read_server_connection({"Port": port})
    assert read_server_connection({"Port": 65_535}).url.endswith(":65535")


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


def test_no_item_follows_a_scene_once_another_server_answers(make_desk):
    desk = make_desk()
    (scene,) = fill(desk, 1)
    desk.drain(scene)
    desk.app.store.connection.execute("INSERT INTO follower VALUES (1, '9', '{}')")
    desk.app.store.records.detach_all()
    assert desk.rows("SELECT count(*) FROM follower") == [(0,)]
    assert desk.rows("SELECT rating_key, fingerprint FROM scene_record") == [("", "")]


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


def test_a_plugin_that_an_old_setting_switched_off_says_where_to_turn_it_on(make_desk):
    desk = make_desk(enabled=False)
    with pytest.raises(ConfigError) as failure:
        desk.app.open_session()
    assert (failure.value.what, failure.value.fix) == (
        "Stash2Plex is switched off: the old setting “enabled” is stored as false.",
        "Turn it on again in the plugin's settings.",
    )


def test_the_cost_of_a_save_is_forgotten_when_a_setting_was_stored(make_desk):
    desk = make_desk()
    connection, reader = desk.app.store.connection, desk.app.settings_reader
    reader.stash_dir = os.path.dirname(desk.app.stash.config_path())
    known = []
    for value in (1, 1, 2):
        desk.stash.configure_plugin("Stash2Plex", {"max_tags": value})
        os.utime(desk.app.stash.config_path(), (value, value))
        reader.take_up()
        known.append(get_meta(connection, HOOK_COST))
        set_meta(connection, HOOK_COST, "0 {}")
    assert known == [None, "0 {}", None]


def test_no_file_of_a_scene_is_an_orphan(make_desk):
    desk = make_desk()
    paths = [f"/data/a/{number}.mp4" for number in range(3)]
    desk.stash.add_scene(title="Three parts", files=paths, sizes=[1, 2, 3])
    for number in range(3):
        desk.item(f"a/{number}.mp4", size=number + 1)
    desk.item("a/stranger.mp4", size=9)
    run = desk.app.make_reconciliation(desk.app.open_session())
    list(run.pages())
    assert run.report().counts[Kind.ORPHAN] == 1


@pytest.mark.parametrize(
    ("reason", "healed"), [("not_in_plex", True), ("ambiguous", True), ("rejected", False)]
)
def test_a_comparison_tries_again_what_only_plex_lacked(make_desk, reason, healed):
    desk = make_desk()
    (scene,) = fill(desk, 1)
    queue = desk.app.store.queue
    queue.add("scene", scene.id)
    (claim,) = queue.claim(1, 60.0)
    queue.bury(claim, title="A pier", reason=reason, error="No.", path="")
    list(desk.app.make_reconciliation(desk.app.open_session()).pages())
    assert (desk.dead() == {}) is healed


def test_a_library_that_is_listed_again_is_reported(make_desk):
    desk = make_desk()
    desk.plex.add_section("All Films", locations=["/other"])
    (scene,) = fill(desk, 1)
    desk.drain(scene)
    lines = listen(desk)
    fault = desk.plex.faults.add(Fault("status", path="/library/sections/2/all", times=None))
    index = desk.app.open_session().index
    desk.clock.step(90_000.0)
    index.refresh(NameList())
    desk.plex.faults.remove(fault)
    desk.clock.step(300.0)
    index.refresh(NameList(), retry=True)
    assert [line for line in lines if "All Films" in line][-1] == (
        "Plex lists “All Films” again, after 5 min 00 s."
    )


def test_collections_that_cannot_be_deleted_are_in_the_log(make_desk):
    desk = make_desk()
    lines = listen(desk)
    cleaner = Collections(desk.app.store, InFlight(1, 1), desk.clock.monotonic)
    cleaner._failed(Transient("Plex", "Plex answered with half a page."))
    assert lines == ["The empty collections could not be deleted: Plex answered with half a page."]
    assert not cleaner.busy
