"""FakeStash's schema is a part of Stash's own."""

import json
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLObjectType, print_type

from stash2plex_testing.stash.graphql_api import load_schema

INTROSPECTION = Path(__file__).parents[3] / "shared" / "contracts" / "stash-introspection.json"


def spelled(kind: dict[str, Any]) -> str:
    if kind["kind"] == "NON_NULL":
        return spelled(kind["ofType"]) + "!"
    if kind["kind"] == "LIST":
        return f"[{spelled(kind['ofType'])}]"
    return str(kind["name"])


@pytest.fixture(scope="module")
def real() -> dict[str, Any]:
    if not INTROSPECTION.exists():
        pytest.skip(f"no copy of Stash's introspection at {INTROSPECTION}")
    data = json.loads(INTROSPECTION.read_text())
    return {kind["name"]: kind for kind in data["__schema"]["types"]}


def test_every_definition_is_stashs_own(real: dict[str, Any]) -> None:
    compared = 0
    for name, kind in load_schema().type_map.items():
        if name.startswith("__"):
            continue
        assert name in real, f"Stash has no type {name}"
        theirs = real[name]
        if isinstance(kind, GraphQLEnumType):
            assert set(kind.values) == {value["name"] for value in theirs["enumValues"]}, name
        if not isinstance(kind, GraphQLObjectType | GraphQLInputObjectType):
            continue
        fields = {field["name"]: field for field in theirs["fields"] or theirs["inputFields"]}
        for field_name, field in kind.fields.items():
            where = f"{name}.{field_name}"
            assert field_name in fields, where
            assert str(field.type) == spelled(fields[field_name]["type"]), where
            args = {arg["name"]: arg for arg in fields[field_name].get("args") or []}
            for arg_name, arg in getattr(field, "args", {}).items():
                assert arg_name in args, f"{where}({arg_name})"
                assert str(arg.type) == spelled(args[arg_name]["type"]), f"{where}({arg_name})"
            required = {arg for arg, value in args.items() if value["type"]["kind"] == "NON_NULL"}
            assert required <= set(getattr(field, "args", {})), where
            compared += 1
    assert compared > 400


def test_inputs_of_hooked_mutations_are_whole(real: dict[str, Any]) -> None:
    # A hook's input has every field of Go's struct, those not sent as null.
    for name in (
        "SceneUpdateInput",
        "BulkSceneUpdateInput",
        "PerformerUpdateInput",
        "BulkPerformerUpdateInput",
        "BulkStudioUpdateInput",
        "BulkTagUpdateInput",
        "BulkGroupUpdateInput",
    ):
        ours = load_schema().type_map[name]
        assert isinstance(ours, GraphQLInputObjectType)
        assert set(ours.fields) == {field["name"] for field in real[name]["inputFields"]}


def test_scenes_have_no_custom_fields_at_this_version() -> None:
    assert "custom_fields" not in print_type(load_schema().type_map["Scene"])
