"""What a server makes of an edit, each trait by its switch; read back by python-plexapi."""

from __future__ import annotations

import unicodedata

import pytest

from stash2plex_testing.plex import SWITCHES, Traits, combined, pairs
from stash2plex_testing.plex.traits import BLANKS, fold

COMPOSED = "Caf\u00e9 am Kai"
DECOMPOSED = unicodedata.normalize("NFD", COMPOSED)


@pytest.fixture
def items(plex, films):
    return [plex.add_item(films, f"/media/{name}.mp4") for name in ("harbour", "lantern")]


@pytest.fixture
def shown(reader):
    """Return the names of a list as python-plexapi reads them."""

    def read(item, kind="genres"):
        return [tag.tag for tag in getattr(reader.fetchItem(item.rating_key), kind)]

    return read


def test_each_name_of_a_switch_can_be_set():
    for name, values in SWITCHES.items():
        traits = combined(name)
        assert all(getattr(traits, setting) == value for setting, value in values.items())


def test_an_indexed_list_adds_where_nothing_else_is_set(items, wire, shown):
    wire.add(items[0], "genre", "Fog")
    wire.add(items[0], "genre", "Fog", "Tide")
    assert shown(items[0]) == ["Fog", "Tide"]


def test_an_indexed_list_adds_or_replaces(plex, items, wire, shown):
    for switch, alone, beside in (
        ("adds", ["Fog", "Tide"], ["Fog", "Tide"]),
        ("replaces", ["Tide"], ["Tide", "Wind"]),
        ("replaces_sets", ["Tide"], ["Wind"]),
    ):
        plex.traits = combined(switch)
        item = items[0]
        item.tags["genre"] = ["Fog"]
        wire.add(item, "genre", "Tide")
        assert shown(item) == alone
        if switch == "adds":
            continue
        keys = ",".join(str(one.rating_key) for one in items)
        wire.ask("PUT", f"/library/sections/1/all?type=1&id={keys}&genre%5B0%5D.tag.tag=Wind")
        assert shown(item) == beside


def test_an_added_value_that_is_there_is_doubled(plex, items, wire, shown):
    plex.traits = Traits(tags="append", append_double=True)
    wire.add(items[0], "genre", "Fog", "Tide")
    wire.add(items[0], "genre", "Tide")
    assert shown(items[0]) == ["Fog", "Tide", "Tide"]
    wire.remove(items[0], "genre", "Tide")
    assert shown(items[0]) == ["Fog"]


def test_only_the_first_of_several_removals_is_honoured(plex, items, wire, shown):
    items[0].tags["genre"] = ["Fog", "Tide", "Wind"]
    items[0].tags["actor"] = ["Performer 17", "Performer 18"]
    plex.traits = Traits(one_removal_per_put=True)
    wire.edit(items[0], ("genre[].tag.tag-", "Fog,Wind"), ("actor[].tag.tag-", "Performer 18"))
    assert (shown(items[0]), shown(items[0], "roles")) == (["Tide", "Wind"], ["Performer 17"])


@pytest.mark.parametrize(
    ("order", "sent_first", "left"),
    [
        (None, "add", []), (None, "remove", ["Fog"]),
        (True, "add", []), (True, "remove", []),
        (False, "add", ["Fog"]), (False, "remove", ["Fog"]),
    ],
)  # fmt: skip
def test_a_name_added_and_removed_in_one_request(plex, items, wire, shown, order, sent_first, left):
    plex.traits = Traits(tags="append", add_before_remove=order)
    items[0].tags["genre"] = ["Fog"]
    both = [("genre[0].tag.tag", "Fog"), ("genre[].tag.tag-", "Fog")]
    wire.edit(items[0], *(both if sent_first == "add" else reversed(both)))
    assert shown(items[0]) == left


def test_a_label_is_shown_with_a_capital(items, wire, shown):
    wire.add(items[0], "label", "stash", "élan")
    assert shown(items[0], "labels") == ["Stash", "Élan"]
    wire.add(items[0], "genre", "fog")
    assert shown(items[0]) == ["fog"]


def test_any_name_is_shown_in_title_case(plex, items, wire, shown, reader):
    plex.traits = combined("title_case")
    wire.add(items[0], "collection", "The Sound of Tides")
    wire.edit(items[0], ("studio.value", "The Sound of Tides"))
    assert shown(items[0], "collections") == ["The Sound Of Tides"]
    assert reader.fetchItem(1).studio == "The Sound Of Tides"
    wire.remove(items[0], "collection", "The Sound of Tides")
    assert shown(items[0], "collections") == ["The Sound Of Tides"]
    wire.remove(items[0], "collection", "The Sound Of Tides")
    assert shown(items[0], "collections") == []


def test_names_that_differ_by_case_are_one_of_an_item(plex, items, wire, shown):
    plex.traits = Traits(tags="append", folds_case=frozenset({"genre"}))
    wire.add(items[0], "genre", "Low tide")
    wire.add(items[0], "genre", "LOW TIDE", "low tide")
    wire.add(items[1], "genre", "LOW TIDE")
    assert (shown(items[0]), shown(items[1])) == (["Low tide"], ["LOW TIDE"])
    wire.remove(items[0], "genre", "LOW TIDE")
    assert shown(items[0]) == ["Low tide"]
    plex.traits.removal_folds_case = True
    wire.remove(items[0], "genre", "LOW TIDE")
    assert shown(items[0]) == []


def test_the_first_spelling_wins_for_all_items_and_stays(plex, items, wire, shown):
    items[0].tags["genre"] = ["Low tide"]
    plex.traits = combined("one_row_per_folded_name", "replaces")
    wire.add(items[1], "genre", "LOW TIDE", DECOMPOSED)
    assert shown(items[1]) == ["Low tide", DECOMPOSED]
    wire.add(items[0], "genre", COMPOSED.upper())
    assert shown(items[0]) == [DECOMPOSED]
    wire.remove(items[0], "genre", DECOMPOSED)
    wire.remove(items[1], "genre", DECOMPOSED)
    wire.add(items[1], "genre", COMPOSED)
    assert shown(items[1]) == [DECOMPOSED]


@pytest.mark.parametrize(
    ("switch", "sent", "kept"),
    [
        ("date_shift", "2024-06-24", "2024-06-23"),
        ("date_shift", "2024-03-01", "2024-02-29"),
        ("date_shift", "0001-01-01", "0001-01-01"),
        ("adds", "2024-06-24", "2024-06-24"),
    ],
)
def test_a_date_is_shown_a_day_before(plex, items, wire, switch, sent, kept):
    plex.traits = combined(switch)
    assert wire.edit(items[0], ("originallyAvailableAt.value", sent)) == 200
    row = wire.rows("/library/metadata/1")[0]
    assert (row["originallyAvailableAt"], row["year"]) == (kept, int(kept[:4]))
    wire.edit(items[0], ("originallyAvailableAt.value", ""))
    assert "originallyAvailableAt" not in wire.rows("/library/metadata/1")[0]


@pytest.mark.parametrize(
    ("switch", "sent", "kept"),
    [
        ("adds", 7.3, 7.3),
        ("rounds_to_whole_stars", 7.3, 7), ("rounds_to_whole_stars", 7.5, 8),
        ("rounds_to_half_stars", 7.3, 7.5), ("rounds_to_half_stars", 0.2, 0),
    ],
)  # fmt: skip
def test_stars_are_rounded_whichever_way_they_come(plex, items, wire, reader, switch, sent, kept):
    plex.traits = combined(switch)
    wire.edit(items[0], ("userRating.value", sent))
    reader.fetchItem(2).rate(sent)
    assert [reader.fetchItem(key).userRating for key in (1, 2)] == [kept, kept]


def test_a_field_that_is_not_kept_is_answered_with_200(plex, items, wire, reader, shown):
    plex.traits = Traits(ignores_field=frozenset({"studio", "genre", "userRating", "thumb"}))
    items[0].tags["genre"] = ["Fog"]
    sent = [
        ("studio.value", "Quay Works"), ("studio.locked", "1"), ("summary.value", "Kept."),
        ("genre[0].tag.tag", "Tide"), ("genre[].tag.tag-", "Fog"), ("userRating.value", "8"),
    ]  # fmt: skip
    assert wire.edit(items[0], *sent) == 200
    assert wire.ask("POST", "/library/metadata/1/posters", b"\xff\xd8\xff")[0] == 200
    item = reader.fetchItem(1)
    assert (item.studio, item.summary, item.userRating) == (None, "Kept.", None)
    assert ([field.name for field in item.fields], item.posters()) == (["studio"], [])
    assert shown(items[0]) == ["Fog"]
    item.rate(8.0)
    assert reader.fetchItem(1).userRating == 8
    plex.traits = combined("ignores_any_rating")
    item.rate(3.0)
    assert reader.fetchItem(1).userRating == 8


def test_blanks_are_squeezed_in_texts_and_names(plex, items, wire, reader, shown):
    plex.traits = combined("squeezes_blanks")
    wire.edit(
        items[0], ("title.value", "A  harbour "), ("summary.value", "Fog.\n\nTide,   low.\n"),
        ("genre[0].tag.tag", "Low   tide "),
    )  # fmt: skip
    row = wire.rows("/library/metadata/1")[0]
    assert (row["title"], row["summary"]) == ("A harbour", "Fog.\n\nTide, low.")
    assert shown(items[0]) == ["Low tide"]


@pytest.mark.parametrize(("switch", "kept"), [("composes", COMPOSED), ("decomposes", DECOMPOSED)])
def test_letters_are_composed_or_taken_apart(plex, items, wire, reader, shown, switch, kept):
    plex.traits = combined(switch)
    for sent in (COMPOSED, DECOMPOSED):
        wire.edit(items[0], ("title.value", sent), ("genre[0].tag.tag", sent))
        assert (reader.fetchItem(1).title, shown(items[0])) == (kept, [kept])


def same(name):
    """Give the spellings of one name one form."""
    return fold(BLANKS.sub(" ", name).rstrip())


def sync(wire, item, wanted, traits):
    """Have an item show names, as careful as every trait asks; returns the writes."""
    writes = 0

    def held():
        (row,) = wire.rows(f"/library/metadata/{item.rating_key}")
        return [tag["tag"] for tag in row.get("Genre", [])]

    shown = held()
    counts = [same(name) for name in shown]
    stale = {n for n in shown if same(n) not in map(same, wanted) or counts.count(same(n)) > 1}
    for name in sorted(stale):
        wire.remove(item, "genre", name)
        writes += 1
    shown = [same(name) for name in held()]
    missing = [name for name in wanted if same(name) not in shown]
    if missing:
        wire.add(item, "genre", *(missing if traits.tags == "append" else wanted))
        writes += 1
    return writes


def test_every_two_traits_go_together(plex, films, wire):
    wanted = ["the sound of  tides", COMPOSED, "Low tide"]
    tried = 0
    for names in pairs():
        plex.traits = combined(*names)
        item = plex.add_item(films, f"/media/{'-'.join(names)}.mp4")
        item.tags["genre"] = ["LOW TIDE", "Wind", "wind", "Fog", "Fog"]
        rating, day = ("userRating.value", "7.3"), ("originallyAvailableAt.value", "2024-06-24")
        assert wire.edit(item, rating, day, ("studio.value", "Quay Works")) == 200, names
        sync(wire, item, wanted, plex.traits)
        sync(wire, item, wanted, plex.traits)
        (row,) = wire.rows(f"/library/metadata/{item.rating_key}")
        shown = sorted(same(tag["tag"]) for tag in row.get("Genre", []))
        if "ignores_genre" in names:
            assert shown == ["fog", "fog", "low tide", "wind", "wind"], names
        else:
            assert shown == sorted(map(same, wanted)), names
            assert sync(wire, item, wanted, plex.traits) == 0, names
        assert row["originallyAvailableAt"] == (
            "2024-06-23" if "date_shift" in names else "2024-06-24"
        )
        assert ("studio" in row) == ("ignores_studio" not in names)
        ignored = {"ignores_user_rating", "ignores_any_rating"} & {*names}
        assert ("userRating" in row) == (not ignored), names
        tried += 1
    assert tried > 180
