"""Bulk edits of the stand-in: what they change, which hooks they fire, what they refuse.

Every answer is what a real Stash v0.30.1 gave.
"""

from typing import Any

import pytest

from stash2plex_testing.stash import FakeStash
from tests.standins.plugins import YML, plugin

HOOKS = "Tag.Merge.Post, Studio.Update.Post, Tag.Update.Post"
KINDS = ("Performer", "Studio", "Tag", "Group")


def bulk(stash: FakeStash, kind: str, **given: Any) -> Any:
    name = f"bulk{kind}Update"
    query = f"mutation B($i: Bulk{kind}UpdateInput!) {{ {name}(input: $i) {{ id }} }}"
    rows = stash.client().query(query, {"i": given})[name]
    return rows if rows is None else [row["id"] for row in rows]


@pytest.fixture
def harbour(stash: FakeStash) -> FakeStash:
    for number in range(1, 4):
        stash.add_performer(f"Performer {number}")
        stash.add_studio(f"Studio {number}")
        stash.add_tag(f"Tag {number}")
        stash.add_group(f"Group {number}")
    return stash


@pytest.mark.parametrize("kind", KINDS)
def test_each_object_has_its_hook_in_the_order_of_the_ids_with_the_whole_input(harbour, kind):
    plugin(harbour, yml=YML.replace("Tag.Merge.Post", HOOKS))
    field = {"Performer": "country", "Group": "director", "Tag": "description"}.get(kind, "details")
    assert bulk(harbour, kind, ids=["3", "001"], **{field: "Ada"}) == ["3", "1"]
    assert [getattr(row, field) for row in harbour.library.table_of(kind.lower()).values()] == [
        "Ada", None, "Ada",
    ]  # fmt: skip
    names = ["Group", "Movie"] if kind == "Group" else [kind]
    contexts = [run.result["args"]["hookContext"] for run in harbour.hook_runs]
    assert [(context["type"], context["id"]) for context in contexts] == [
        (f"{name}.Update.Post", id_) for id_ in (3, 1) for name in names
    ]
    for context in contexts:
        assert context["input"] == {"ids": ["3", "001"], field: "Ada"}
        assert sorted(context["inputFields"]) == sorted(["ids", field])


@pytest.mark.parametrize("kind", KINDS)
def test_odd_lists_of_ids(harbour, kind):
    unknown = "'not found'" if kind == "Group" else f"{kind.lower()} with id 99 not found"
    with pytest.raises(ValueError, match=unknown):
        bulk(harbour, kind, ids=["1", "99"])
    with pytest.raises(ValueError, match='converting ids: strconv.Atoi: parsing "a"'):
        bulk(harbour, kind, ids=["a"])
    assert bulk(harbour, kind, ids=[]) is None
    assert bulk(harbour, kind, ids=["2", "2"]) == ["2", "2"]


def test_lists_are_set_added_to_and_taken_from(harbour):
    library = harbour.library
    for mode, given, held in (
        ("SET", ["1", "2"], [1, 2]), ("ADD", ["3"], [1, 2, 3]), ("REMOVE", ["2"], [1, 3]),
    ):  # fmt: skip
        bulk(harbour, "Performer", ids=["1", "3"], tag_ids={"mode": mode, "ids": given})
        assert [tag.id for tag in library.performers[3].tags] == held
        assert library.performers[2].tags == ()
    bulk(harbour, "Performer", ids=["1"], alias_list={"mode": "ADD", "values": ["b", "a"]})
    assert library.performers[1].alias_list == ("a", "b")
    bulk(harbour, "Tag", ids=["1"], parent_ids={"mode": "ADD", "ids": ["2", "3"]})
    bulk(harbour, "Tag", ids=["1"], parent_ids={"mode": "REMOVE", "ids": ["3"]})
    assert library.tags[1].parents == (library.tags[2],)
    bulk(harbour, "Tag", ids=["2"], child_ids={"mode": "ADD", "ids": ["3"]})
    assert library.tags[3].parents == library.tags[1].parents
    for mode, above in (("ADD", [2]), ("REMOVE", [])):
        groups = {"mode": mode, "groups": [{"group_id": "2"}]}
        bulk(harbour, "Group", ids=["1"], containing_groups=groups)
        assert [group.id for group, _ in library.groups[1].containing] == above
    bulk(harbour, "Studio", ids=["1", "2"], parent_id="3", url="http://studio.example")
    assert [library.studios[id_].parent for id_ in (1, 2)] == [library.studios[3]] * 2
    assert library.studios[1].urls == ("http://studio.example",)


def test_a_switch_of_null_makes_it_panic(harbour):
    with pytest.raises(ValueError, match="null value not allowed in optional bool"):
        bulk(harbour, "Tag", ids=["1"], favorite=None)
