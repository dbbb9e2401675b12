"""What reading a write back shows, and what follows from it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from stash2plex.config import Settings
from stash2plex.model import Entity, Field, Record
from stash2plex.rules.desired import desired_state
from stash2plex.rules.edit_parts import edit_parts
from stash2plex.rules.memory import list_before
from stash2plex.rules.merge import (
    announcement,
    as_shared,
    plan_change,
    remember,
    remember_shown,
)
from stash2plex.rules.read_back import MAX_TRIES, read_back
from stash2plex.rules.spelling import counted, fold, is_rounded, same_rating, text_spelling
from stash2plex.rules.traits import NO_TRAITS, Trait, Traits
from stash2plex.servers.plexedit import edit_parameters
from stash2plex.servers.plexwire import WireRow, read_item
from stash2plex.servers.wire import make_converter, structure
from stash2plex_testing.plex import combined, pairs
from stash2plex_testing.plex.library import PlexLibrary
from stash2plex_testing.plex.render import item_row
from tests.support import ManualClock, make_item, make_scene, named

PATH = "/media/a.mp4"


def written(unread, tries=0, **values):
    return Record(1, "7", "1", PATH, "path", "f", values, unread=unread, verified=True, tries=tries)


def list_of(*held, stale=(), delta=False):
    return {"held": list(held), "stale": list(stale), "delta": delta}


def reading(record, traits=NO_TRAITS, **item):
    return read_back(record, make_item(**item), traits)


def test_what_was_kept_is_settled_and_teaches_nothing():
    found = reading(written({"title": "a"}, title="Pier"), texts={Field.TITLE: "Pier"})
    assert (found.again, found.lost, found.learnt) == (frozenset(), frozenset(), frozenset())
    assert (found.record.unread, found.record.shown, found.record.fingerprint) == ({}, {}, "f")


@pytest.mark.parametrize(
    ("name", "sent", "shown", "trait"),
    [
        ("studio", "The Sound of Tides", "The Sound Of Tides", (Trait.OWN_CASE, Field.STUDIO)),
        ("summary", "Two  blanks", "Two blanks", (Trait.OWN_BLANKS, Field.SUMMARY)),
        ("date", "2024-06-24", "2024-06-23", (Trait.SHIFTS_DATES, None)),
    ],
)
def test_a_spelling_of_a_text_is_kept_in_mind(name, sent, shown, trait):
    found = reading(written({name: ""}, **{name: sent}), texts={Field(name): shown})
    assert (found.record.shown, found.again, found.learnt) == ({name: shown}, set(), {trait})


def test_a_rounded_rating_is_kept_in_mind():
    found = reading(written({"rating": None}, rating=4.5), rating=5.0)
    assert (found.record.shown, found.learnt) == ({"rating": 5.0}, {(Trait.ROUNDS, None)})


def test_a_text_that_is_not_kept_is_written_again_and_then_named():
    record = written({"studio": "Old"}, studio="Quay Works")
    first = reading(record, texts={Field.STUDIO: "Old"})
    assert (first.again, first.lost, first.record.tries) == ({Field.STUDIO}, frozenset(), 1)
    assert (first.record.fingerprint, first.record.unread) == ("", {"studio": "Old"})
    second = reading(evolve(record, tries=1), texts={Field.STUDIO: "Old"})
    assert (second.again, second.lost) == (frozenset(), {Field.STUDIO})
    assert second.learnt == {(Trait.LOSES, Field.STUDIO)}
    assert (second.record.shown, second.record.tries) == ({"studio": "Old"}, 0)
    # The next scene is not tried twice, and one that is kept again ends it.
    known = Traits(second.learnt)
    assert reading(record, known, texts={Field.STUDIO: "Old"}).lost == {Field.STUDIO}
    kept = reading(record, known, texts={Field.STUDIO: "Quay Works"})
    assert kept.forgotten == second.learnt


def test_a_rating_that_an_edit_does_not_keep_goes_the_other_way_first():
    record = written({"rating": None}, rating=4.5)
    first = reading(record)
    assert (first.again, first.learnt) == ({Field.RATING}, {(Trait.RATES_APART, None)})
    second = reading(evolve(record, tries=1), Traits(first.learnt))
    assert second.lost == {Field.RATING}


def test_removals_that_are_left_over_teach_to_remove_one_by_one():
    before = list_of("Fog", "Old", "Older", stale=("Old", "Older"))
    held = {Field.TAGS: ("Fog", "Older")}
    found = reading(written({"tags": before}, tags=["Fog"]), lists=held)
    assert (found.again, found.learnt) == ({Field.TAGS}, {(Trait.ONE_REMOVAL, None)})
    assert list_before(found.record.unread["tags"]).stale == ("Old", "Older")


def test_a_value_that_is_twice_there_since_teaches_to_send_what_is_missing():
    record = written({"tags": list_of("Fog")}, tags=["Fog", "Tide"])
    found = reading(record, lists={Field.TAGS: ("Fog", "Fog", "Tide")})
    assert (found.again, found.learnt) == ({Field.TAGS}, {(Trait.DOUBLES, None)})
    assert Traits(found.learnt).sends_missing


@pytest.mark.parametrize(
    ("held", "trait"),
    [(("Theirs", "Tide"), Trait.ADDS), (("Tide",), Trait.REPLACES)],
)
def test_what_was_left_out_of_an_edit_tells_whether_lists_are_added_to(held, trait):
    record = written({"collection": list_of("Theirs", delta=True)}, collection=["Tide"])
    found = reading(record, lists={Field.COLLECTION: held})
    assert found.learnt == {(trait, None)}


def test_a_name_that_is_spelt_beyond_recognition_is_accepted():
    record = written({"tags": list_of()}, tags=["Fog, at last!"])
    found = reading(record, lists={Field.TAGS: ("Fog at last",)})
    assert (found.again, found.learnt) == (frozenset(), {(Trait.OWN_MARKS, Field.TAGS)})
    assert found.record.shown == {"tags": ["Fog at last"]}


def test_an_item_that_is_gone_or_another_one_tells_nothing():
    record = written({"title": "a"}, title="Pier")
    for item in (None, make_item(rating_key="8")):
        found = read_back(record, item, NO_TRAITS)
        assert (found.record.unread, found.record.verified, found.again) == ({}, False, frozenset())


# -- a whole server -----------------------------------------------------------------------

WORDS = st.sampled_from(["", "the Tide", "The  Tide", "Cafe\u0301", "Fog, cold"])
NAMES = st.lists(
    st.sampled_from(["fog", "Fog", "Tide", "low tide, cold", "Caf\u00e9", "night"]), max_size=4
)
SCENES = st.builds(
    lambda title, details, studio, date, rating, tags, performers: make_scene(
        title=title or "x",
        details=details,
        studio=Entity(1, studio) if studio else None,
        date=date,
        rating100=rating,
        tags=named(*tags),
        performers=named(*performers),
    ),
    WORDS,
    WORDS,
    WORDS,
    st.sampled_from(["", "2024-06-24", "2024-06-25", "2024-07-01"]),
    st.none() | st.sampled_from([45, 50, 78]),
    NAMES,
    NAMES,
)


class Server:
    """One item of a server with traits, and a syncer that reads back what it writes."""

    def __init__(self, names, preserve):
        self.library = PlexLibrary(ManualClock())
        self.library.traits = combined(*names)
        section = self.library.add_section("Harbour Films", "movie", ["/media"])
        self.held = self.library.add_item(section, [(PATH, 1)], None, {})
        self.held.tags = {"genre": ["night", "Old", "Older"], "collection": ["Theirs"]}
        self.preserve = preserve
        self.traits = NO_TRAITS
        self.record: Any = None
        self.writes = 0

    def item(self):
        row = item_row(self.held, detail=True, without=frozenset())
        return read_item(structure(make_converter(), row, WireRow, "Plex", "a test"), "1")

    def sync(self, scene):
        desired = desired_state(scene, Settings(preserve_plex_edits=self.preserve))
        for _ in range(MAX_TRIES + 1):
            self.write(desired)
            if not self.record.unread:
                return desired
            found = read_back(self.record, self.item(), self.traits)
            self.traits = self.traits.with_learnt(found.learnt, found.forgotten)
            self.record = found.record
            if not found.again:
                return desired
        raise AssertionError("it never comes to rest")

    def write(self, desired):
        item, old = self.item(), self.record
        change = plan_change(desired, item, old, preserve=self.preserve)
        delta = self.traits.sends_missing
        shown, unread = remember_shown(desired, item, change, old, delta=delta)
        known, removed = remember(desired, item, change, old)
        tries = old.tries if old and set(change.fields) & set(old.unread) else 0
        self.send(change, item, delta)
        self.record = Record(
            1, item.rating_key, "1", PATH, "path", "f", known, removed=removed, shown=shown,
            unread=unread, verified=True, tries=tries,
        )  # fmt: skip

    def killed(self, scene, number):
        """Send the first `number` requests of a write; nobody sees its end."""
        desired = desired_state(scene, Settings(preserve_plex_edits=self.preserve))
        item = self.item()
        change = plan_change(desired, item, self.record, preserve=self.preserve)
        if not change.fields:
            return
        announced = announcement(desired, item, change, self.record)
        _, removed = remember(desired, item, change, self.record)
        known = self.record or Record(1, item.rating_key, "1", PATH, "path", "", {})
        self.record = evolve(
            known, announced=(*known.announced, announced), removed=removed, fingerprint=""
        )
        self.send(change, item, self.traits.sends_missing, number)

    def send(self, change, item, delta, number=99):
        self.writes += bool(change.fields)
        apart = self.traits.has(Trait.RATES_APART) and change.rating is not None
        if apart:
            self.library.rate(self.held, change.rating)
        sent = as_shared(change, item) if delta else change
        for part in edit_parts(sent, self.traits, delta=delta)[:number] if change.edits else ():
            parameters = parse_qs(urlencode(edit_parameters(part)), keep_blank_values=True)
            self.library.edit([self.held], parameters, whole=False)
        if change.clear_rating:
            self.library.rate(self.held, -1)


def compare(server, desired):
    """Compare the item with what is wanted, up to the server's spelling."""
    item = server.item()
    for name, wanted in desired.texts.items():
        held = item.texts[name]
        if wanted and not server.traits.loses(name):
            assert held == wanted or text_spelling(name, wanted, held), name
    for name, values in desired.lists.items():
        theirs = ("Theirs",) if name is Field.COLLECTION else ()
        if (values or theirs) and not server.traits.loses(name):
            assert counted(item.lists[name]) == counted((*theirs, *values)), name
    if desired.rating and not server.traits.loses(Field.RATING):
        same = same_rating(item.rating, desired.rating) or is_rounded(desired.rating, item.rating)
        assert same


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(list(pairs())), SCENES, SCENES, st.booleans())
def test_after_two_syncs_plex_shows_what_stash_says_and_a_third_writes_nothing(
    names, one, other, preserve
):
    server = Server(names, preserve)
    server.sync(one)
    compare(server, server.sync(other))
    before = server.writes
    server.sync(other)
    assert server.writes == before


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(list(pairs())),
    st.lists(st.tuples(SCENES, st.none() | st.integers(0, 3)), max_size=4),
    SCENES,
    st.booleans(),
)
def test_kills_at_any_request_freeze_and_lose_nothing(names, saves, last, preserve):
    server = Server(names, preserve)
    for scene, number in saves:
        if number is None:
            server.sync(scene)
        else:
            server.killed(scene, number)
    server.sync(last)
    compare(server, server.sync(last))
    before = server.writes
    server.sync(last)
    assert server.writes == before


@pytest.mark.parametrize("names", [*pairs()], ids="+".join)
def test_a_tag_that_the_user_adds_stays_when_a_killed_write_is_taken_back(names):
    server = Server(names, preserve=True)
    server.sync(make_scene(title="x", tags=named("Harbour")))
    if server.traits.loses(Field.TAGS):
        return
    server.held.tags["genre"] = [*server.held.tags["genre"], "Fog"]
    server.killed(make_scene(title="x", tags=named("Harbour", "Lantern")), 1)
    server.sync(make_scene(title="x"))
    server.sync(make_scene(title="x"))
    left = {fold(name) for name in server.item().lists[Field.TAGS]}
    assert fold("Fog") in left
    assert not left & {fold("Harbour"), fold("Lantern")}


def test_a_kill_between_removals_does_not_make_an_agents_names_the_users():
    server = Server(["one_removal_per_put"], preserve=True)
    server.traits = Traits(frozenset({(Trait.ONE_REMOVAL, None)}))
    server.killed(make_scene(tags=named("Fog")), 1)
    assert len(server.held.tags["genre"]) > 2
    assert Field.TAGS in server.item().locked
    server.sync(make_scene(tags=named("Fog")))
    assert server.held.tags["genre"] == ["Fog"]


@pytest.mark.parametrize("known", [False, True], ids=["first write", "later write"])
def test_a_tag_that_the_user_added_beside_an_unrecorded_write_stays(known):
    server = Server([], preserve=True)
    server.library.traits.tags = "append"
    server.held.tags["genre"] = []
    if known:
        server.sync(make_scene(tags=named("Pier")))
    scene = make_scene(tags=named("Pier", "Tide"))
    adds = {"genre[0].tag.tag": ["Fog"], "genre.locked": ["1"]}
    if known:
        server.library.edit([server.held], adds, whole=False)
    server.killed(scene, 99)
    if not known:
        server.library.edit([server.held], adds, whole=False)
    assert sorted(server.held.tags["genre"]) == ["Fog", "Pier", "Tide"]
    server.sync(make_scene(tags=()))
    assert server.held.tags["genre"] == ["Fog"]
    before = server.writes
    server.sync(make_scene(tags=()))
    assert server.writes == before


def test_a_rating_that_is_not_kept_is_sent_once_more_where_ratings_go_apart():
    record = written({"rating": None}, rating=4.5)
    apart = Traits(frozenset({(Trait.RATES_APART, None)}))
    assert reading(record, apart).again == {Field.RATING}
    assert reading(evolve(record, tries=1), apart).lost == {Field.RATING}
