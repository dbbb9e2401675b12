"""At the edge of each limit: what is one value, what is sent in which requests, what is cut."""

from __future__ import annotations

import pytest
from attrs import evolve

from stash2plex.config import Settings
from stash2plex.model import Change, Desired, Entity, Field, ListChange, Record
from stash2plex.namelist import NameList
from stash2plex.rules.desired import (
    LeftOut,
    clean_line,
    clean_text,
    complete_date,
    desired_state,
    performer_names,
    reason_to_skip,
    tag_names,
    what_was_cut,
    why_left_out,
    without_fields,
)
from stash2plex.rules.edit_parts import edit_parts, to_mend
from stash2plex.rules.read_back import read_back, shows_picture
from stash2plex.rules.spelling import (
    Spelling,
    counted,
    fold,
    is_rounded,
    is_rounded_away,
    once,
    same_rating,
    text_spelling,
)
from stash2plex.rules.traits import NO_TRAITS, OF_A_FIELD, Trait, Traits
from tests.support import make_item, make_scene, named

TITLE, TAGS, RATING = Field.TITLE, Field.TAGS, Field.RATING
ONE_BY_ONE = Traits(frozenset({(Trait.ONE_REMOVAL, None)}))


# -- spelling -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "shown", "spelling"),
    [
        ("abcdefghijklmnop and more", "abcdefghijklmnop", Spelling.CUT),
        ("abcdefghijklmnop and more", "abcdefghijklmno", None),
        ("abcdefghijklmnop and more", "Abcdefghijklmnop  and", Spelling.CUT),
        ("abcdefghijklmnop", "abcdefghijklmnop and more", None),
        ("Fog-17", "fog 17", Spelling.MARKS),
        ("Fog-17", "fog 18", None),
        ("...", "…", None),
        ("ı", "I", Spelling.CASE),
        ("a\u00a0b", "a b", Spelling.BLANKS),
    ],
)
def test_a_text_that_was_cut_is_known_by_sixteen_letters(sent, shown, spelling):
    assert text_spelling(TITLE, sent, shown) is spelling
    # A date has a neighbour and no spelling.
    assert text_spelling(Field.DATE, sent, shown) is None


def test_folded_names_are_counted_and_each_stays_once():
    names = ("Fog", " fog ", "e\u0301bb", "FOG", "\u00c9bb", "Mole")
    assert [fold(name) for name in names] == ["fog", "fog", "\u00e9bb", "fog", "\u00e9bb", "mole"]
    assert counted(names) == {"fog": 3, "\u00e9bb": 2, "mole": 1}
    assert once(names) == ("Fog", "e\u0301bb", "Mole")


@pytest.mark.parametrize(
    ("sent", "shown", "rounded"),
    [(8.0, 9.0, True), (8.0, 7.0, True), (8.0, 9.01, False), (0.0, 0.5, False), (0.5, 0.0, False),
     (None, 8.0, False), (8.0, None, False)],
)  # fmt: skip
def test_a_rating_is_rounded_by_a_whole_star_of_ten_at_most(sent, shown, rounded):
    assert is_rounded(sent, shown) is rounded


@pytest.mark.parametrize(
    ("sent", "shown", "away"),
    [(0.4, None, True), (0.1, 0.0, True), (0.5, None, False), (0.0, None, False),
     (0.4, 0.5, False), (-0.1, None, False)],
)  # fmt: skip
def test_only_less_than_half_a_star_is_rounded_away(sent, shown, away):
    assert is_rounded_away(sent, shown) is away


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [(8.0, 8.04, True), (8.04, 8.0, True), (8.0, 8.06, False), (None, 0.0, True), (0, None, True),
     (None, 0.05, False), (0.05, None, False), (8, 8.0, True), ("8", 8.0, False), (8.0, "8", False),
     (None, None, True), ("", None, True)],
)  # fmt: skip
def test_ratings_are_the_same_within_half_of_a_step(one, other, same):
    assert same_rating(one, other) is same


# -- traits -------------------------------------------------------------------------------


def test_what_a_server_does_has_words_and_is_one_whole():
    words = {trait.words for trait in Trait}
    assert len(words) == len(Trait)
    assert all(one.startswith("it ") for one in words)
    open_ends = (" in", " of", "shortens", "keep")
    assert {trait for trait in Trait if trait.words.endswith(open_ends)} == OF_A_FIELD
    known = NO_TRAITS.with_learnt([(Trait.CUTS, TITLE), (Trait.LOSES, TITLE)])
    assert [known.has(trait) for trait in (Trait.CUTS, Trait.LOSES, Trait.ADDS)] == [
        True, True, False,
    ]  # fmt: skip
    assert [known.loses(name) for name in (TITLE, TAGS)] == [True, False]
    again = known.with_learnt([(Trait.ADDS, None)], [(Trait.LOSES, TITLE), (Trait.ROUNDS, None)])
    assert again == Traits(frozenset({(Trait.CUTS, TITLE), (Trait.ADDS, None)}))
    # What is learnt goes before what is forgotten.
    assert known.with_learnt([(Trait.CUTS, TITLE)], [(Trait.CUTS, TITLE)]) == known


@pytest.mark.parametrize("trait", list(Trait))
def test_only_missing_values_are_sent_to_a_server_that_adds_or_doubles(trait):
    traits = Traits(frozenset({(trait, None)}))
    assert traits.sends_missing is (trait in (Trait.ADDS, Trait.DOUBLES))


# -- the requests of a change -------------------------------------------------------------


def parts(change, traits=NO_TRAITS, delta=False):
    return edit_parts(change, traits, delta=delta)


def test_a_change_is_one_request_unless_a_name_goes_and_comes_back():
    gone = ListChange((), ("P",))
    lists = {TAGS: ListChange(("Fog", "Ebb"), ("fog", "Mole")), Field.DIRECTOR: gone}
    unlocks = frozenset({TAGS})
    change = Change({TITLE: "A"}, lists, 7.0, locks=frozenset({Field.DATE}), unlocks=unlocks)
    first = evolve(
        change,
        lists={TAGS: ListChange(("Ebb",), ("fog", "Mole")), Field.DIRECTOR: gone},
    )
    whole = Change({}, {TAGS: ListChange(("Fog", "Ebb"), ())}, unlocks=unlocks)
    missing = Change({}, {TAGS: ListChange(("Fog",), ())}, unlocks=unlocks)
    assert parts(change) == [first, whole]
    assert parts(change, delta=True) == [first, missing]
    assert parts(Change({}, {})) == [Change({}, {})]
    alone = Change({}, {TAGS: ListChange(("Fog",), ("Ebb",))})
    assert parts(alone) == [alone]


def test_a_server_that_removes_one_name_a_request_gets_one_of_each_list():
    change = Change(
        {TITLE: "A"},
        {
            TAGS: ListChange(("Fog",), ("A", "B", "C")),
            Field.DIRECTOR: ListChange(("P",), ("Q", "R")),
            Field.PERFORMERS: ListChange(("S",), ()),
        },
        unlocks=frozenset({TITLE}),
    )
    first, *more = parts(change, ONE_BY_ONE)
    assert first == evolve(
        change,
        lists={
            TAGS: ListChange(("Fog",), ("A",)),
            Field.DIRECTOR: ListChange(("P",), ("Q",)),
            Field.PERFORMERS: ListChange(("S",), ()),
        },
    )
    unlocks = change.unlocks
    assert more == [
        Change(
            {}, {TAGS: ListChange((), ("B",)), Field.DIRECTOR: ListChange((), ("R",))},
            unlocks=unlocks,
        ),
        Change({}, {TAGS: ListChange((), ("C",))}, unlocks=unlocks),
    ]  # fmt: skip


def test_removals_fill_a_url_of_sixteen_thousand_bytes():
    # Each takes 1000 bytes with its comma, which is encoded.
    names = tuple(f"{number:02}{'x' * 995}" for number in range(17))
    sixteen = Change({}, {TAGS: ListChange((), names[:16])})
    assert parts(sixteen) == [sixteen]
    seventeen = Change({}, {TAGS: ListChange((), names)})
    assert [part.lists[TAGS].stale for part in parts(seventeen)] == [names[:16], names[16:]]
    longer = (*names[:15], "y" * 998)
    found = parts(Change({}, {TAGS: ListChange((), longer)}))
    assert [part.lists[TAGS].stale for part in found] == [names[:15], longer[15:]]
    # A single name that is longer goes alone.
    long = Change({}, {TAGS: ListChange((), ("a", "z" * 20_000, "b"))})
    assert [part.lists[TAGS].stale for part in parts(long)] == [("a",), ("z" * 20_000,), ("b",)]


@pytest.mark.parametrize(("length", "requests"), [(974, 1), (975, 2)])
def test_what_is_added_and_removed_share_a_url_as_long_as_both_fit(length, requests):
    # 15 removals of 1000 bytes, and one name of `length` bytes with 26 around it.
    gone = tuple(f"{number:02}{'x' * 995}" for number in range(15))
    added = ("n" * length,)
    found = parts(Change({}, {TAGS: ListChange(added, gone)}))
    assert len(found) == requests
    if requests == 1:
        assert found[0].lists[TAGS] == ListChange(added, gone)
    else:
        assert [part.lists[TAGS] for part in found] == [
            ListChange(added, ()), ListChange((), gone),
        ]  # fmt: skip


def test_lists_that_a_shared_edit_replaced_are_sent_whole():
    change = Change(
        {TITLE: "A"},
        {
            TAGS: ListChange(("Fog", "Ebb"), ("Mole",)),
            Field.DIRECTOR: ListChange(("P", "Q"), ()),
            Field.PERFORMERS: ListChange(("S", "T"), ()),
        },
    )
    before = make_item(lists={TAGS: ("Fog", "Mole"), Field.DIRECTOR: ("P",)})
    after = make_item(lists={TAGS: ("Ebb",), Field.DIRECTOR: ("p", "Q"), Field.PERFORMERS: ("S",)})
    assert to_mend(change, before, after) == Change({}, {TAGS: ListChange(("Fog", "Ebb"), ())})
    assert to_mend(change, before, evolve(after, lists={**after.lists, TAGS: ("fog",)})) is None


# -- what was made of a write -------------------------------------------------------------


def written(unread, tries=0, **values):
    return Record(
        1, "7", "1", "/media/a.mp4", "path", "f", values, unread=unread, tries=tries,
        shown={"studio": "QUAY"},
    )  # fmt: skip


def test_a_whole_reading_of_several_fields():
    record = written(
        {"title": "", "summary": "", "date": "", "rating": None,
         "tags": {"held": [], "stale": []}, "director": {"held": ["Q"], "stale": ["Q"]}},
        title="Fog", summary="Over the quay", date="2020-05-01", rating=0.3,
        tags=["Ebb", "Mole"], director=["P"],
    )  # fmt: skip
    item = make_item(
        texts={TITLE: "FOG", Field.SUMMARY: "Mine", Field.DATE: "2020-05-02"},
        lists={TAGS: ("EBB", "Mole"), Field.DIRECTOR: ("P",)},
    )
    known = Traits(frozenset({(Trait.LOSES, TAGS), (Trait.OWN_CASE, TITLE)}))
    found = read_back(record, item, known)
    shown = {"studio": "QUAY", "title": "FOG", "date": "2020-05-02", "rating": None}
    assert found.record == evolve(
        record, shown=shown, unread={"summary": ""}, verified=True, tries=1, fingerprint=""
    )
    assert found.again == {Field.SUMMARY}
    assert found.lost == frozenset()
    assert found.learnt == {(Trait.SHIFTS_DATES, None), (Trait.OWN_CASE, TAGS)}
    assert found.forgotten == {(Trait.LOSES, TAGS)}


@pytest.mark.parametrize(
    ("name", "value", "unread", "tries", "traits", "is_again"),
    [
        ("title", "Fog", "", 0, (), True),
        ("title", "Fog", "", 1, (), False),
        ("title", "Fog", "", 0, ((Trait.LOSES, TITLE),), False),
        ("title", "Fog", "", 0, ((Trait.LOSES, TAGS),), True),
        ("tags", ["Fog"], {}, 0, (), True),
        ("tags", ["Fog"], {}, 1, (), True),
        ("tags", ["Fog"], {}, 2, (), False),
        ("rating", 8.0, 3.0, 0, (), True),
        ("rating", 8.0, 3.0, 1, (), True),
        ("rating", 8.0, 3.0, 0, ((Trait.RATES_APART, None),), True),
        ("rating", 8.0, 3.0, 1, ((Trait.RATES_APART, None),), False),
        ("rating", 8.0, 3.0, 2, (), False),
        ("rating", None, 3.0, 0, (), True),
    ],
)  # fmt: skip
def test_a_field_is_written_again_until_every_way_was_tried(
    name, value, unread, tries, traits, is_again
):
    record = written({name: unread}, tries, **{name: value})
    item = make_item(texts={TITLE: "Mine"}, rating=3.0, lists={TAGS: ("Mine",)})
    found = read_back(record, item, Traits(frozenset(traits)))
    field = Field(name)
    assert (found.again, found.lost) == (
        ({field}, frozenset()) if is_again else (frozenset(), {field})
    )
    held = {"title": "Mine", "rating": 3.0, "tags": ["Mine"]}[name]
    assert found.record == evolve(
        record,
        shown={"studio": "QUAY"} if is_again else {"studio": "QUAY", name: held},
        unread={name: unread} if is_again else {},
        verified=True,
        tries=tries + 1 if is_again else 0,
        fingerprint="" if is_again else "f",
    )
    apart = {(Trait.RATES_APART, None)} if name == "rating" and value is not None else set()
    lost = set() if is_again else {(Trait.LOSES, field)}
    assert found.learnt == (apart | lost) - set(traits)


@pytest.mark.parametrize(
    ("unread", "held", "learnt", "is_good"),
    [
        # Two were to go, one is left: it removes one at a time.
        ({"held": ["A", "B"], "stale": ["A", "B"]}, ("Fog", "A"), {Trait.ONE_REMOVAL}, False),
        ({"held": ["A", "B"], "stale": ["A", "B"]}, ("Fog", "A", "B"), set(), False),
        ({"held": ["A"], "stale": ["A"]}, ("Fog", "A"), set(), False),
        # Only what was missing was sent.
        ({"held": ["A"], "stale": [], "delta": True}, ("Fog", "A"), {Trait.ADDS}, True),
        ({"held": ["A"], "stale": [], "delta": True}, ("Fog",), {Trait.REPLACES}, True),
        ({"held": ["A"], "stale": ["A"], "delta": True}, ("Fog",), set(), True),
        ({"held": ["A"], "stale": []}, ("Fog", "A"), set(), True),
        # Something is there twice.
        ({"held": ["A"], "stale": []}, ("Fog", "A", "A"), {Trait.DOUBLES}, False),
        ({"held": ["A", "A"], "stale": []}, ("Fog", "A", "A"), set(), False),
        ({"held": [], "stale": []}, ("FOG",), {Trait.OWN_CASE}, True),
        ({"held": [], "stale": []}, ("F-o-g",), {Trait.OWN_MARKS}, True),
        ({"held": ["F-o-g"], "stale": []}, ("F-o-g",), set(), False),
        ({"held": ["FOG"], "stale": []}, ("FOG",), set(), True),
        ({"held": [], "stale": []}, (), set(), False),
    ],
)  # fmt: skip
def test_what_one_list_teaches(unread, held, learnt, is_good):
    record = written({"tags": unread}, tags=["Fog"])
    found = read_back(record, make_item(lists={TAGS: held}), NO_TRAITS)
    assert {trait for trait, _ in found.learnt} == learnt
    assert all(name is (TAGS if trait in OF_A_FIELD else None) for trait, name in found.learnt)
    assert (not found.again) is is_good


def test_a_server_that_adds_by_now_no_longer_replaces():
    known = Traits(frozenset({(Trait.REPLACES, None)}))
    record = written({"tags": {"held": ["A"], "stale": [], "delta": True}}, tags=["Fog"])
    found = read_back(record, make_item(lists={TAGS: ("Fog", "A")}), known)
    assert found.learnt == {(Trait.ADDS, None)}
    assert found.forgotten == {(Trait.REPLACES, None)}


def test_without_an_item_nothing_is_known():
    record = written({"title": ""}, 2, title="Fog")
    for item in (None, make_item(rating_key="8", texts={TITLE: "Fog"})):
        found = read_back(evolve(record, verified=True), item, NO_TRAITS)
        assert found.record == evolve(record, unread={}, verified=False, tries=0)
        assert (found.again, found.lost, found.learnt, found.forgotten) == (frozenset(),) * 4


@pytest.mark.parametrize(
    ("before", "now", "locked", "shows"),
    [("/a", "/b", True, True), ("/a", "/a", True, False), ("", "/a", True, True),
     ("/a", "/b", False, False), ("", "", True, True)],
)  # fmt: skip
def test_a_picture_seems_to_be_shown_at_another_address(before, now, locked, shows):
    item = make_item(
        pictures={Field.POSTER: now, Field.BACKGROUND: before},
        locked=frozenset({Field.POSTER} if locked else {Field.BACKGROUND}),
    )
    assert shows_picture(Field.POSTER, before, item) is shows


# -- what is wanted -----------------------------------------------------------------------


def settings(exclude_tags="", ignore_tags=""):
    return Settings(
        exclude_tags=NameList.parse(exclude_tags), ignore_tags=NameList.parse(ignore_tags)
    )


def test_why_a_scene_is_left_out():
    tags = (Entity(1, "Fog"), Entity(2, "Keep out", aliases=("Hidden",)), Entity(3, "Secret"))
    scene = make_scene(tags=tags)
    chosen = settings(exclude_tags="hidden, secret")
    only = evolve(chosen, only_organized=True)
    wanted = desired_state(scene, chosen)
    tagged = "it has the tag “Keep out” (Exclude tags)"
    raw = "it is not organized (Only organized is on)"
    assert [reason_to_skip(scene, one) for one in (Settings(), chosen, only)] == [None, tagged, raw]

    def why(settings, scene=scene, wanted=wanted, is_undone=False):
        return why_left_out(scene, settings, wanted, is_undone=is_undone)

    assert why(Settings()) is None
    assert why(chosen) == LeftOut(tagged, "excluded")
    assert why(only) == LeftOut(raw, "not_organized")
    assert why(only, evolve(scene, organized=True)) == LeftOut(tagged, "excluded")
    assert why(only, is_undone=True) == LeftOut(
        "it was put back; “sync” takes it in again", "undone"
    )
    empty = desired_state(make_scene(title=""), Settings())
    assert why(Settings(), wanted=empty) == LeftOut("it has no metadata yet", "no_metadata")


def test_everything_that_plex_should_hold():
    scene = make_scene(
        title=" A\tpier\n at  dawn ", details="One\r\ntwo\rthree \x00", code=" H 17 ",
        date="2020", rating100=73, studio=Entity(1, "Quay\n"), director="Performer 9",
        performers=named("b", "A"), tags=named("Fog", "fog", "Ebb"),
    )  # fmt: skip
    wanted = desired_state(scene, Settings())
    expected = Desired(
        texts={
            TITLE: "A pier at dawn", Field.SUMMARY: "One\ntwo\nthree", Field.STUDIO: "Quay",
            Field.TAGLINE: "H 17", Field.DATE: "2020-01-01",
        },
        lists={
            Field.PERFORMERS: ("A", "b"), TAGS: ("Fog", "Ebb"), Field.DIRECTOR: ("Performer 9",),
            Field.COLLECTION: ("Quay",),
        },
        images=frozenset({Field.POSTER, Field.BACKGROUND}), rates=True, rating=7.3,
        fallback_title="a", empty=False, fingerprint=wanted.fingerprint,
        preserves=Settings().preserve_plex_edits,
    )  # fmt: skip
    assert wanted == expected
    left = frozenset({TITLE, TAGS, Field.POSTER, RATING})
    fewer = without_fields(wanted, left)
    assert fewer == evolve(
        wanted,
        texts={name: text for name, text in wanted.texts.items() if name is not TITLE},
        lists={name: names for name, names in wanted.lists.items() if name is not TAGS},
        images=frozenset({Field.BACKGROUND}), rates=False, fingerprint=fewer.fingerprint,
    )  # fmt: skip
    assert fewer.fingerprint != wanted.fingerprint
    assert without_fields(wanted, frozenset()) is wanted
    assert without_fields(wanted, frozenset({TITLE})).rates
    for part in ("title", "details", "code", "director"):
        assert not desired_state(make_scene(**{"title": "", part: "x"}), Settings()).empty
    assert not desired_state(make_scene(title="", rating100=1), Settings()).empty
    assert desired_state(make_scene(title="", rating100=0), Settings()).empty


@pytest.mark.parametrize(
    ("path", "title"),
    [("/media/a b.mp4", "a b"), ("C:\\films\\pier.one.mkv", "pier.one"), ("/a/pier", "pier"),
     ("/a/pier.abcdef", "pier.abcdef"), ("/a/pier.abcde", "pier"), ("/a/.mp4", "")],
)  # fmt: skip
def test_the_name_of_the_first_file_stands_for_a_title(path, title):
    scene = make_scene()
    files = (evolve(scene.files[0], path=path), evolve(scene.files[0], path="/other/quay.mp4"))
    assert desired_state(evolve(scene, files=files), Settings()).fallback_title == title
    assert desired_state(evolve(scene, files=()), Settings()).fallback_title == ""


@pytest.mark.parametrize(
    ("rating100", "stars"),
    [(None, None), (0, None), (-5, None), (1, 0.1), (73, 7.3), (100, 10.0), (101, 10.0)],
)
def test_ratings_are_out_of_ten_and_within_bounds(rating100, stars):
    assert desired_state(make_scene(rating100=rating100), Settings()).rating == stars


@pytest.mark.parametrize(
    ("text", "date"),
    [("2020", "2020-01-01"), ("2020-5", "2020-05-01"), (" 2020-05-9 ", "2020-05-09"),
     ("2020-13", ""), ("2020-00-10", ""), ("20200509", ""), ("", ""), ("0000-01-01", "")],
)  # fmt: skip
def test_dates_are_whole_or_none(text, date):
    assert complete_date(text) == date


def test_texts_and_names_end_at_their_limits():
    whole = desired_state(
        make_scene(title="t" * 256, details="d" * 10_001, code="c" * 255), Settings()
    )
    assert [len(whole.texts[name]) for name in (TITLE, Field.SUMMARY, Field.TAGLINE)] == [
        255, 10_000, 255,
    ]  # fmt: skip
    # Nine bytes a letter in a URL of 16,000.
    japanese = desired_state(make_scene(details="\u6e2f" * 2_000), Settings())
    assert len(japanese.texts[Field.SUMMARY]) == 1_777
    spaced = desired_state(make_scene(details="\u6e2f" * 1_777 + " \u6e2f"), Settings())
    assert spaced.texts[Field.SUMMARY] == "\u6e2f" * 1_777
    # Each name takes its 24 letters and 26 bytes around them.
    many = tuple(Entity(number, f"Tag {number:020}") for number in range(400))
    wanted = desired_state(make_scene(tags=many), evolve(Settings(), max_tags=400))
    assert len(wanted.lists[TAGS]) == 16_000 // (26 + 26)
    # The last one fits to the byte, and not with a letter more.
    for last, number in (("x" * 10, 308), ("x" * 11, 307)):
        edge = desired_state(
            make_scene(tags=(*many[:307], Entity(999, last))), evolve(Settings(), max_tags=400)
        )
        assert len(edge.lists[TAGS]) == number
    crowd = tuple(Entity(number, f"P{number:03}") for number in range(201))
    crowded = desired_state(make_scene(performers=crowd), Settings())
    assert len(crowded.lists[Field.PERFORMERS]) == 200
    assert len(performer_names(make_scene(performers=crowd))) == 201
    assert clean_text("  ab  cd", 4) == "ab"
    assert clean_line("a\r\n b", 9) == "a b"


def test_a_skipped_rating_makes_no_difference():
    unrated = evolve(Settings(), skip_fields=frozenset({RATING}))
    for chosen, number in ((unrated, 1), (Settings(), 2)):
        found = {desired_state(make_scene(rating100=one), chosen).fingerprint for one in (40, 80)}
        assert len(found) == number


def test_namesakes_are_told_apart_where_that_is_known():
    crowd = (
        Entity(1, "B", "of the quay"), Entity(2, "a", "alone"), Entity(3, "B"),
        Entity(4, "B", "of the pier"),
    )  # fmt: skip
    assert performer_names(make_scene(performers=crowd)) == (
        "a", "B", "B (of the pier)", "B (of the quay)",
    )  # fmt: skip


def test_ignored_tags_are_left_out_before_they_are_counted():
    tags = (Entity(1, "Fog"), Entity(2, "Ebb", aliases=("Low",)), Entity(3, "Mole"), Entity(4, "Q"))
    chosen = evolve(settings(ignore_tags="low"), max_tags=2)
    assert tag_names(make_scene(tags=tags), chosen) == ("Fog", "Mole")


def lines(scene, chosen=None, skipped=()):
    chosen = evolve(chosen or Settings(), skip_fields=frozenset(skipped))
    wanted = desired_state(scene, chosen)
    return [
        text % tuple(getattr(part, "text", part) for part in parts)
        for text, *parts in what_was_cut(scene, wanted, chosen)
    ]


def test_what_is_cut_is_reported_in_whole_sentences():
    scene = make_scene(
        details="d" * 12_345,
        performers=tuple(Entity(number, f"P{number:04}") for number in range(1_234)),
        tags=tuple(Entity(number, f"Tag {number:020}") for number in range(400)),
        rating100=120,
    )
    letters = "the first 10,000 of 12,345 characters are sent."
    whole = [
        f"The summary of A harbour is longer than Plex takes: {letters}",
        "A harbour has more performers than Plex takes: the first 200 of 1,234 are sent.",
        "A harbour has more tags than Plex takes: the first 307 of 400 are sent.",
        "The rating of A harbour is out of range in Stash: 120 of 100; sent is 10 of 10.",
    ]
    chosen = evolve(Settings(), max_tags=400)
    found = lines(scene, chosen)
    assert [line.replace("“", "").replace("”", "") for line in found] == whole
    assert lines(scene, chosen, {Field.SUMMARY, Field.PERFORMERS, TAGS, RATING}) == []
    below = lines(make_scene(rating100=-3))
    assert [line.partition(": ")[2] for line in below] == ["-3 of 100; sent is none of 10."]
    edge = make_scene(details="d" * 10_000, rating100=100, tags=named("Fog"))
    assert [lines(evolve(edge, rating100=number)) for number in (100, 0, None)] == [[], [], []]
