"""Lists of scenes, trouble, dead letters, runs and outages; each bounded, whatever is stored."""

from __future__ import annotations

import os
import pickle

import pytest

from stash2plex.errors import UsageError
from stash2plex.rules.scene_states import STATES
from stash2plex.store.outages import Outage, daily
from stash2plex.tasks.lists import scenes
from stash2plex_testing.plex.faults import Fault
from tests.commands.test_legacy import leave
from tests.page.conftest import Page

DAY = 86_400.0


@pytest.fixture
def harbour(make_desk):
    """A desk whose scenes are in several states: see the titles."""
    desk = make_desk(max_retries=1, only_organized=True)
    made = [
        desk.scene("a/1.mp4", title="Lantern", organized=True),
        desk.scene("a/2.mp4", title="Quay", organized=True),
        desk.scene("a/3.mp4", title="Ferry", organized=True),
        desk.scene("a/4.mp4", title="Fog"),
    ]
    desk.item("a/1.mp4")
    for name in ("c/3.mp4", "d/3.mp4"):
        desk.item(name)
    desk.drain(*made)
    desk.add(desk.scene("a/5.mp4", title="Buoy", organized=True))
    return desk


def titles(answer):
    return [one["title"] for one in answer["items"]]


def test_each_state_lists_as_many_scenes_as_it_counts(harbour):
    page = Page(harbour.app)
    counts = page.call("page")["scenes"]
    listed = {}
    for state in STATES:
        answer = page.call("scenes", state=state)
        assert (answer["total"], len(answer["items"])) == (counts[state], counts[state])
        listed[state] = titles(answer)
    assert listed == {
        "in_sync": ["Lantern"],
        "to_send": ["Buoy"],
        "sending": [],
        "waiting": [],
        "not_in_plex": ["Quay"],
        "given_up": ["Ferry"],
        "left_out": ["Fog"],
    }
    (dead,) = page.call("scenes", state="given_up")["items"]
    assert (dead["reason"], dead["path"]) == ("ambiguous", "/data/a/3.mp4")
    (left,) = page.call("scenes", state="left_out")["items"]
    assert (left["reason"], left["words"]) == ("not_organized", "not organized")
    assert page.call("scenes", state="left_out", reason="excluded")["total"] == 0
    assert titles(page.call("scenes", state="in_sync", search="lant")) == ["Lantern"]
    assert page.call("scenes", state="in_sync", search="quay")["total"] == 0
    assert page.call("scenes", state="in_sync", offset=1)["items"] == []


def test_titles_are_known_without_stash_too(harbour):
    harbour.stash.stop()
    page = Page(harbour.app)
    for state, title in (("in_sync", "Lantern"), ("not_in_plex", "Quay"), ("given_up", "Ferry")):
        assert titles(page.call("scenes", state=state)) == [title]
    assert titles(page.call("scenes", state="to_send")) == ["scene 5"]
    assert "problem" in page.call("scenes", state="in_sync", search="x")
    harbour.stash.start()


@pytest.mark.parametrize("arguments", [{"state": "lost"}, {"state": "left_out", "reason": "fog"}])
def test_an_unknown_state_or_reason_is_a_problem(make_desk, arguments):
    page = Page(make_desk().app)
    with pytest.raises(UsageError, match="allowed"):
        scenes(page.make_call(arguments))


def test_what_is_not_in_plex_shows_its_file_and_the_scan(harbour):
    page = Page(harbour.app)
    (missing,) = page.call("not_in_plex")["items"]
    assert (missing["title"], missing["path"], missing["looks"]) == ("Quay", "/data/a/2.mp4", 1)
    assert missing["next_look_at"]
    assert (missing["folder"], missing["scan"]) == (None, None)
    harbour.restart(trigger_plex_scan=True)
    harbour.clock.step(3600)
    harbour.drain()
    missing, _ = Page(harbour.app).call("not_in_plex")["items"]
    assert missing["scan"] in (None, "asked", "due")


def test_trouble_is_grouped_with_its_cure_worst_first(harbour):
    page = Page(harbour.app)
    (card,) = page.call("trouble")["cards"]
    assert (card["kind"], card["name"], card["number"]) == ("scenes", "ambiguous", 1)
    assert page.call("page")["troubles"] == 1
    harbour.plex.faults.add(Fault("status", status=401, times=None))
    harbour.app.store.connection.execute("INSERT INTO meta VALUES ('trouble', 'Max tags is 0.')")
    harbour.drain()
    page.call("health")
    shown = page.call("trouble")
    assert [one["kind"] for one in shown["cards"]] == ["server", "setting", "scenes"]
    assert shown["cards"][0]["action"] == "sign_in"
    assert shown["health_at"]
    assert page.call("page")["troubles"] == 3


def test_dead_letters_are_searched_and_retried_by_reason(harbour):
    page = Page(harbour.app)
    assert titles(page.call("dead_letters", search="FERR")) == ["Ferry"]
    assert titles(page.call("dead_letters", search="a/3")) == ["Ferry"]
    assert page.call("dead_letters", search="quay")["total"] == 0
    assert page.call("dead_letters", reason="ambiguous", search="ferry")["total"] == 1
    assert page.call("discard_reason", reason="rejected") == {"changed": 0}
    assert page.call("retry_reason", reason="ambiguous") == {"changed": 1}
    assert page.call("dead_letters")["total"] == 0
    assert "problem" in page.call("retry_reason", reason="")


def test_an_entity_counts_its_scenes(make_desk):
    desk = make_desk()
    tag = desk.stash.add_tag(name="Fog")
    first, second = desk.scene("a/1.mp4", tags=[tag]), desk.scene("a/2.mp4", tags=[tag])
    for name in ("a/1.mp4", "a/2.mp4"):
        desk.item(name)
    desk.drain(first, second)
    page = Page(desk.app)
    assert page.call("entity", tag_id=tag.id) == {
        "kind": "tag", "id": tag.id, "scenes": 2, "not_in_sync": 0, "states": {"in_sync": 2},
    }  # fmt: skip
    desk.add(second)
    assert page.call("entity", tag_id=tag.id)["states"] == {"in_sync": 1, "to_send": 1}
    assert page.call("entity", studio_id=9)["scenes"] == 0
    assert "problem" in page.call("entity")


def test_runs_are_listed_newest_first(make_desk):
    desk = make_desk()
    first = desk.app.store.runs.begin("Sync All Scenes", None, 20.0)
    desk.app.store.runs.end(first.id)
    desk.app.store.runs.begin("Process Queue", None, 20.0)
    page = Page(desk.app)
    answer = page.call("runs", limit=1)
    assert (answer["total"], answer["items"][0]["name"]) == (2, "Process Queue")
    assert page.call("runs", offset=1)["items"][0]["state"] == "ended"


def test_a_day_shows_its_share_and_nothing_before_it_was_watched():
    now = 100 * DAY + 3600
    outages = [Outage("plex", 99 * DAY, 99 * DAY + DAY / 4, "down", 0)]
    assert daily(outages, "plex", 4, now, 98.5 * DAY) == [None, 1.0, 0.75, 1.0]
    assert daily(outages, "stash", 2, now, 0) == [1.0, 1.0]


def test_the_picture_of_the_outages_has_ninety_days(make_desk):
    desk = make_desk()
    desk.app.store.connection.execute(
        "INSERT INTO outage (server, started_at, ended_at, cause, waiting)"
        " VALUES ('plex', ?1 - 600, ?1, 'down', 0)",
        (desk.clock(),),
    )
    days = Page(desk.app).call("outages")["days"]
    assert len(days) == 90
    assert sum(day["outages"] for day in days) == 1
    assert min(day["plex"] for day in days if day["plex"] is not None) < 1.0


def test_what_version_1_left_is_offered_until_it_is_queued(make_desk):
    desk = make_desk()
    page = Page(desk.app)
    assert page.call("trouble")["legacy"] is None
    desk.scene("a/1.mp4")
    leave(
        desk.app.folder, [(pickle.dumps({"scene_id": 1}), 0), (b"garbage", 0), (b"", 5)], dead=[1]
    )
    offer = page.call("trouble")
    assert offer["legacy"] == {"folder": desk.app.folder, "jobs": 3}
    # It is an offer: nothing is wrong.
    assert offer["cards"] == []
    taken = page.call("import_legacy")
    assert (taken["queued"], taken["unreadable"]) == (1, 1)
    assert page.call("trouble")["legacy"] is None
    assert page.call("import_legacy")["queued"] == 0


def test_what_names_no_scene_is_offered_once_and_a_damaged_file_again(make_desk):
    desk = make_desk()
    page = Page(desk.app)
    leave(desk.app.folder, [(b"garbage", 0)])
    assert page.call("trouble")["legacy"]["jobs"] == 1
    with open(os.path.join(desk.app.folder, "dlq.db"), "wb") as file:
        file.write(b"damaged" * 1000)
    # Jobs that cannot be counted are not offered; the health check reads what it can.
    assert page.call("trouble")["legacy"] is None
    os.remove(os.path.join(desk.app.folder, "dlq.db"))
    assert page.call("import_legacy")["queued"] == 0
    assert page.call("trouble")["legacy"] is None


def test_the_report_hides_every_name(make_desk):
    desk = make_desk()
    desk.drain(desk.scene("a/1.mp4", title="Lantern"))
    lines = Page(desk.app).call("report")["report"]
    assert "== Health Check ==" in lines
    text = "\n".join(lines)
    assert not [word for word in ("Lantern", "Harbour", desk.plex.token) if word in text]


def test_the_history_shows_titles_and_the_way_back_is_counted(make_desk):
    desk = make_desk()
    scene = desk.scene("a/1.mp4", title="Lantern")
    desk.item("a/1.mp4")
    desk.drain(scene)
    page = Page(desk.app)
    (write,) = page.call("history", scene_id=scene.id)["items"]
    assert write["title"] == "Lantern"
    assert page.call("undo", scene_ids=[scene.id], dry_run=True)["queued"] == 1
    assert page.call("undo", run_id=write["run_id"], dry_run=True)["queued"] == 1
    desk.app.store.connection.execute("DELETE FROM scene_record")
    (write,) = page.call("history")["items"]
    assert write["title"] == ""
