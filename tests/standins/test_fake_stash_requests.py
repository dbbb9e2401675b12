"""What FakeStash answers to requests that are odd or wrong, word for word.

Each answer was compared with that of Stash v0.30.1 to the same request.
"""

import gzip
import json

import pytest

from stash2plex_testing.stash import FakeStash
from tests.standins.graphql import first

JSON = {"Content-Type": "application/json"}
VERSION = b'{"query": "{ version { version } }"}'


@pytest.fixture
def stash(stash: FakeStash) -> FakeStash:
    stash.add_scene(files=["/data/a.mp4"])
    return stash


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
