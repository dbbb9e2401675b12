"""What FakeStash answers to requests and documents that are odd or wrong, word for word.

Each answer was compared with that of Stash v0.30.1 to the same request.
"""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stash2plex_testing.stash import Answer, FakeStash
from stash2plex_testing.stash.gotext import parse_date

JSON = {"Content-Type": "application/json"}
VERSION = b'{"query": "{ version { version } }"}'


@pytest.fixture
def stash(tmp_path: Path) -> Iterator[FakeStash]:
    with FakeStash(root=str(tmp_path)) as server:
        server.add_scene(files=["/data/a.mp4"])
        yield server


def first(answer: Answer) -> dict[str, Any]:
    """Give the first error of an answer, and see that there is no data."""
    content = answer.json()
    assert content["data"] is None
    error: dict[str, Any] = content["errors"][0]
    return error


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


# -- bodies, methods, media types ---------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"", 400, "EOF body:"),
        (b"{", 400, "unexpected EOF body:{"),
        (b"[1]", 400, ("json: cannot unmarshal array into Go value of type graphql.RawParams"
                      " body:[1]")),
        (b'{"query": 5}', 400, ("json: cannot unmarshal number into Go struct field "
                               'RawParams.query of type string body:{"query": 5}')),
        (b'{"variables": []}', 400, ("json: cannot unmarshal array into Go struct field RawParams."
                                    'variables of type map[string]interface {} body:'
                                    '{"variables": []}')),
        (b'{"query": "",}', 400, ("invalid character '}' looking for beginning of object key string"
                                 ' body:{"query": "",}')),
    ],
)  # fmt: skip
def test_bodies_that_cannot_be_read(
    stash: FakeStash, body: bytes, status: int, message: str
) -> None:
    answer = stash.client().send("POST", "/graphql", body, JSON)
    assert answer.status == status
    assert first(answer) == {"message": f"json request body could not be decoded: {message}"}


def test_bodies_that_are_taken_all_the_same(stash: FakeStash) -> None:
    client = stash.client()
    for body in (VERSION + b" and more", b'{"QUERY": "{ version { version } }"}'):
        assert client.send("POST", "/graphql", body, JSON).json()["data"]
    panic = client.send("POST", "/graphql", b"null", JSON)
    assert panic.status == 422
    assert first(panic)["message"].startswith("Internal system error. Error <runtime error")


@pytest.mark.parametrize(
    ("accept", "kind", "status"),
    [
        ("", "application/json", 422),
        ("application/json", "application/json", 422),
        ("text/html, application/json;q=0.9", "application/json", 422),
        ("*/*", "application/graphql-response+json", 400),
        ("text/html", "application/graphql-response+json", 400),
        ("application/graphql-response+json", "application/graphql-response+json", 400),
    ],
)
def test_the_accepted_type_decides_the_status(
    stash: FakeStash, accept: str, kind: str, status: int
) -> None:
    client = stash.client({**JSON, **({"Accept": accept} if accept else {})})
    for body in (b'{"query": "{ nothing }"}', b'{"query": "{"}'):
        answer = client.send("POST", "/graphql", body)
        assert (answer.status, answer.headers["content-type"]) == (status, kind)
    failed = client.send("POST", "/graphql", b'{"query": "{ findScene(id: \\"x\\") { id } }"}')
    assert failed.status == 200, "this went wrong while the answer was made"


def test_asking_by_address(stash: FakeStash) -> None:
    client = stash.client()
    found = client.get("/graphql?query=%7Bversion%7Bversion%7D%7D")
    assert (found.status, found.headers["cache-control"]) == (200, "no-store")
    assert found.json()["data"]["version"]
    assert first(client.get("/graphql/"))["message"] == "no operation provided"
    text = "query(%24id%3AID!)%7BfindScene(id%3A%24id)%7Bid%7D%7D"
    with_variables = client.get(f"/graphql?query={text}&variables=%7B%22id%22%3A1%7D")
    assert with_variables.json() == {"data": {"findScene": {"id": "1"}}}
    bad = client.get(f"/graphql?query={text}&variables=x")
    assert (bad.status, first(bad)["message"]) == (400, "variables could not be decoded")
    changing = client.get("/graphql?query=mutation%7BreloadPlugins%7D")
    assert changing.status == 406
    assert first(changing) == {"message": "GET requests only allow query operations"}


def test_other_methods_and_types(stash: FakeStash) -> None:
    client = stash.client()
    for method, kind in (("POST", "text/plain"), ("PUT", "application/json")):
        answer = client.send(method, "/graphql", VERSION, {"Content-Type": kind})
        assert (answer.status, answer.headers["content-type"]) == (400, "text/plain; charset=utf-8")
        assert first(answer) == {"message": "transport not supported"}
    assert client.send("OPTIONS", "/graphql").headers["allow"] == "OPTIONS, GET, POST"
    shouted = {"Content-Type": "APPLICATION/JSON; charset=utf-8"}
    assert client.send("POST", "/graphql", VERSION, shouted).status == 200


def test_answers_are_packed_for_those_who_take_it(stash: FakeStash) -> None:
    packed = stash.client({**JSON, "Accept-Encoding": "gzip"})
    answer = packed.send("POST", "/graphql", VERSION)
    assert answer.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(answer.body))["data"]
    stash.library.scenes[1].cover = 5
    assert "content-encoding" not in packed.get("/scene/1/screenshot").headers


# -- other addresses ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/scene/99/screenshot", 404, b"Not Found\n"),
        ("/scene/x/screenshot", 400, b"Bad Request\n"),
        ("/performer/x/image", 404, b"Not Found\n"),
        ("/studio/99/image", 404, b"Not Found\n"),
        ("/plugin/none/javascript", 404, b"Not Found\n"),
        ("/scene/1/nothing", 404, b"404 page not found\n"),
        ("/scene", 404, b"404 page not found\n"),
        ("/nothing.js", 404, b"404 page not found\n"),
    ],
)
def test_what_is_not_there(stash: FakeStash, path: str, status: int, body: bytes) -> None:
    answer = stash.client().get(path)
    assert (answer.status, answer.body) == (status, body)


def test_any_other_address_is_the_page(stash: FakeStash) -> None:
    # A wrong base path is answered with 200 and HTML, whatever the method.
    for method, path in (("GET", "/nothing/deeper"), ("POST", "/elsewhere/graphql")):
        answer = stash.client().send(method, path)
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/html")


def test_the_login_page_without_a_password(stash: FakeStash) -> None:
    for path, location in (("/login", "/"), ("/login?returnURL=/x", "/x"), ("/logout", "/")):
        answer = stash.client().get(path)
        assert (answer.status, answer.headers["location"]) == (302, location)
    assert "Max-Age=0" in stash.client().get("/logout").headers["set-cookie"]


# -- values -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("2020-05-06", "2020-05-06"),
        ("2020-05-06T10:00:00Z", "2020-05-06"),
        ("2020-05-06 10:00:00", "2020-05-06"),
        ("2020-05", "2020-05"),
        ("2020", "2020"),
        ("0000", "0000"),
    ],
)
def test_dates(text: str, stored: str) -> None:
    assert parse_date(text) == stored


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("2020-99-99", ('parsing time "2020-99-99": month out of range '
                       'parsing time "2020-99-99": extra text: "-99-99"')),
        ("2020-02-30", ('parsing time "2020-02-30": extra text: "-30" '
                       'parsing time "2020-02-30": extra text: "-02-30"')),
        ("2020-1-1", ('parsing time "2020-1-1" as "2006-01": cannot parse "1-1" as "01" '
                     'parsing time "2020-1-1": extra text: "-1-1"')),
        ("soon", ('parsing time "soon" as "2006-01": cannot parse "soon" as "2006" '
                 'parsing time "soon" as "2006": cannot parse "soon" as "2006"')),
    ],
)  # fmt: skip
def test_dates_that_are_refused(stash: FakeStash, text: str, problems: str) -> None:
    save = "mutation ($i: SceneUpdateInput!) { sceneUpdate(input: $i) { id } }"
    answer = stash.client().post(save, {"i": {"id": "1", "date": text}}).json()
    assert answer["errors"] == [
        {
            "message": f'converting date: failed to parse date "{text}": '
            f"[ParseDateStringAsTime failed: dateString <{text}> {problems}]",
            "path": ["sceneUpdate"],
        }
    ]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"id": "x"}, 'converting id: strconv.Atoi: parsing "x": invalid syntax'),
        ({"id": "99"}, "scene with id 99 not found"),
        ({"organized": None}, ("Internal system error. Error <null value not allowed in "
                              "optional bool>")),
        ({"performer_ids": ["x"]}, ('converting performer ids: strconv.Atoi: parsing "x": '
                                   "invalid syntax")),
        ({"studio_id": ""}, ('converting studio id: converting  to int: strconv.Atoi: parsing "": '
                            "invalid syntax")),
        ({"primary_file_id": "99"}, "file with id 99 not associated with scene"),
        ({"cover_image": "*"}, 'processing cover image: Get "*": unsupported protocol scheme ""'),
        ({"cover_image": "data:image/jpeg;base64,*"}, ("processing cover image: illegal base64 "
                                                      "data at input byte 0")),
    ],
)  # fmt: skip
def test_updates_that_are_refused(stash: FakeStash, values: dict[str, Any], message: str) -> None:
    save = "mutation ($i: SceneUpdateInput!) { sceneUpdate(input: $i) { id } }"
    answer = stash.client().post(save, {"i": {"id": "1", "title": "no", **values}})
    assert answer.status == 200
    assert answer.json()["errors"] == [{"message": message, "path": ["sceneUpdate"]}]
    assert stash.library.scenes[1].title is None


def test_a_scene_without_files_needs_a_title(stash: FakeStash) -> None:
    client = stash.client()
    made = client.query('mutation { sceneCreate(input: {title: "by hand"}) { id } }')
    assert made == {"sceneCreate": {"id": "2"}}
    message = "title must be set if scene has no files"
    for text in (
        "mutation { sceneCreate(input: {}) { id } }",
        'mutation { sceneUpdate(input: {id: 2, title: ""}) { id } }',
    ):
        assert client.post(text).json()["errors"][0]["message"] == message
    client.query('mutation { bulkSceneUpdate(input: {ids: [2], title: ""}) { id } }')
    assert stash.library.scenes[2].title is None, "a bulk edit does not look"


def test_lists_of_nothing(stash: FakeStash) -> None:
    ask = stash.client().query
    assert ask("mutation { scenesUpdate(input: []) { id } }") == {"scenesUpdate": None}
    assert ask("mutation { bulkSceneUpdate(input: {ids: []}) { id } }") == {"bulkSceneUpdate": None}
    assert ask("{ plugins { id } pluginTasks { name } }") == {"plugins": None, "pluginTasks": None}
    with pytest.raises(ValueError, match="no rows in result set"):
        ask("mutation { bulkSceneUpdate(input: {ids: [1, 99]}) { id } }")


def test_what_is_not_set_is_an_empty_text(stash: FakeStash) -> None:
    stash.add_performer("p"), stash.add_studio("s"), stash.add_tag("t"), stash.add_group("g")
    answer = stash.client().post(
        "{ findScene(id: 1) { title code details director date play_duration resume_time }"
        " findPerformer(id: 1) { disambiguation country details birthdate }"
        " findStudio(id: 1) { details } findTag(id: 1) { sort_name description }"
        " findGroup(id: 1) { aliases director synopsis date duration } }"
    )
    data = answer.json()["data"]
    texts = dict.fromkeys(("title", "code", "details", "director"), "")
    assert data["findScene"] == {**texts, "date": None, "play_duration": 0, "resume_time": 0}
    assert b'"play_duration":0,' in answer.body, "not 0.0"
    assert data["findPerformer"] == {
        "disambiguation": "", "country": "", "details": "", "birthdate": None,
    }  # fmt: skip
    assert data["findStudio"] == {"details": ""}
    assert data["findTag"] == {"sort_name": "", "description": ""}
    assert data["findGroup"] == {
        "aliases": "", "director": "", "synopsis": "", "date": None, "duration": None,
    }  # fmt: skip


# -- order --------------------------------------------------------------------------------


def test_scenes_without_a_sort_come_by_studio(tmp_path: Path) -> None:
    stash = FakeStash(root=str(tmp_path))
    one, two = stash.add_studio("b"), stash.add_studio("a")
    for studio in (two, None, one, two, None):
        stash.add_scene(studio=studio)
    with stash:
        ask = stash.client().query
        asked = ask("{ findScenes { scenes { id } } }")
        assert [row["id"] for row in asked["findScenes"]["scenes"]] == ["2", "5", "3", "1", "4"]
        paged = ask("{ findScenes(filter: {page: 2, per_page: 2}) { scenes { id } } }")
        assert [row["id"] for row in paged["findScenes"]["scenes"]] == ["3", "1"]


def test_names_are_ordered_naturally(tmp_path: Path) -> None:
    stash = FakeStash(root=str(tmp_path))
    tags = [stash.add_tag(name) for name in ("Wood", "apple", "tag 10", "tag 9")]
    tags.append(stash.add_tag("Zebra", sort_name="000"))
    people = [stash.add_performer(name) for name in ("Performer 17", "Anna", "performer 2")]
    stash.add_scene(tags=tags, performers=people[::-1])
    with stash:
        data = stash.client().query(
            "{ findScene(id: 1) { tags { name } performers { name } } findTags { tags { name } }"
            " findPerformers { performers { name } } allPerformers { name } }"
        )
    ordered = [{"name": name} for name in ("Zebra", "apple", "tag 9", "tag 10", "Wood")]
    assert data["findScene"]["tags"] == data["findTags"]["tags"] == ordered
    assert data["findPerformers"]["performers"] == [
        {"name": name} for name in ("Anna", "performer 2", "Performer 17")
    ]
    by_id = [{"name": name} for name in ("Performer 17", "Anna", "performer 2")]
    assert data["findScene"]["performers"] == by_id


def test_equal_values_are_ordered_by_id_then_by_title(tmp_path: Path) -> None:
    stash = FakeStash(root=str(tmp_path), clock=lambda: 1_750_000_000.0)
    for title in ("Part 10", None, "5", "part 9", None):
        stash.add_scene(title)
    with stash:
        for direction in ("ASC", "DESC"):
            paging = f'{{sort: "updated_at", direction: {direction}, per_page: 3, page: 2}}'
            both = stash.client().query(
                f'{{ a: findScenes(filter: {{sort: "updated_at", direction: {direction}}})'
                f" {{ scenes {{ id }} }} b: findScenes(filter: {paging}) {{ scenes {{ id }} }} }}"
            )
            shown = [[int(row["id"]) for row in both[name]["scenes"]] for name in "ab"]
            assert shown == [[2, 5, 3, 4, 1], [4, 1]]


def test_random_orders_are_those_of_the_seed(tmp_path: Path) -> None:
    stash = FakeStash(root=str(tmp_path))
    for number in range(7):
        stash.add_scene(f"{number}")
    with stash:
        ask = stash.client().query
        for seed, expected in (("12", "4751263"), ("99999999999", "2364715")):
            found = ask(
                f'{{ findScenes(filter: {{sort: "random_{seed}"}}) {{ scenes {{ id }} }} }}'
            )
            assert "".join(row["id"] for row in found["findScenes"]["scenes"]) == expected
        with pytest.raises(ValueError, match="invalid random seed: x"):
            ask('{ findScenes(filter: {sort: "random_x"}) { count } }')
