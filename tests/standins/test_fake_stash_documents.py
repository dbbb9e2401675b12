"""What FakeStash answers to GraphQL documents and variables that are odd or wrong, word for word.

Each answer was compared with that of Stash v0.30.1 to the same request.
"""

import json
from typing import Any

import pytest

from stash2plex_testing.stash import FakeStash
from tests.standins.graphql import first

JSON = {"Content-Type": "application/json"}
VERSION = b'{"query": "{ version { version } }"}'


@pytest.fixture
def stash(stash: FakeStash) -> FakeStash:
    stash.add_scene(files=["/data/a.mp4"])
    return stash


# -- documents ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("{", "Expected Name, found <EOF>", 1, 2),
        ("{ }", "expected at least one definition, found }", 1, 3),
        ("{ findScene(id: 1) { } }", "expected at least one definition, found }", 1, 22),
        ("query Q() { version { version } }", "expected at least one definition, found )", 1, 9),
        ("}", "Unexpected }", 1, 1),
        ("query", "Expected {, found <EOF>", 1, 6),
        ("{ version { version } } x", 'Unexpected Name "x"', 1, 25),
        ("{ findScene(id:) { id } }", "Unexpected )", 1, 16),
        ("query($a) { version { version } }", "Expected :, found )", 1, 9),
        ("{ 5 }", "Expected Name, found Int", 1, 3),
        ("{ version { version }\n\n findScene(id: $ ) { id } }", "Expected Name, found )", 3, 18),
        ("{ version { version } ? }", "Expected Name, found <Invalid>", 1, 23),
        ("{ findScene(id: 'x') { id } }", "Unexpected <Invalid>", 1, 17),
        ('{ findScene(id: "x) { id } }', "Unexpected <Invalid>", 1, 29),
    ],
)
def test_syntax(stash: FakeStash, text: str, message: str, line: int, column: int) -> None:
    answer = stash.client().post(text)
    assert answer.status == 422
    assert first(answer) == {
        "message": message,
        "locations": [{"line": line, "column": column}],
        "extensions": {"code": "GRAPHQL_PARSE_FAILED"},
    }


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("{ nothing }", 'Cannot query field "nothing" on type "Query".', 3),
        (
            "{ findScene(id: 1) { titel } }",
            'Cannot query field "titel" on type "Scene". Did you mean "title", "date", or "files"?',
            22,
        ),
        (
            "{ findScene(id: 1) }",
            (
                'Field "findScene" of type "Scene" must have a selection of subfields. '
                'Did you mean "findScene { ... }"?'
            ),
            3,
        ),
        (
            "{ findScene(id: 1, nope: 2) { id } }",
            'Unknown argument "nope" on field "Query.findScene".',
            3,
        ),
        (
            "{ findJob { id } }",
            (
                'Field "findJob" argument "input" of type "FindJobInput!" is required, '
                "but it was not provided."
            ),
            3,
        ),
        (
            "{ findJob(input: {}) { id } }",
            'Field "FindJobInput.id" of required type "ID!" was not provided.',
            18,
        ),
        (
            "{ findJob(input: {id: 1, x: 2}) { id } }",
            'Field "x" is not defined by type "FindJobInput".',
            26,
        ),
        ("query($x: ID) { version { version } }", 'Variable "$x" is never used.', 7),
        ("{ findScene(id: $x) { id } }", 'Variable "$x" is not defined.', 17),
        (
            "query($x: String) { findScene(id: $x) { id } }",
            'Variable "$x" of type "String" used in position expecting type "ID".',
            35,
        ),
        (
            "{ findScenes(filter: 5) { count } }",
            'Expected value of type "FindFilterType", found 5.',
            22,
        ),
        (
            "{ findScenes(ids: [null]) { count } }",
            'Expected value of type "ID!", found null.',
            20,
        ),
        (
            '{ findScenes(filter: {per_page: "5"}) { count } }',
            'Int cannot represent non-integer value: "5"',
            34,
        ),
        ("{ ...F }", 'Unknown fragment "F".', 6),
        ("{ version @nope { version } }", 'Unknown directive "@nope".', 12),
    ],
)
def test_rules(stash: FakeStash, text: str, message: str, column: int) -> None:
    answer = stash.client().post(text)
    assert answer.status == 422
    assert first(answer) == {
        "message": message,
        "locations": [{"line": 1, "column": column}],
        "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"},
    }


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "no operation provided"),
        ({"query": "# only a comment"}, "no operation provided"),
        ({"query": "fragment F on Scene { id }"}, "no operation provided"),
        ({"query": "query A { version { version } }", "operationName": "B"},
         "operation B not found"),
        ({"query": "query A { version { version } } query B { version { version } }"},
         "operation  not found"),
    ],
)  # fmt: skip
def test_which_operation(stash: FakeStash, body: dict[str, str], message: str) -> None:
    answer = stash.client().send("POST", "/graphql", json.dumps(body).encode(), JSON)
    assert (answer.status, first(answer)["message"]) == (422, message)


def test_one_of_two_operations(stash: FakeStash) -> None:
    text = "query A { version { version } } query B { stats { scene_count } }"
    for name, field in (("A", "version"), ("B", "stats")):
        body = json.dumps({"query": text, "operationName": name}).encode()
        assert list(stash.client().send("POST", "/graphql", body, JSON).json()["data"]) == [field]


# -- variables ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "value", "message", "path"),
    [
        ("ID!", None, "cannot be null", []),
        ("ID!", True, "cannot use bool as ID", []),
        ("ID!", [1], "cannot use slice as ID", []),
        ("ID!", {}, "cannot use map as ID", []),
        ("FindFilterType", 5, "must be a FindFilterType, not a string", []),
        ("FindFilterType", [], "must be a FindFilterType, not a slice", []),
        ("FindFilterType", {"nope": 1}, "unknown field", ["nope"]),
        ("FindFilterType", {"page": 1.5}, "cannot use string as Int", ["page"]),
        ("FindFilterType", {"direction": "UP"}, "UP is not a valid SortDirectionEnum",
         ["direction"]),
        ("FindJobInput!", {}, "must be defined", ["id"]),
        ("FindJobInput!", {"id": None}, "cannot be null", ["id"]),
        ("[ID!]", [None], "cannot be null", [0]),
    ],
)  # fmt: skip
def test_variables_that_do_not_fit(
    stash: FakeStash, wanted: str, value: Any, message: str, path: list[Any]
) -> None:
    fields = {
        "ID!": "findScene(id: $v) { id }",
        "[ID!]": "findScenes(ids: $v) { count }",
        "FindFilterType": "findScenes(filter: $v) { count }",
        "FindJobInput!": "findJob(input: $v) { id }",
    }
    answer = stash.client().post(f"query ($v: {wanted}) {{ {fields[wanted]} }}", {"v": value})
    assert answer.status == 422
    assert first(answer) == {
        "message": message,
        "path": ["variable", "v", *path],
        "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"},
    }


def test_a_variable_that_is_not_sent(stash: FakeStash) -> None:
    answer = stash.client().post("query ($v: ID!) { findScene(id: $v) { id } }")
    assert (first(answer)["message"], first(answer)["path"]) == (
        "must be defined",
        ["variable", "v"],
    )


def test_numbers_and_texts_stand_for_each_other(stash: FakeStash) -> None:
    ask = stash.client().query
    paged = "query ($f: FindFilterType) { findScenes(filter: $f) { count scenes { id } } }"
    assert ask(paged, {"f": {"per_page": "0"}})["findScenes"] == {"count": 1, "scenes": []}
    save = "mutation ($i: SceneUpdateInput!) { sceneUpdate(input: $i) { title rating100 } }"
    saved = ask(save, {"i": {"id": 1, "title": 5, "rating100": "1000"}})
    assert saved == {"sceneUpdate": {"title": "5", "rating100": 1000}}, "no rating is too high"
    one = "query ($i: [ID!]) { findScenes(ids: $i) { count } }"
    assert ask(one, {"i": "1"}) == {"findScenes": {"count": 1}}, "one value stands for a list"
