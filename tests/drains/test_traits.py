"""Servers that keep what they are sent in their own way: every two traits together, or one."""

from __future__ import annotations

import unicodedata

import pytest

from stash2plex.model import Field
from stash2plex.operations.health.kept_checks import check_kept
from stash2plex.operations.status import read_status
from stash2plex.rules.spelling import counted, text_spelling
from stash2plex.rules.traits import OF_A_FIELD, Trait
from stash2plex.servers.plexedit import TAGS, TEXTS
from stash2plex.ui.lines.status import status_lines
from stash2plex_testing.plex import SWITCHES, combined, pairs

NFD = unicodedata.normalize("NFD", "Café am Kai")


def first_state(desk):
    """Return what a scene holds before the change, and what it is changed to."""
    stash = desk.stash
    one = {
        "title": "the Tide comes in",
        "details": "Two  blanks,  and a café.",
        "date": "2024-06-24",
        "rating100": 45,
        "director": "ann Weir",
        "studio": stash.add_studio("The Sound of Tides"),
        "tags": [stash.add_tag(name) for name in ("Fog", "low tide, cold", NFD, "Night")],
        "performers": [stash.add_performer(name) for name in ("performer 17", "Performer 18")],
    }
    other = {
        "title": "the Tide goes out",
        "details": "Three   blanks.",
        "date": "2024-07-01",
        "rating100": 78,
        "director": "Bo Quay",
        "studio": stash.add_studio("quay Works"),
        "tags": [*one["tags"][:2], stash.add_tag("Dawn"), stash.add_tag("dusk")],
        "performers": [one["performers"][0], stash.add_performer("Performer 19")],
    }
    return one, other


def save(desk, scene, values):
    for name, value in values.items():
        setattr(scene, name, value)
    desk.clock.step(2)
    desk.stash.library.touch(scene)
    desk.drain(scene)


def lost(desk):
    return {name for trait, name in desk.app.store.traits.known.known if trait is Trait.LOSES}


def check(desk, item, values):
    """Compare an item with what Stash holds, up to the server's spelling."""
    gone = lost(desk)
    texts = {
        Field.TITLE: values["title"],
        Field.SUMMARY: values["details"],
        Field.STUDIO: values["studio"].name,
        Field.DATE: values["date"],
    }
    for name, wanted in texts.items():
        shown = {"title": item.title, "originallyAvailableAt": item.originally_available_at}.get(
            TEXTS[name], item.texts.get(TEXTS[name], "")
        )
        same = shown == wanted or text_spelling(name, wanted, shown) is not None
        assert same != (name in gone), (name, wanted, shown, gone)
    lists = {
        Field.TAGS: [tag.name for tag in values["tags"]],
        Field.PERFORMERS: [one.name for one in values["performers"]],
        Field.DIRECTOR: [values["director"]],
        Field.COLLECTION: ["Favourites", values["studio"].name],
    }
    for name, wanted in lists.items():
        shown = item.tags.get(TAGS[name], [])
        assert (counted(shown) == counted(wanted)) != (name in gone), (name, wanted, shown, gone)
    rating = item.floats.get("userRating", 0.0)
    assert (abs(rating - values["rating100"] / 10) <= 0.5) != (Field.RATING in gone)


def try_server(desk, number, names, states, *, preserve):
    desk.plex.traits = combined(*names)
    desk.plex.version = f"1.43.{number}"
    desk.restart(preserve_plex_edits=preserve)
    one, other = states
    path = f"{number}/pier.mp4"
    scene, item = desk.scene(path, **one), desk.item(path)
    item.tags["genre"] = ["Fog bank", "night", "Old harbour", "Older harbour"]
    item.tags["collection"] = ["Favourites"]
    desk.drain(scene)
    check(desk, item, one)
    save(desk, scene, other)
    check(desk, item, other)
    desk.plex.clear_log()
    desk.app.store.records.invalidate([scene.id])
    desk.drain(scene)
    session = desk.app.open_session()
    reconciliation = desk.app.make_reconciliation(session)
    list(reconciliation.pages())
    assert not [one.path for one in desk.plex.requests if one.method != "GET"]
    assert not reconciliation.report().queued
    desk.plex.remove_item(item)
    desk.stash.library.destroy_scene(scene)


@pytest.mark.parametrize("preserve", [False, pytest.param(True, marks=pytest.mark.nightly)])
@pytest.mark.parametrize("name", SWITCHES)
def test_every_two_traits(make_desk, name, preserve):
    desk = make_desk()
    states = first_state(desk)
    partners = [names for names in pairs() if names[0] == name]
    for number, names in enumerate([(name,), *partners]):
        try_server(desk, number, names, states, preserve=preserve)


@pytest.mark.parametrize("preserve", [False, True])
@pytest.mark.parametrize("name", SWITCHES)
def test_a_change_that_many_scenes_share(make_desk, name, preserve):
    desk = make_desk(preserve_plex_edits=preserve)
    desk.plex.traits = combined(name)
    one, _ = first_state(desk)
    paths = [f"{number}/pier.mp4" for number in range(12)]
    scenes = [desk.scene(path, **{**one, "title": f"the Tide {path}"}) for path in paths]
    items = [desk.item(path) for path in paths]
    for item in items:
        item.tags["collection"] = ["Favourites"]
    desk.drain(*scenes)
    for scene, item in zip(scenes, items, strict=True):
        check(desk, item, {**one, "title": scene.title})
    one["studio"].name = "quay Works"
    one["tags"][0].name = "dense fog"
    desk.drain(*scenes)
    for scene, item in zip(scenes, items, strict=True):
        check(desk, item, {**one, "title": scene.title})
    desk.plex.clear_log()
    desk.app.store.records.invalidate([scene.id for scene in scenes])
    desk.drain(*scenes)
    assert desk.plex.count("PUT") == 0


def test_where_plex_replaces_lists_no_scenes_share_an_edit_of_one(make_desk):
    desk = make_desk()
    desk.plex.traits = combined("replaces_sets")
    fog, ebb = desk.stash.add_tag("Fog"), desk.stash.add_tag("Ebb")
    scenes = [desk.scene(f"{at}.mp4", size=at + 1, tags=[fog]) for at in range(3)]
    items = [desk.item(f"{at}.mp4", size=at + 1) for at in range(3)]
    desk.drain(*scenes)
    for scene in scenes:
        scene.tags = [fog, ebb]
    desk.drain(*scenes)
    assert [sorted(item.tags["genre"]) for item in items] == [["Ebb", "Fog"]] * 3


@pytest.mark.parametrize("trait", Trait)
def test_every_trait_is_in_health_and_in_the_status_for_machines(make_desk, trait):
    desk = make_desk()
    name = Field.STUDIO if trait in OF_A_FIELD else None
    desk.app.store.traits.learn({(trait, name)})
    check = check_kept(desk.app)
    (row,) = read_status(desk.app)["plex"]["traits"]
    assert (row["trait"], row["field"]) == (str(trait), name)
    if trait is Trait.LOSES:
        assert (check.state, "not keep them: studio." in check.detail) == ("failed", True)
    else:
        shown = f"{trait.words} {name or ''}".rstrip()
        assert check.detail == f"Known about this Plex server: {shown}."
        assert check.detail in status_lines(read_status(desk.app))


def test_every_trait_that_the_issue_names_is_a_switch():
    named = {
        "adds", "replaces", "append_double", "one_removal_per_put", "capitalise_first",
        "one_row_per_folded_name", "add_before_remove", "date_shift", "rounds_", "ignores_",
        "squeezes_blanks", "folds_case",
    }  # fmt: skip
    assert [one for one in named if not any(switch.startswith(one) for switch in SWITCHES)] == []
    in_pairs = {one for pair in pairs() for one in pair}
    assert in_pairs == {*SWITCHES}
