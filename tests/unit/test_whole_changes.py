"""Whole answers of a comparison: what is sent, what is ours then, and what is to be read back."""

from __future__ import annotations

import pytest
from attrs import evolve

from stash2plex.config import Settings
from stash2plex.model import Change, Entity, Field, ListChange, Record
from stash2plex.rules.desired import desired_state, without_fields
from stash2plex.rules.memory import BACK, BEFORE
from stash2plex.rules.merge import (
    announcement,
    as_shared,
    plan_change,
    remember,
    remember_shown,
    share_key,
)
from tests.support import make_item, make_scene, named

SCENE = make_scene(
    title="A pier",
    details="Fog over the quay",
    code="H-17",
    date="2020-05",
    rating100=73,
    studio=Entity(1, "Quay"),
    performers=named("Performer 17", "Performer 3"),
    tags=named("Fog", "Ebb"),
    director="Performer 9",
)
WANTED = desired_state(SCENE, Settings())
SENT: dict[Field, str] = {
    Field.TITLE: "A pier", Field.SUMMARY: "Fog over the quay", Field.STUDIO: "Quay",
    Field.TAGLINE: "H-17", Field.DATE: "2020-05-01",
}  # fmt: skip
LISTS = {
    Field.PERFORMERS: ("Performer 17", "Performer 3"), Field.TAGS: ("Fog", "Ebb"),
    Field.DIRECTOR: ("Performer 9",), Field.COLLECTION: ("Quay",),
}  # fmt: skip
OURS = {**SENT, **{name: list(names) for name, names in LISTS.items()}, Field.RATING: 7.3}
EVERYTHING = frozenset({*SENT, *LISTS, Field.RATING})
SYNCED = make_item(texts=SENT, lists=LISTS, rating=7.3, locked=EVERYTHING)


def record(written, **values):
    return Record(1, "7", "1", "/media/a.mp4", "path", "f", written, **values)


def answers(item, old, preserve=False, wanted=WANTED, delta=False):
    change = plan_change(wanted, item, old, preserve=preserve)
    return (
        change,
        remember(wanted, item, change, old),
        remember_shown(wanted, item, change, old, delta=delta),
    )


def gone(held=(), stale=(), delta=False):
    return {"held": list(held), "stale": list(stale), "delta": delta}


@pytest.mark.parametrize("preserve", [False, True])
@pytest.mark.parametrize("delta", [False, True])
def test_an_item_without_anything_gets_everything(preserve, delta):
    change, (written, removed), (shown, unread) = answers(
        make_item(), None, preserve=preserve, delta=delta
    )
    assert change == Change(
        SENT, {name: ListChange(names, ()) for name, names in LISTS.items()}, 7.3
    )
    assert (written, removed, shown) == (OURS, {}, {})
    assert unread == {
        **dict.fromkeys(SENT, ""),
        **{name: gone(delta=delta) for name in LISTS},
        Field.RATING: None,
    }


@pytest.mark.parametrize("preserve", [False, True])
@pytest.mark.parametrize("old", [None, record(OURS)])
def test_an_item_that_shows_everything_gets_nothing(old, preserve):
    change, (written, removed), (shown, unread) = answers(SYNCED, old, preserve=preserve)
    assert change == Change({}, {})
    assert (written, removed, shown, unread) == (OURS, {}, {}, {})
    unlocked = evolve(SYNCED, locked=frozenset())
    assert answers(unlocked, old, preserve=preserve)[0] == Change(
        {}, {}, locks=EVERYTHING - {Field.RATING}
    )


def test_what_the_user_changed_stays_where_that_is_wished():
    mine = make_item(
        texts={**SENT, Field.TITLE: "Mine", Field.STUDIO: ""},
        lists={**LISTS, Field.TAGS: ("Fog", "Mine"), Field.COLLECTION: ("Quay", "Mine")},
        rating=3.0,
        locked=EVERYTHING,
    )
    change, (written, removed), (shown, unread) = answers(mine, record(OURS), preserve=True)
    kept = frozenset({Field.TITLE, Field.STUDIO, Field.TAGS, Field.RATING})
    assert change == Change({}, {}, kept=kept)
    ours = {name: value for name, value in OURS.items() if name not in kept}
    assert written == {**ours, Field.TAGS: ["Fog"]}
    assert removed == {Field.TAGS: ["Ebb"], Field.RATING: True}
    assert (shown, unread) == ({}, {})
    change, (written, removed), (shown, unread) = answers(mine, record(OURS))
    tags = ListChange(("Fog", "Ebb"), ("Mine",))
    assert change == Change({Field.TITLE: "A pier", Field.STUDIO: "Quay"}, {Field.TAGS: tags}, 7.3)
    assert (written, removed, shown) == (OURS, {}, {})
    assert unread == {
        Field.TITLE: "Mine", Field.STUDIO: "", Field.TAGS: gone(["Fog", "Mine"], ["Mine"]),
        Field.RATING: 3.0,
    }  # fmt: skip


def test_an_empty_scene_leaves_what_is_known_as_it_is():
    wanted = desired_state(make_scene(title=""), Settings())
    old = record(OURS, removed={"tags": ["Ebb"]}, shown={"title": "A PIER"}, unread={"date": ""})
    change, kept, shown = answers(SYNCED, old, wanted=wanted)
    assert change == Change({}, {})
    assert kept == (OURS, {"tags": ["Ebb"]})
    assert shown == ({"title": "A PIER"}, {"date": ""})


def test_what_stash_has_emptied_is_cleared_where_it_is_ours():
    wanted = desired_state(make_scene(title="A pier"), Settings())
    change, (written, removed), (shown, unread) = answers(SYNCED, record(OURS), wanted=wanted)
    texts = dict.fromkeys([Field.SUMMARY, Field.STUDIO, Field.TAGLINE, Field.DATE], "")
    assert change == Change(
        texts,
        {name: ListChange((), names) for name, names in LISTS.items()},
        None,
        clear_rating=True,
    )
    assert written == {**texts, Field.TITLE: "A pier", **{name: [] for name in LISTS}}
    assert (removed, shown) == ({}, {})
    assert unread == {
        **{name: SENT[name] for name in texts},
        **{name: gone(names, names) for name, names in LISTS.items()},
        Field.RATING: 7.3,
    }
    # Nothing of it is ours without a record.
    assert answers(SYNCED, None, wanted=wanted)[0] == Change({}, {})


def test_plexs_own_spelling_is_kept_and_compared():
    respelt = evolve(
        SYNCED,
        texts={**SENT, Field.TITLE: "A PIER", Field.STUDIO: "QUAY"},
        lists={**LISTS, Field.TAGS: ("FOG", "EBB")},
        rating=7.0,
    )
    spellings = {
        Field.TITLE: "A PIER", Field.STUDIO: "QUAY", Field.TAGS: ["FOG", "EBB"], Field.RATING: 7.0,
    }  # fmt: skip
    change, (written, removed), (shown, unread) = answers(
        respelt, record(OURS, shown=spellings, verified=True)
    )
    assert change == Change({}, {})
    assert (written, removed, shown, unread) == (OURS, {}, spellings, {})
    # Adopted where edits stay and nothing is known; else it is written.
    change, (written, _), (shown, unread) = answers(respelt, None, preserve=True)
    assert (change.texts, change.rating, change.kept) == ({}, None, frozenset())
    assert {name: written[name] for name in (Field.TITLE, Field.STUDIO, Field.RATING)} == {
        Field.TITLE: "A pier", Field.STUDIO: "Quay", Field.RATING: 7.3,
    }  # fmt: skip
    assert shown == {Field.TITLE: "A PIER", Field.STUDIO: "QUAY"}
    change = answers(respelt, None)[0]
    assert (change.texts, change.rating) == (
        {Field.TITLE: "A pier", Field.STUDIO: "Quay"}, 7.3,
    )  # fmt: skip


def test_an_announced_write_keeps_what_was_there():
    item = evolve(
        SYNCED,
        texts={**SENT, Field.TITLE: "Old"},
        lists={**LISTS, Field.TAGS: ("fog", "Mole", "Mole"), Field.DIRECTOR: ("Old",)},
        rating=3.0,
    )
    old = record({**OURS, Field.TAGS: ["fog", "Mole"]})
    change = plan_change(WANTED, item, old, preserve=False)
    assert change.lists == {
        Field.TAGS: ListChange(("Fog", "Ebb"), ("fog", "Mole")),
        Field.DIRECTOR: ListChange(("Performer 9",), ("Old",)),
    }
    before: dict[str, object] = {
        Field.TITLE: "Old",
        Field.TAGS: gone(["fog", "Mole", "Mole"], ["Mole"]),
        Field.DIRECTOR: gone(["Old"], ["Old"]),
    }
    expected: dict[str, object] = {str(name): value for name, value in OURS.items()}
    expected |= {Field.TAGS: ["Ebb"], BACK: {Field.TAGS: ["Fog"]}, BEFORE: before}
    assert announcement(WANTED, item, change, old) == expected
    only_rating = evolve(SYNCED, rating=3.0)
    assert announcement(WANTED, only_rating, Change({}, {}, 7.3), record(OURS)) == OURS


def test_what_unknown_ends_left_in_skipped_fields_stays_ours():
    skipped = frozenset({Field.TITLE, Field.SUMMARY, Field.TAGS, Field.DIRECTOR, Field.RATING})
    wanted = without_fields(WANTED, skipped)
    item = evolve(
        SYNCED,
        texts={**SENT, Field.SUMMARY: "Theirs"},
        lists={**LISTS, Field.TAGS: ("Fog", "Mine"), Field.DIRECTOR: ("Mine",)},
    )
    ours_of_rest = {name: value for name, value in OURS.items() if name not in skipped}
    first = record(ours_of_rest)
    assert remember(wanted, item, Change({}, {}), first)[0] == ours_of_rest
    killed = evolve(first, announced=(OURS,))
    assert remember(wanted, item, Change({}, {}), killed)[0] == {
        **ours_of_rest, Field.TITLE: "A pier", Field.TAGS: ["Fog"], Field.RATING: 7.3,
    }  # fmt: skip
    other_rating = evolve(item, rating=2.0)
    assert Field.RATING not in remember(wanted, other_rating, Change({}, {}), killed)[0]


def test_a_change_for_several_items_sends_what_is_missing():
    item = make_item(lists={Field.TAGS: ("fog", "Mole"), Field.PERFORMERS: ("Performer 3",)})
    change = Change(
        {Field.TITLE: "A pier"},
        {
            Field.TAGS: ListChange(("Fog", "Ebb", "Mole"), ("Mole",)),
            Field.PERFORMERS: ListChange(("Performer 3", "Performer 17"), ()),
        },
        7.3,
    )
    assert as_shared(change, item) == evolve(
        change,
        lists={
            Field.TAGS: ListChange(("Ebb", "Mole"), ("Mole",)),
            Field.PERFORMERS: ListChange(("Performer 17",), ()),
        },
    )


def test_only_equal_edits_can_be_shared():
    change = Change(
        {Field.TITLE: "A", Field.DATE: "2020-05-01"}, {Field.TAGS: ListChange(("Fog",), ("Ebb",))},
        7.3, locks=frozenset({Field.STUDIO}),
    )  # fmt: skip
    same = evolve(change, texts=dict(reversed([*change.texts.items()])), kept=frozenset(Field))
    assert share_key(change) == share_key(same) is not None
    others = [
        evolve(change, texts={**change.texts, Field.TITLE: "B"}),
        evolve(change, lists={}),
        evolve(change, lists={Field.TAGS: ListChange(("Ebb",), ("Ebb",))}),
        evolve(change, lists={Field.TAGS: ListChange(("Fog",), ())}),
        evolve(change, lists={Field.DIRECTOR: ListChange(("Fog",), ("Ebb",))}),
        evolve(change, rating=7.4),
        evolve(change, locks=frozenset()),
    ]
    assert len({share_key(one) for one in [change, *others]}) == 8
    assert share_key(evolve(change, clear_rating=True)) is None
    assert share_key(Change({}, {}, kept=frozenset({Field.TITLE}))) is None
    assert share_key(Change({}, {}, locks=frozenset({Field.TITLE}))) is not None
