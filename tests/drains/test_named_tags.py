"""Tags that the settings name: with commas, renamed, merged, made again, unknown."""

from __future__ import annotations

import unicodedata

import pytest

from stash2plex.config import parse_settings
from stash2plex.model import Tag
from stash2plex.operations.health.report import read_health
from stash2plex.operations.health.server_checks import LIBRARY, TAGS
from stash2plex.rules.tag_lists import NamedTag, ReadList, TagLists, read_lists
from stash2plex.store.tag_lists import keep_tag_lists, load_tag_lists
from stash2plex.sync.observer import Silent
from tests.harness.in_process import listen


def tagged(desk, name, *tags):
    """Add a scene with tags, and its item."""
    there = {tag.name: tag for tag in desk.stash.library.tags.values()}
    given = [there.get(tag) or desk.stash.add_tag(tag) for tag in tags]
    scene = desk.scene(f"{name}.mp4", tags=given)
    return scene, desk.item(f"{name}.mp4")


def rename(desk, tag, name):
    """Rename a tag as Stash does: that bumps the tag, and no scene."""
    desk.clock.step(5)
    tag.name = name
    desk.stash.library.touch(tag)


def reaches(desk, scene, item):
    """Whether a changed scene arrives in Plex."""
    scene.title = f"{scene.title}, again"
    desk.stash.library.touch(scene)
    desk.drain(scene)
    return item.title == scene.title


@pytest.mark.parametrize(
    ("setting", "tags", "out"),
    [
        ("Night, indoor", ["Night, indoor"], True),
        ("Night, indoor", ["night, INDOOR"], True),
        ("Night,indoor", ["Night, indoor"], True),
        (' "Night, indoor" ,Fog', ["Night, indoor"], True),
        ("Fog, Night, indoor, Day, outdoor", ["Day, outdoor"], True),
        (unicodedata.normalize("NFD", "Café, Übersee"), ["Café, Übersee"], True),
        ("夜，室内", ["夜，室内"], True),
        ("Night, indoor", ["Night"], True),
        ('"Night, indoor"', ["Night"], False),
        ("Night, indoor", ["Nightly"], False),
    ],
)
def test_a_tag_with_a_comma_in_its_name_is_excluded(make_desk, setting, tags, out):
    desk = make_desk(exclude_tags=setting)
    scene, item = tagged(desk, "a", *tags)
    assert reaches(desk, scene, item) is not out


def test_of_two_readings_the_longest_name_counts(make_desk):
    desk = make_desk(exclude_tags="Night, indoor, Fog")
    whole, fog = tagged(desk, "a", "Night, indoor"), tagged(desk, "c", "Fog")
    part, other = tagged(desk, "b", "Night"), tagged(desk, "d", "indoor")
    assert [reaches(desk, *one) for one in (whole, part, other, fog)] == [False, True, True, False]


def test_a_renamed_tag_stays_excluded(make_desk):
    desk = make_desk(exclude_tags="Fog, Night, indoor")
    scene, item = tagged(desk, "a", "Night, indoor")
    assert not reaches(desk, scene, item)
    (tag,) = desk.stash.library.tags.values()
    rename(desk, tag, "Evening")
    assert not reaches(desk, scene, item)
    # A new process knows it from the database alone.
    desk.restart()
    lines = listen(desk)
    assert not reaches(desk, scene, item)
    wrong = "Setting exclude_tags names a tag that is now called “Evening”"
    assert sum(line.startswith(wrong) for line in lines) == 1
    health = {check.name: check for check in read_health(desk.app)}
    assert wrong in health[TAGS].detail
    assert "“Fog”, but Stash has no tag of that name" in health[TAGS].detail
    # Its new name in the setting is all that it takes.
    desk.restart(exclude_tags="Evening")
    assert not reaches(desk, scene, item)
    health = {check.name: check for check in read_health(desk.app)}
    assert health[TAGS].detail == "Found in Stash: 1 tag."


def test_a_tag_that_is_taken_out_of_the_setting_is_not_remembered(make_desk):
    desk = make_desk(exclude_tags="Night")
    scene, item = tagged(desk, "a", "Night")
    assert not reaches(desk, scene, item)
    rename(desk, desk.stash.library.tags[1], "Evening")
    desk.restart(exclude_tags="Fog")
    assert reaches(desk, scene, item)


def test_a_tag_that_is_merged_into_another_takes_its_exclusion_along(make_desk):
    desk = make_desk(exclude_tags="Night")
    scene, item = tagged(desk, "a", "Night")
    other, shown = tagged(desk, "b", "Evening")
    assert not reaches(desk, scene, item)
    night, evening = desk.stash.library.tags.values()
    desk.stash.library.merge_tags([night], evening)
    # The drain has not looked at Stash's tags since: the scene's own tag has the old name.
    assert not reaches(desk, scene, item)
    assert not reaches(desk, other, shown)
    desk.restart()
    assert not reaches(desk, scene, item)
    evening.aliases = ()
    rename(desk, evening, "Dusk")
    desk.restart()
    assert not reaches(desk, scene, item)


def test_a_tag_that_is_destroyed_and_made_again_is_excluded(make_desk):
    desk = make_desk(exclude_tags="Night")
    scene, item = tagged(desk, "a", "Night")
    assert not reaches(desk, scene, item)
    (tag,) = desk.stash.library.tags.values()
    desk.stash.library.destroy_entity(tag)
    again, shown = tagged(desk, "b", "Night")
    assert not reaches(desk, again, shown)
    rename(desk, desk.stash.library.tags[max(desk.stash.library.tags)], "Evening")
    assert not reaches(desk, again, shown)


def test_tags_cannot_be_read_at_the_start(make_desk):
    desk = make_desk(exclude_tags="Night")
    scene, item = tagged(desk, "a", "Night")
    assert not reaches(desk, scene, item)
    rename(desk, desk.stash.library.tags[1], "Evening")
    desk.stash.stop()
    desk.restart()
    desk.add(scene)
    assert desk.process(Silent()).gave_up
    desk.stash.start()
    desk.restart()
    assert not reaches(desk, scene, item)
    assert item.title != scene.title


def test_an_ignored_tag_with_a_comma_is_not_sent_and_stays_ignored(make_desk):
    desk = make_desk(ignore_tags="Night, indoor")
    scene, item = tagged(desk, "a", "Night, indoor", "Fog")
    assert reaches(desk, scene, item)
    assert item.tags["genre"] == ["Fog"]
    rename(desk, next(iter(desk.stash.library.tags.values())), "Evening")
    desk.restart()
    assert reaches(desk, scene, item)
    assert item.tags["genre"] == ["Fog"]


def test_a_tag_that_got_the_number_of_another_is_not_taken_for_it():
    settings, _ = parse_settings({"exclude_tags": "Night"})
    night = Tag(7, "Night", (), "2027-01-15T08:00:00Z")
    known = read_lists(settings, [night], "1", TagLists())
    assert [tag.id for tag in known.lists["exclude_tags"].tags] == [7]
    # A full import numbers all tags again (stash.md §10).
    boat = Tag(7, "Boat", (), "2024-05-01T08:00:00Z")
    again = read_lists(settings, [boat], "2", known)
    assert again.lists["exclude_tags"].tags == ()
    assert again.lists["exclude_tags"].unknown == ("Night",)


def test_what_tags_are_meant_is_stored_whole(make_desk):
    desk = make_desk(exclude_tags="Night, indoor, Nowhere", ignore_tags="Fog")
    scene, _ = tagged(desk, "a", "Night, indoor", "Fog")
    desk.drain(scene)
    lists = load_tag_lists(desk.app.store.connection, own=True).lists
    assert [(tag.entry, tag.id) for tag in lists["exclude_tags"].tags] == [("night,indoor", 1)]
    assert lists["exclude_tags"].unknown == ("Nowhere",)
    assert [tag.name for tag in lists["ignore_tags"].tags] == ["Fog"]


def test_lists_that_an_earlier_version_folded_in_another_way_keep_their_tags(make_desk):
    database = make_desk().app.store.connection
    old = ReadList("Night, indoor", ("night, indoor",), (NamedTag("night, indoor", 7, "", "Dusk"),))
    keep_tag_lists(database, TagLists("", {"exclude_tags": old}), own=False)
    (now,) = load_tag_lists(database, own=False).lists.values()
    assert (now.keys, now.tags[0].entry) == (("night,indoor",), "night,indoor")
    assert load_tag_lists(database, own=False).lists["exclude_tags"].folded() == now


def test_libraries_with_a_comma_in_their_names(make_desk):
    desk = make_desk(plex_library="Boats, old, Harbour Films, Nowhere")
    boats = desk.plex.add_section("Boats, old", locations=["/boats"])
    desk.plex.add_section("Boats", locations=["/other"])
    first, item = desk.scene("a.mp4"), desk.item("a.mp4")
    second = desk.scene("b.mp4", size=7)
    boat = desk.plex.add_item(boats, "/boats/b.mp4", size=7)
    lines = listen(desk)
    desk.drain(first, second)
    assert (item.title, boat.title) == (first.title, second.title)
    assert desk.app.open_session().index.files.titles() == ["Harbour Films", "Boats, old"]
    lost = "Plex has no movie-type library named “Nowhere”."
    assert sum(line.startswith(lost) for line in lines) == 1
    health = {check.name: check for check in read_health(desk.app)}
    assert health[LIBRARY].detail.startswith(lost)
    assert not health[LIBRARY].ok
