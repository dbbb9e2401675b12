"""Tags and libraries that settings name, in whole sentences, and what errors and limits are."""

from __future__ import annotations

from random import Random

import pytest
from attrs import evolve

from stash2plex import errors
from stash2plex.config import Settings
from stash2plex.errors import ConfigError, ServerError, Stash2PlexError, fault_sentence
from stash2plex.model import Entity, Section, Tag
from stash2plex.namelist import NameList
from stash2plex.rules.endpoints import EndpointState, after_failure, are_stuck
from stash2plex.rules.libraries import (
    choose_sections,
    lost_libraries,
    other_libraries,
    wrong_libraries,
)
from stash2plex.rules.scene_states import queued_state, resting_state
from stash2plex.rules.scopes import costs_attempt
from stash2plex.rules.tag_lists import (
    NamedTag,
    ReadList,
    TagLists,
    apply_lists,
    learn_tag,
    named,
    read_lists,
    trouble_with,
)

FOG, MIST, EBB = Tag(7, "Fog", ("Haar", "Mist"), "2024"), Tag(8, "Mist", (), "2025"), Tag(9, "Ebb")
NO_LISTS = TagLists()


def settings(exclude="", ignore=""):
    return evolve(
        Settings(), exclude_tags=NameList.parse(exclude), ignore_tags=NameList.parse(ignore)
    )


# -- tags ---------------------------------------------------------------------------------


def test_a_list_of_tags_is_read_with_those_that_there_are():
    chosen = settings(" mist, Gull", "ebb")
    assert named(chosen) == {"exclude_tags": "mist, Gull", "ignore_tags": "ebb"}
    assert named(settings("", "ebb")) == {"ignore_tags": "ebb"}
    lists = read_lists(chosen, [FOG, MIST, EBB], "m1", NO_LISTS)
    assert lists.mark == "m1"
    assert lists.lists["exclude_tags"] == ReadList(
        "mist, Gull",
        ("gull", "mist"),
        (NamedTag("mist", 7, "2024", "Fog", alias=True), NamedTag("mist", 8, "2025", "Mist")),
        ("Gull",),
    )
    assert lists.lists["ignore_tags"].tags == (NamedTag("ebb", 9, "", "Ebb"),)
    assert lists.fits(chosen, "m1")
    assert not lists.fits(chosen, "m2")
    assert not lists.fits(settings("mist", "ebb"), "m1")
    assert not lists.fits(settings("mist, Gull"), "m1")
    applied = apply_lists(chosen, lists)
    assert applied.exclude_tags == NameList(
        "mist, Gull", frozenset({"gull", "mist"}), frozenset({7, 8})
    )
    assert applied.ignore_tags.ids == {9}


def test_a_tag_that_was_renamed_is_still_meant():
    chosen = settings("fog, ebb", "mist")
    first = read_lists(chosen, [FOG, MIST, EBB], "m1", NO_LISTS)
    renamed = evolve(FOG, name="Sea Smoke", aliases=())
    other = evolve(EBB, id=19)
    lists = read_lists(chosen, [renamed, other], "m2", first)
    exclude = lists.lists["exclude_tags"]
    assert exclude.tags == (
        NamedTag("ebb", 19, "", "Ebb"), NamedTag("fog", 7, "2024", "Sea Smoke"),
    )  # fmt: skip
    assert (exclude.renamed, exclude.unknown) == (exclude.tags[1:], ())
    now = "names a tag that is now called “Sea Smoke”: it still"
    enter = "Enter the new name in the setting."
    assert trouble_with(lists) == [
        f"Setting exclude_tags {now} keeps its scenes out of Plex. {enter}",
        f"Setting ignore_tags {now} is not sent to Plex. {enter}",
    ]
    # Another tag that was made since has taken the id.
    anew = evolve(renamed, created_at="2026")
    assert read_lists(chosen, [anew, EBB], "m3", first).lists["exclude_tags"].unknown == ("fog",)
    # A changed list means what it still names.
    changed = read_lists(settings("fog, gull"), [renamed, EBB], "m3", first)
    assert changed.lists["exclude_tags"].tags == (NamedTag("fog", 7, "2024", "Sea Smoke"),)
    assert read_lists(settings("gull"), [renamed], "m3", first).lists["exclude_tags"].tags == ()
    ignored = TagLists("m", {"ignore_tags": evolve(exclude, unknown=("x", "y"))})
    assert trouble_with(ignored) == [
        "Setting ignore_tags names “x”, but Stash has no tag of that name.",
        "Setting ignore_tags names “y”, but Stash has no tag of that name.",
        f"Setting ignore_tags {now} is not sent to Plex. {enter}",
    ]


def test_a_tag_of_a_scene_is_learnt_by_each_of_its_names():
    known = ReadList("fog, haar", ("fog", "haar"), (NamedTag("fog", 1, "2024", "Fog"),))
    learnt = learn_tag(known, Entity(7, "Haar", aliases=("FOG", "Gull")))
    assert learnt == evolve(
        known, tags=(*known.tags, NamedTag("fog", 7, "", "Haar"), NamedTag("haar", 7, "", "Haar"))
    )
    assert learn_tag(known, Entity(7, "Gull")) == known
    # Such a tag has no time: it is the same one whenever it was made.
    old = TagLists("", {"exclude_tags": evolve(learnt, text="fog, haar")})
    lists = read_lists(settings("fog, haar"), [evolve(EBB, id=7, created_at="2026")], "m", old)
    assert [tag.name for tag in lists.lists["exclude_tags"].tags] == ["Ebb", "Ebb"]


def test_names_of_an_older_version_are_folded_once_more():
    old = ReadList("x", ("FOG ", "fog", "Ebb"), (NamedTag("FOG", 7, "2024", "Fog", alias=True),))
    assert old.folded() == ReadList(
        "x", ("ebb", "fog"), (NamedTag("fog", 7, "2024", "Fog", alias=True),)
    )


# -- libraries ----------------------------------------------------------------------------


def section(id_, title, type_="movie"):
    return Section(id_, f"u{id_}", title, type_, "", (), False)


THERE = [
    section("1", "Films"), section("2", "Music", "artist"), section("3", "Clips"),
    section("4", "Shows", "show"),
]  # fmt: skip
FIX = "Correct Settings > Plugins > Stash2Plex > Plex library."


def test_libraries_are_chosen_by_their_names():
    films, _, clips, _ = THERE
    assert choose_sections(THERE, NameList()) == [films, clips]
    assert choose_sections(THERE, NameList.parse("clips, Docks")) == [clips]
    assert other_libraries(THERE, [clips]) == [films]
    assert other_libraries(THERE, []) == [films, clips]
    with pytest.raises(ConfigError) as caught:
        choose_sections(THERE, NameList.parse("Docks, Bays"))
    lost = "Plex has no movie-type library named “Bays”, “Docks”. It has: “Films”, “Clips”."
    assert (caught.value.what, caught.value.fix) == (lost, FIX)
    with pytest.raises(ConfigError) as caught:
        choose_sections(THERE[1:2], NameList())
    assert str(caught.value) == "Plex has no movie or “Other videos” library."
    assert lost_libraries(THERE, NameList.parse("films, clips")) == ""
    assert lost_libraries(THERE[1:2], NameList.parse("films")) == (
        "Plex has no movie-type library named “films”. It has: none."
    )


def test_libraries_of_another_type_are_named_with_it():
    names = NameList.parse("shows, MUSIC, Films")
    words = "“Music” has the type artist; “Shows” has the type show"
    assert wrong_libraries(THERE, names) == words
    assert wrong_libraries(THERE, NameList.parse("Films, Docks")) == ""


# -- errors -------------------------------------------------------------------------------


def test_the_codes_and_the_words_of_errors_that_callers_read():
    kinds = [
        kind for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, Stash2PlexError)
    ]  # fmt: skip
    assert {kind.__name__: (kind.exit_code, kind.reason) for kind in kinds} == {
        "Stash2PlexError": (1, "error"),
        "UsageError": (2, "usage"),
        "ConfigError": (2, "configuration"),
        "MissingPart": (2, "missing_part"),
        "StoreError": (1, "store"),
        "StoreUnavailable": (1, "store_unavailable"),
        "StoreDamaged": (1, "store_damaged"),
        "StoreTooNew": (1, "store_too_new"),
        "ServerError": (1, "server"),
        "Unavailable": (3, "unavailable"),
        "Refused": (2, "refused"),
        "Transient": (1, "transient"),
        "NotFound": (1, "not_found"),
        "TooLarge": (1, "too_large"),
        "Rejected": (1, "rejected"),
        "NotInPlexYet": (1, "not_in_plex"),
        "LibraryUnread": (1, "library"),
        "Ambiguous": (1, "ambiguous"),
        "OnHold": (1, "on_hold"),
        "Interrupted": (130, "interrupted"),
        "StashGone": (1, "stash_gone"),
    }


def test_what_an_error_of_a_server_has():
    error = errors.Unavailable("Plex", "a", "b", cause=errors.SLOW, scope=errors.ITEM)
    assert vars(error) == {
        "what": "a", "fix": "b", "server": "Plex", "cause": errors.SLOW, "scope": errors.ITEM,
        "retry_after": None,
    }  # fmt: skip
    for seconds, scope in ((5.0, errors.SERVER), (0.0, errors.ITEM), (None, errors.ITEM)):
        error = errors.Unavailable("Plex", "a", scope=errors.ITEM, retry_after=seconds)
        assert (error.scope, error.retry_after) == (scope, seconds)
    assert vars(errors.Refused("Stash", "a")) == {
        "what": "a", "fix": None, "server": "Stash", "cause": None, "scope": None,
        "wants_login": False,
    }  # fmt: skip
    refused = errors.Refused(
        "Stash", "a", "b", cause=errors.NO_TLS, scope=errors.SERVER, wants_login=True
    )
    assert (refused.fix, refused.cause, refused.scope) == ("b", errors.NO_TLS, errors.SERVER)
    assert vars(ServerError("Plex", "a")) == {
        "what": "a", "fix": None, "server": "Plex", "cause": None, "scope": None,
    }  # fmt: skip
    assert str(errors.StashGone()) == (
        "Stash has ended. What is queued is safe and is sent when Stash is back."
    )
    assert fault_sentence(KeyError("x")) == (
        "Stash2Plex has a fault (KeyError); the log has the details."
    )
    scopes = (errors.FIELD, errors.ITEM, errors.ENDPOINT, errors.LIBRARY, errors.SERVER)
    assert [costs_attempt(scope) for scope in scopes] == [True, True, False, False, False]


# -- states and waits ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "state"),
    [
        ({"priority": 2, "leased": True, "due": True}, "waiting"),
        ({"priority": 1, "leased": True, "due": True}, "sending"),
        ({"priority": 0, "leased": True, "due": False}, "sending"),
        ({"priority": 0, "leased": False, "due": True}, "to_send"),
        ({"priority": 1, "leased": False, "due": False}, "waiting"),
        ({"priority": 1, "leased": False, "due": False, "reason": "not_in_plex"}, "not_in_plex"),
        ({"priority": 1, "leased": False, "due": True, "reason": "not_in_plex"}, "to_send"),
        ({"priority": 2, "leased": False, "due": False, "reason": "not_in_plex"}, "waiting"),
    ],
)
def test_the_state_of_a_scene_in_the_queue(place, state):
    assert queued_state(**{"reason": "", **place}) == state


@pytest.mark.parametrize(
    ("standing", "state"),
    [
        ("in_sync", "in_sync"), ("not_in_plex", "not_in_plex"), ("", "to_send"), ("x", "to_send"),
        ("sending", "to_send"), ("given_up", "to_send"), ("excluded", "left_out"),
        ("not_organized", "left_out"), ("no_metadata", "left_out"), ("undone", "left_out"),
        ("library", "left_out"), ("other_scene", "left_out"),
    ],
)  # fmt: skip
def test_the_state_of_a_scene_that_rests(standing, state):
    assert resting_state(standing) == state


class Longest(Random):
    """Chance at its upper end, and what it was asked for."""

    asked: tuple[float, float] = (0.0, 0.0)

    def uniform(self, a, b):
        self.asked = (a, b)
        return b


def test_an_endpoint_that_fails_waits_longer_each_time():
    chance = Longest()
    state = EndpointState("posters")
    seen = []
    for number in range(9):
        state = after_failure(state, 100.0 + number, f"{number}", chance)
        seen.append(
            (state.failures, state.probes, state.next_try_at - 100.0 - number, state.is_shut)
        )
    assert seen == [
        (1, 0, 0.0, False), (2, 0, 0.0, False), (3, 1, 2.0, True), (4, 2, 4.0, True),
        (5, 3, 8.0, True), (6, 4, 16.0, True), (7, 5, 32.0, True), (8, 6, 60.0, True),
        (9, 7, 60.0, True),
    ]  # fmt: skip
    assert state == EndpointState("posters", 9, 100.0, 7, 168.0, "8")
    assert chance.asked == (0.8, 1.0)
    again = after_failure(EndpointState("covers", since=3.0), 50.0, "x", chance)
    assert again == EndpointState("covers", 1, 50.0, 0, 50.0, "x")


@pytest.mark.parametrize(
    ("began", "last_end", "now", "stuck"),
    [
        ([], 0.0, 100.0, False), ([5.0, 7.0], 0.0, 6.0, True), ([5.0, 7.0], 0.0, 5.9, False),
        ([7.0, 5.0], 5.5, 6.5, True), ([5.0], 5.5, 6.4, False),
    ],
)  # fmt: skip
def test_pictures_hang_after_a_second_without_an_end(began, last_end, now, stuck):
    assert are_stuck(began, last_end, now) is stuck
