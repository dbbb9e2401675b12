"""What was written is read back: in few requests, after a kill too, and it is acted upon."""

from __future__ import annotations

import unicodedata

import pytest

from stash2plex.operations.explain import explain_scene
from stash2plex.operations.health.kept_checks import check_kept
from stash2plex.operations.status import read_status
from stash2plex.rules.traits import Trait
from stash2plex.sync.read_back import BATCHES, TROUBLE_SECONDS, ReadBack
from stash2plex.ui.lines.status import status_lines
from stash2plex_testing.plex import Fault, Traits, combined
from tests.harness.in_process import listen

DETAILS = r"^/library/metadata/[\d,]+$"


@pytest.fixture
def pier(make_desk):
    """Give what makes a desk with a server of some traits, and a scene with its item."""

    def make(*names, preserve=False, **values):
        desk = make_desk(preserve_plex_edits=preserve)
        desk.plex.traits = combined(*names)
        return desk, desk.scene("a/pier.mp4", **values), desk.item("a/pier.mp4")

    return make


def save(desk, scene, **values):
    for name, value in values.items():
        setattr(scene, name, value)
    desk.clock.step(2)
    desk.stash.library.touch(scene)
    desk.plex.clear_log()
    desk.drain(scene)
    return desk.plex.count("PUT")


def reconcile(desk):
    """Compare all, as the task does; returns how many keys that queued."""
    reconciliation = desk.app.make_reconciliation(desk.app.open_session())
    list(reconciliation.pages())
    return reconciliation.report().queued


def test_a_collection_in_other_letters_is_quiet_and_goes_with_its_studio(pier):
    desk, scene, item = pier("title_case")
    save(desk, scene, studio=desk.stash.add_studio("The Sound of Tides"))
    assert item.tags["collection"] == [item.texts["studio"]] == ["The Sound Of Tides"]
    assert reconcile(desk) == 0
    assert save(desk, scene, studio=desk.stash.add_studio("Quay Works")) == 1
    assert (item.tags["collection"], item.texts["studio"]) == (["Quay Works"], "Quay Works")
    assert reconcile(desk) == 0


@pytest.mark.parametrize("kind", ["tags", "performers"])
def test_names_in_other_letters_or_form_are_quiet_and_go(pier, kind):
    desk, scene, item = pier("capitalise_first", "decomposes", preserve=True)
    add = desk.stash.add_tag if kind == "tags" else desk.stash.add_performer
    plex_name = "genre" if kind == "tags" else "actor"
    save(desk, scene, **{kind: [add("caf\u00e9 am Kai"), add("fog")]})
    assert set(item.tags[plex_name]) == {unicodedata.normalize("NFD", "Caf\u00e9 am Kai"), "Fog"}
    assert reconcile(desk) == 0
    save(desk, scene, **{kind: [add("tide")]})
    assert item.tags[plex_name] == ["Tide"]
    assert reconcile(desk) == 0


def test_a_date_that_is_shown_a_day_early_is_never_taken_for_an_edit_in_plex(pier):
    desk, scene, item = pier("date_shift", preserve=True, date="2024-06-24")
    desk.drain(scene)
    assert item.originally_available_at == "2024-06-23"
    assert reconcile(desk) == 0
    assert save(desk, scene, date="2024-07-01") == 1
    assert item.originally_available_at == "2024-06-30"
    # What the user sets in Plex afterwards is theirs.
    item.originally_available_at = "2024-08-08"
    save(desk, scene, date="2024-07-02")
    assert item.originally_available_at == "2024-08-08"


def test_a_rounded_rating_is_quiet_and_follows(pier):
    desk, scene, item = pier("rounds_to_whole_stars", preserve=True, rating100=45)
    desk.drain(scene)
    assert item.floats["userRating"] == 5.0
    assert reconcile(desk) == 0
    save(desk, scene, rating100=72)
    assert item.floats["userRating"] == 7.0
    save(desk, scene, rating100=None)
    assert "userRating" not in item.floats


NEAR = {
    "a day late": (Traits(date_shift=1), {"date": "2024-12-31"}, {"date": "2025-01-01"}),
    "a day early, of a year": (Traits(date_shift=-1), {"date": "2019"}, {"date": "2018-12-31"}),
    "no date at all": (
        Traits(ignores_field=frozenset({"originallyAvailableAt"})),
        {"date": "2019-03"},
        {"date": ""},
    ),
    "whole stars of five": (Traits(rounds_rating=2.0), {"rating100": 50}, {"rating": 6.0}),
    "half stars of five": (Traits(rounds_rating=1.0), {"rating100": 45}, {"rating": 5.0}),
    "one decimal": (Traits(rounds_rating=0.1), {"rating100": 33}, {"rating": 3.3}),
    "rounded to nothing": (Traits(rounds_rating=1.0), {"rating100": 2}, {"rating": 0.0}),
}


@pytest.mark.parametrize(("traits", "given", "shown"), NEAR.values(), ids=NEAR)
def test_near_dates_and_ratings_are_quiet_and_follow(pier, traits, given, shown):
    desk, scene, item = pier(preserve=True, **given)
    desk.plex.traits = traits
    desk.drain(scene)
    held = {"date": item.originally_available_at, "rating": item.floats.get("userRating", 0.0)}
    assert {name: pytest.approx(held[name]) for name in shown} == shown
    assert reconcile(desk) == 0
    lost = {name for trait, name in desk.app.store.traits.known.known if trait is Trait.LOSES}
    assert lost == ({"date"} if shown == {"date": ""} else set())
    assert not desk.app.store.traits.known.has(Trait.RATES_APART)
    assert (
        save(desk, scene, **{"date": "2020-06-15"} if "date" in given else {"rating100": 80}) == 1
    )
    assert item.originally_available_at in ("", "2020-06-14", "2020-06-16")
    assert item.floats.get("userRating", 8.0) == pytest.approx(8.0)
    assert save(desk, scene) == 0


def test_a_summary_whose_blanks_plex_squeezes_is_quiet_and_follows(pier):
    desk, scene, item = pier("squeezes_blanks", preserve=True, details="Two  blanks.")
    desk.drain(scene)
    assert reconcile(desk) == 0
    assert save(desk, scene, details="Three   blanks now.") == 1
    assert item.texts["summary"] == "Three blanks now."
    assert save(desk, scene, title="Another title") == 1
    assert reconcile(desk) == 0


def test_a_record_from_before_the_update_is_not_frozen_by_a_spelling(pier):
    desk, scene, item = pier("date_shift", preserve=True, date="2024-06-24")
    desk.drain(scene)
    desk.app.store.connection.execute(
        "UPDATE scene_record SET shown = '{}', unread = '{}', verified = 0"
    )
    save(desk, scene, date="2024-07-01")
    assert item.originally_available_at == "2024-06-30"


def test_a_lost_record_takes_a_spelling_for_its_own(pier):
    desk, scene, item = pier("date_shift", "title_case", preserve=True, date="2024-06-24")
    studio = desk.stash.add_studio("The Sound of Tides")
    save(desk, scene, studio=studio)
    desk.app.store.connection.execute("DELETE FROM scene_record")
    assert save(desk, scene) == 0
    save(desk, scene, studio=desk.stash.add_studio("Quay Works"), date="2024-07-01")
    assert (item.texts["studio"], item.originally_available_at) == ("Quay Works", "2024-06-30")


def test_a_tag_that_stash_spells_differently_now_arrives_without_a_twin(pier):
    desk, scene, item = pier("adds")
    tag = desk.stash.add_tag("low tide")
    save(desk, scene, tags=[tag, desk.stash.add_tag("Fog")])
    tag.name = "Low Tide"
    assert save(desk, scene) == 2
    assert sorted(item.tags["genre"]) == ["Fog", "Low Tide"]
    assert save(desk, scene, title="Another title") == 1


def test_values_that_are_twice_there_are_cleaned(pier):
    desk, scene, item = pier("adds")
    save(desk, scene, tags=[desk.stash.add_tag("Fog")], studio=desk.stash.add_studio("Quay"))
    item.tags["genre"] = ["Fog", "fog", "Fog"]
    item.tags["collection"] = ["Quay", "Quay"]
    assert reconcile(desk) == 1
    desk.drain()
    assert (item.tags["genre"], item.tags["collection"]) == (["Fog"], ["Quay"])
    assert reconcile(desk) == 0


def test_a_save_costs_three_requests(pier):
    desk, scene, _ = pier("adds")
    desk.drain(scene)
    save(desk, scene, title="Another title")
    sent = [(one.method, one.endpoint) for one in desk.plex.requests]
    about_it = [one for one in sent if "metadata" in one[1] or one[0] == "PUT"]
    assert [method for method, _ in about_it] == ["GET", "PUT", "GET"]


def test_many_writes_are_read_back_a_batch_at_a_time(make_desk):
    desk = make_desk()
    scenes = [desk.scene(f"a/{n}.mp4", size=n) for n in range(1, 260)]
    for n in range(1, 260):
        desk.item(f"a/{n}.mp4", size=n)
    desk.drain(*scenes)
    reads = desk.plex.count("GET", DETAILS)
    assert reads <= 2 + len(BATCHES) + 1
    assert desk.rows("SELECT count(*) FROM scene_record WHERE unread <> '{}'") == [(0,)]
    assert desk.rows("SELECT count(*) FROM scene_record WHERE verified = 1") == [(259,)]
    desk.plex.clear_log()
    desk.drain(*scenes)
    assert desk.plex.count("GET", DETAILS) == desk.plex.count("PUT") == 0


def test_a_write_that_was_not_read_back_before_a_kill_is_by_the_next_drain(pier, monkeypatch):
    desk, scene, item = pier("append_double")
    item.tags["collection"] = ["Favourites"]
    scene.studio = desk.stash.add_studio("Quay Works")
    with monkeypatch.context() as killed:
        killed.setattr(ReadBack, "step", lambda *_, **__: False)
        desk.drain(scene)
    assert item.tags["collection"].count("Favourites") == 2
    desk.restart()
    desk.drain()
    assert sorted(item.tags["collection"]) == ["Favourites", "Quay Works"]


def test_a_damaged_record_does_not_keep_a_drain_from_its_end(pier, monkeypatch):
    desk, scene, _ = pier("adds")
    with monkeypatch.context() as killed:
        killed.setattr(ReadBack, "step", lambda *_, **__: False)
        desk.drain(scene)
    desk.app.store.connection.execute("UPDATE scene_record SET written = '{lantern'")
    assert desk.drain().error is None
    assert desk.rows("SELECT unread FROM scene_record") == [("{}",)]


def test_a_reading_that_fails_holds_up_nothing_and_is_made_up_for(pier):
    desk, scene, _ = pier("date_shift", date="2024-06-24")
    desk.drain(scene)
    scene.date = "2024-07-01"
    # The first details are those before the write.
    desk.plex.faults.add(Fault("status", method="GET", path=DETAILS, after=1, times=None))
    summary = desk.drain(scene)
    assert (summary.error, desk.app.store.breakers["plex"].read().state) == (None, "closed")
    assert desk.rows("SELECT count(*) FROM scene_record WHERE unread <> '{}'") == [(1,)]
    desk.plex.faults.clear()
    desk.clock.step(TROUBLE_SECONDS)
    desk.drain()
    assert desk.rows("SELECT shown FROM scene_record") == [('{"date": "2024-06-30"}',)]


def test_a_field_that_plex_does_not_keep_is_named_once(pier):
    desk, scene, item = pier("ignores_studio", "capitalise_first")
    heard = listen(desk)
    save(desk, scene, studio=desk.stash.add_studio("quay Works"))
    assert (item.texts.get("studio"), item.tags["collection"]) == (None, ["Quay Works"])
    assert save(desk, scene, studio=desk.stash.add_studio("tide Works")) == 1
    said = [line for line in heard if "does not keep" in line]
    assert said == ["Plex accepts the studio but does not keep it. Everything else reaches Plex."]
    check = check_kept(desk.app)
    assert (check.state, "studio" in check.detail) == ("failed", True)
    status = read_status(desk.app)
    known = {(one["trait"], one["field"]) for one in status["plex"]["traits"]}
    assert {("loses", "studio"), ("own_case", "collection")} <= known
    assert "Plex accepts these fields but does not keep them: studio." in status_lines(status)
    # A server that was updated is learnt afresh.
    desk.plex.version = "1.44.0.1-test"
    desk.plex.traits = combined("adds")
    desk.restart()
    save(desk, scene, studio=desk.stash.add_studio("Pier Works"))
    assert (item.texts["studio"], check_kept(desk.app).state) == ("Pier Works", "passed")


def test_a_scene_is_explained_with_plexs_spelling_and_what_it_does_not_keep(pier):
    desk, scene, _ = pier("ignores_studio", "capitalise_first", "date_shift", date="2024-06-24")
    studio, tag = desk.stash.add_studio("Quay Works"), desk.stash.add_tag("fog")
    save(desk, scene, studio=studio, tags=[tag], rating100=80)
    states = {view.name: view.state for view in explain_scene(desk.app, scene.id).fields}
    expected = {"studio": "not_kept", "tags": "spelling", "date": "spelling", "title": "equal"}
    expected |= {"collection": "equal", "rating": "equal", "director": "equal"}
    assert expected.items() <= {str(name): state for name, state in states.items()}.items()


def test_a_field_that_is_skipped_is_named_no_more(pier):
    desk, scene, _ = pier("ignores_studio")
    save(desk, scene, studio=desk.stash.add_studio("Quay Works"))
    assert check_kept(desk.app).fix is not None
    desk.restart(skip_fields="poster background studio")
    assert check_kept(desk.app).state == "passed"


def test_ratings_that_an_edit_does_not_keep_go_by_a_request_of_their_own(pier):
    desk, scene, item = pier("ignores_user_rating", rating100=80)
    desk.drain(scene)
    assert item.floats["userRating"] == 8.0
    assert save(desk, scene, rating100=60) == 1
    assert (item.floats["userRating"], desk.plex.count("PUT", "/:/rate")) == (6.0, 1)
    assert desk.app.store.traits.known.has(Trait.RATES_APART)
    assert check_kept(desk.app).state == "passed"


def test_a_shared_edit_in_plexs_own_letters_stays_one(make_desk):
    desk = make_desk()
    desk.plex.traits = combined("title_case")
    studio = desk.stash.add_studio("The Sound of Tides")
    scenes = [desk.scene(f"a/{n}.mp4", size=n, studio=studio) for n in range(1, 31)]
    items = [desk.item(f"a/{n}.mp4", size=n) for n in range(1, 31)]
    desk.drain(*scenes)
    studio.name = "the Sound of Waves"
    desk.plex.clear_log()
    desk.drain(*scenes)
    assert {item.texts["studio"] for item in items} == {"The Sound Of Waves"}
    assert {tuple(item.tags["collection"]) for item in items} == {("The Sound Of Waves",)}
    assert desk.plex.count("PUT") < 10


@pytest.mark.parametrize("switch", ["adds", "replaces"])
def test_whether_a_server_adds_or_replaces_is_learnt_and_made_up_for(pier, switch):
    desk, scene, item = pier(switch)
    fog, tide, wind = (desk.stash.add_tag(name) for name in ("Fog", "Tide", "Wind"))
    save(desk, scene, tags=[fog])
    save(desk, scene, tags=[fog, tide])
    assert sorted(item.tags["genre"]) == ["Fog", "Tide"]
    assert desk.app.store.traits.known.known == {(Trait(switch), None)}
    assert save(desk, scene, tags=[fog, tide, wind]) == 1
    assert sorted(item.tags["genre"]) == ["Fog", "Tide", "Wind"]
    sent = desk.plex.requests[-2].query
    assert len([name for name in sent if name.startswith("genre[")]) == (
        1 if switch == "adds" else 3
    )


@pytest.mark.parametrize("preserve", [False, True])
def test_names_that_went_and_did_not_come_back_come_with_the_next_try(pier, preserve):
    desk, scene, item = pier("adds", preserve=preserve)
    tags = [desk.stash.add_tag("low tide"), desk.stash.add_tag("Fog")]
    save(desk, scene, tags=tags, studio=desk.stash.add_studio("Quay"))
    tags[0].name = "Low Tide"
    item.tags["collection"] = ["Favourites", "Quay", "Favourites"]
    desk.plex.faults.add(Fault("status", method="PUT", after=1, times=1))
    desk.app.store.records.invalidate([scene.id])
    save(desk, scene)
    assert sorted(item.tags["genre"]) == ["Fog", "Low Tide"]
    assert sorted(item.tags["collection"]) == ["Favourites", "Quay"]


def test_what_the_user_edits_in_plex_before_the_reading_is_kept(pier, monkeypatch):
    desk, scene, item = pier("adds", preserve=True)
    desk.drain(scene)
    with monkeypatch.context() as killed:
        killed.setattr(ReadBack, "step", lambda *_, **__: False)
        save(desk, scene, title="Another title", details="Seen at dawn.")
    item.title = "By hand"
    desk.drain()
    assert (item.title, item.texts["summary"]) == ("By hand", "Seen at dawn.")
    assert desk.app.store.traits.known.known == frozenset()
    save(desk, scene, title="A third title", details="Seen at dusk.")
    assert (item.title, item.texts["summary"]) == ("By hand", "Seen at dusk.")
