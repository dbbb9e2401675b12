"""What is asked of both servers, request by request, and why a single scene cannot be read."""

from __future__ import annotations

import json

import pytest

from stash2plex.errors import (
    BUSY,
    SERVER,
    SLOW,
    NotFound,
    Refused,
    Rejected,
    ServerError,
    Transient,
    Unavailable,
    UsageError,
)
from stash2plex.servers.apart import BatchReader, ReadItems
from stash2plex.servers.plexraw import PlexRaw, locks, names
from stash2plex.servers.scenereader import SceneReader
from stash2plex.servers.stash_link import Answer, StashLink
from stash2plex.servers.transport import Reply, Transport
from stash2plex.servers.wire import make_converter
from tests.support import make_item

CONVERTER = make_converter()


class Canned(Transport):
    """Gives the replies of a test, one after the other, then the last again; keeps requests."""

    def __init__(self, *replies):
        super().__init__("Stash", "http://stash", headers={}, connect_timeout=1, read_timeout=1)
        self.replies = list(replies)
        self.asked = []

    def request(self, method, path, **given):
        self.asked.append((method, path, given))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, Reply):
            return reply
        return Reply(200, {}, json.dumps(reply).encode())


def container(**values):
    return {"MediaContainer": values}


# -- the probe's edits --------------------------------------------------------------------


def test_the_probe_reads_libraries_items_and_posters():
    posters = {
        "Metadata": [{"ratingKey": "u://1", "selected": True}],
        "Photo": [{"ratingKey": "m://2", "selected": 0}, {"ratingKey": "m://3"}],
    }
    raw = PlexRaw(Canned(container(**posters)))
    assert raw.posters("7") == [("u://1", True), ("m://2", False), ("m://3", False)]
    sections = [{"key": 1, "title": "A"}, {"key": "2", "title": "B"}, {"key": 3}]
    canned = Canned(container(Directory=sections))
    assert PlexRaw(canned).section("2") == {"key": "2", "title": "B"}
    assert PlexRaw(canned).section("1") == {"key": 1, "title": "A"}
    with pytest.raises(NotFound) as caught:
        PlexRaw(canned).section("4")
    assert caught.value.what == "The library of the item is not listed."
    rows = [{"ratingKey": "6"}, {"ratingKey": 7, "title": "Pier"}]
    canned = Canned(container(Metadata=rows), container())
    assert PlexRaw(canned).row("7") == rows[1]
    with pytest.raises(NotFound) as caught:
        PlexRaw(canned).row("8")
    assert caught.value.what == "Plex has no item 8."
    assert [asked[:2] for asked in canned.asked] == [
        ("GET", "/library/metadata/7?skipRefresh=1"), ("GET", "/library/metadata/8?skipRefresh=1"),
    ]  # fmt: skip
    canned = Canned(container(version="1.43"))
    assert PlexRaw(canned).server() == {"version": "1.43"}
    assert canned.asked == [("GET", "/", {"what": "the token check"})]
    with pytest.raises(Unavailable, match="answered the token check with something that is not"):
        PlexRaw(Canned({"MediaContainer": []})).server()


def test_the_probe_writes_one_request_each():
    canned = Canned({})
    raw = PlexRaw(canned)
    raw.edit("2", ["7", "8"], [("genre[0].tag.tag", "a b"), ("title.value", "x&y")])
    raw.rate("7", -1)
    raw.upload("7", b"png")
    raw.choose_poster("7", "u://a b")
    query = "&genre%5B0%5D.tag.tag=a%20b&title.value=x%26y"
    assert canned.asked == [
        ("PUT", f"/library/sections/2/all?type=1&id=7,8{query}",
         {"what": "the edit"}),
        ("PUT", "/:/rate?identifier=com.plexapp.plugins.library&key=7&rating=-1",
         {"what": "the rating"}),
        ("POST", "/library/metadata/7/posters",
         {"headers": {"Content-Type": "image/png"}, "body": b"png",
          "what": "the upload of a poster"}),
        ("PUT", "/library/metadata/7/poster?url=u%3A%2F%2Fa+b", {"what": "the choice of a poster"}),
    ]  # fmt: skip
    with pytest.raises(AssertionError):
        raw.edit("2", [], [("title.value", "x")])
    bad = [
        lambda: raw.edit("2", ["7", "../8"], []), lambda: raw.edit("../8", ["7"], []),
        lambda: raw.rate("../8", 1), lambda: raw.upload("../8", b""), lambda: raw.row("../8"),
        lambda: raw.choose_poster("../8", "x"), lambda: raw.posters("../8"),
    ]  # fmt: skip
    for ask in bad:
        with pytest.raises(UsageError) as caught:
            ask()
        assert caught.value.what == "“../8” is not the id of a Plex item."
    assert len(canned.asked) == 4


def test_names_and_locks_of_a_raw_row():
    row = {
        "Genre": [{"tag": "Fog"}, {"tag": ""}, {}, {"tag": 3}],
        "Field": [{"name": "title", "locked": True}, {"name": "art", "locked": False},
                  {"name": "x"}, {"name": "thumb", "locked": 1}],
    }  # fmt: skip
    assert (names(row, "genre"), names(row, "actor")) == (["Fog", "3"], [])
    assert (locks(row), locks({})) == ({"title", "thumb"}, set())


# -- the link to Stash --------------------------------------------------------------------


def link(*replies, **values):
    transport = Canned(*replies)
    return StashLink(transport, **values), transport


def test_a_query_is_one_request_with_its_time():
    stash, transport = link({"data": {"a": 1}}, api_key="k")
    assert stash.query("query Tags($a: Int) { a }", {"a": 1}, most_seconds=2.5) == {"a": 1}
    ((method, path, given),) = transport.asked
    assert (method, path) == ("POST", "/graphql")
    body = json.loads(given.pop("body"))
    assert body == {"query": "query Tags($a: Int) { a }", "variables": {"a": 1}}
    assert given == {
        "headers": {"Content-Type": "application/json", "ApiKey": "k"}, "limit": 64 * 1024 * 1024,
        "what": "query Tags", "most_seconds": 2.5,
    }  # fmt: skip
    stash.query("mutation { b }")
    assert transport.asked[1][2]["what"] == "mutation"
    assert json.loads(transport.asked[1][2]["body"])["variables"] == {}


def test_fields_that_fail_alone_are_kept_apart():
    answer = {
        "data": {"a": 1, "b": None},
        "errors": [
            {"message": "no scene", "path": ["b", "x"]}, {"message": "again", "path": ["b"]},
            {"message": "x" * 400, "path": ["c"]},
        ],
    }  # fmt: skip
    found = link(answer)[0].query_apart("query Two { a b }")
    assert found.data == {"a": 1, "b": None}
    assert {name: error.what for name, error in found.failed.items()} == {
        "b": "Stash could not answer query Two: “no scene”",
        "c": f"Stash could not answer query Two: “{'x' * 300}”",
    }
    with pytest.raises(Transient, match="no scene"):
        link(answer)[0].query("query Two { a b }")


@pytest.mark.parametrize(
    "errors",
    [
        [{"message": "odd"}], [{"message": "odd", "path": []}], [{"message": "odd", "path": [3]}],
        "odd", ["odd"], [{"message": "odd", "path": "b"}],
    ],
)  # fmt: skip
def test_an_error_of_no_field_is_one_of_the_whole_answer(errors):
    with pytest.raises(Transient) as caught:
        link({"data": {"a": 1}, "errors": errors})[0].query_apart("query One { a }")
    assert caught.value.what == "Stash could not answer query One: “odd”"


@pytest.mark.parametrize("errors", [None, [], "", 0])
def test_no_error_is_none_and_no_data_is_another_program(errors):
    assert link({"data": {}, "errors": errors})[0].query_apart("query One { a }") == Answer({})
    with pytest.raises(Unavailable, match="answered query One with something that is not its own"):
        link({"data": None, "errors": errors})[0].query_apart("query One { a }")


def test_a_locked_database_is_about_all_of_stash():
    errors = [{"message": "odd", "path": ["a"]}, {"message": "x: database is locked (5)"}]
    with pytest.raises(Unavailable) as caught:
        link({"data": {}, "errors": errors})[0].query("query One { a }")
    assert caught.value.what == "Stash's database is locked by a scan or another task."
    assert (caught.value.cause, caught.value.scope) == (BUSY, SERVER)


@pytest.mark.parametrize("kind", [NotFound, Rejected])
def test_a_stash_that_knows_no_such_query_may_be_none(kind):
    with pytest.raises(Unavailable) as caught:
        link(kind("Stash", "Stash answered with 404."))[0].query("query One { a }")
    assert caught.value.what.startswith("Stash answered with 404. Is it really Stash, v0.")
    assert caught.value.what.endswith(" or newer?")
    assert caught.value.scope == SERVER


LOST = Refused("Stash", "Stash answered with 401.", wants_login=True)
KEY_ENDED = (
    "Stash answered with 401. The API key is no longer the one that Stash had. The next save or"
    " task brings a fresh log-in (on a command line: STASH2PLEX_STASH_API_KEY)."
)
NO_KEY = (
    "Stash answered with 401. Make an API key in Stash under Settings > Security; Stash2Plex then"
    " finds it (on a command line: STASH2PLEX_STASH_API_KEY)."
)
ENDED = (
    "Stash answered with 401. The log-in of this process has ended. The next save or task starts a"
    " new one; an API key (Settings > Security) does not expire."
)
COOKIE = ("session", "abc")


@pytest.mark.parametrize(
    ("log_in", "knows_keys", "words", "sent"),
    [
        ({}, False, NO_KEY, [{}]),
        ({"api_key": "k"}, False, KEY_ENDED, [{"ApiKey": "k"}, {}]),
        ({"cookie": COOKIE}, False, ENDED, [{"Cookie": "session=abc"}]),
        ({"cookie": COOKIE}, True, NO_KEY, [{"Cookie": "session=abc"}]),
        ({"cookie": COOKIE, "api_key": "k"}, True, KEY_ENDED,
         [{"Cookie": "session=abc"}, {"ApiKey": "k"}]),
    ],
)  # fmt: skip
def test_a_refused_log_in_says_what_to_do(log_in, knows_keys, words, sent):
    stash, transport = link(LOST, **log_in)
    stash.learn(log_in.get("api_key", ""), knows_keys=knows_keys)
    assert (stash.has_key, stash.knows_keys) == ("api_key" in log_in, knows_keys)
    with pytest.raises(Refused) as caught:
        stash.query("query One { a }")
    assert str(caught.value) == words
    assert caught.value.wants_login
    credentials = [{**one[2]["headers"]} for one in transport.asked]
    for one in credentials:
        del one["Content-Type"]
    assert credentials == sent


def test_a_refusal_that_is_not_about_the_log_in_is_final():
    other = Refused("Stash", "Stash answered with 302.")
    stash, transport = link(other, cookie=COOKIE, api_key="k")
    with pytest.raises(Refused) as caught:
        stash.query("query One { a }")
    assert caught.value is other
    assert len(transport.asked) == 1


@pytest.mark.parametrize(
    ("header", "cookie"),
    [
        ("session=new; Path=/", "new"), (" session=a=b; x", "a=b"), ("other=new", "abc"),
        ("session=; x", "abc"), ("", "abc"),
    ],
)  # fmt: skip
def test_a_renewed_cookie_is_used_from_then_on(header, cookie):
    reply = Reply(200, {"set-cookie": header}, b'{"data": {}}')
    stash, transport = link(reply, cookie=COOKIE)
    for _ in range(2):
        stash.query("query One { a }")
    assert [one[2]["headers"]["Cookie"] for one in transport.asked] == [
        "session=abc", f"session={cookie}",
    ]  # fmt: skip


# -- scenes -------------------------------------------------------------------------------


def scene(id_, **values):
    return {"id": id_, "updated_at": "2026", "organized": False, **values}


class Query:
    """Answers queries in turn, then the last again, and keeps their texts and variables."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def __call__(self, text, variables=None):
        self.asked.append((text.split(" on Scene")[0], variables))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_scenes_are_asked_for_by_alias_and_each_failure_is_its_own():
    failed = Transient("Stash", "Stash could not answer query Scenes: “no file”", "Scan it.")
    data = {"s4": scene(4), "s5": None, "s6": scene(6, tags=3), "s8": scene(9)}
    query = Query(Answer(data, {"s7": failed}))
    found = SceneReader(query, CONVERTER).scenes([4, 5, 6, 7, 8])
    assert list(found) == [4]
    lost = "cannot be read in Stash: Stash"
    assert {id_: str(error) for id_, error in found.unreadable.items()} == {
        6: f"Scene 6 {lost} answered scene 6 in a shape that Stash2Plex does not know.",
        7: f"Scene 7 {lost} could not answer query Scenes: “no file” Scan it.",
        8: f"Scene 8 {lost} answered scene 9 for scene 8.",
    }  # fmt: skip
    ((text, variables),) = query.asked
    aliases = " ".join(f"s{id_}: findScene(id: {id_}) {{ ...SceneFields }}" for id_ in range(4, 9))
    assert text == f"query Scenes {{ {aliases} }} fragment SceneFields"
    assert variables is None


def found(*ids, count=9):
    return Answer({"findScenes": {"count": count, "scenes": [scene(id_) for id_ in ids]}})


def test_a_page_of_scenes_is_one_request():
    query = Query(found(6, 9))
    page = SceneReader(query, CONVERTER).pages.page(5, {"organized": True}, 3)
    assert ([one.id for one in page.scenes], page.last, page.ended) == ([6, 9], 9, True)
    assert page.ids == {6, 9}
    ((text, variables),) = query.asked
    assert text == (
        "query ScenePage($criteria: SceneFilterType, $filter: FindFilterType) {"
        " findScenes(scene_filter: $criteria, filter: $filter) {"
        " scenes { ...SceneFields } } } fragment SceneFields"
    )
    assert variables == {
        "criteria": {"id": {"value": 5, "modifier": "GREATER_THAN"}, "organized": True},
        "filter": {"per_page": 3, "page": 1, "sort": "id", "direction": "ASC"},
    }
    full = SceneReader(Query(found(6, 9)), CONVERTER).pages.page(5, {}, 2)
    assert (full.last, full.ended) == (9, False)
    none = SceneReader(Query(found()), CONVERTER).pages.page(5, {}, 2)
    assert (none.scenes, none.last, none.ended) == ((), 5, True)
    ids = SceneReader(Query(found(6, 9)), CONVERTER).pages.ids(5, {}, 2)
    assert (ids.ids, ids.last, ids.ended, ids.unlisted) == ((6, 9), 9, False, {})
    for others in ((5, 6), (9, 6), (6, 7, 8)):
        with pytest.raises(Transient) as caught:
            SceneReader(Query(found(*others)), CONVERTER).pages.page(5, {}, 2)
        assert caught.value.what == "Stash answered scenes that were not asked for."
        assert caught.value.scope == SERVER


def test_a_sample_is_chosen_at_random_and_counted():
    query = Query(found(9, 4, count=70))
    number, scenes = SceneReader(query, CONVERTER).sample(2, 17)
    assert (number, [one.id for one in scenes]) == (70, [9, 4])
    ((text, variables),) = query.asked
    assert text.startswith("query Sample($filter: FindFilterType) { findScenes(filter: $filter) {")
    assert variables == {"filter": {"per_page": 2, "sort": "random_17"}}
    bad = Answer({}, {"findScenes": Transient("Stash", "odd")})
    whole = Answer({"s9": scene(9), "s4": scene(4, tags=3)})
    query = Query(bad, found(9, 4, count=70), whole)
    number, scenes = SceneReader(query, CONVERTER).sample(2, 17)
    assert (number, [one.id for one in scenes]) == (70, [9])
    text = "query Sample($filter: FindFilterType) { findScenes(filter: $filter) { count scenes"
    assert query.asked[1] == (f"{text} {{ id }} }} }}", variables)
    down = Unavailable("Stash", "Stash is down.", scope=SERVER)
    query = Query(down)
    with pytest.raises(Unavailable):
        SceneReader(query, CONVERTER).sample(2, 17)
    assert len(query.asked) == 1


# -- one bad row --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "kind", "cause"),
    [
        (Unavailable("Plex", "It hangs.", "Wait.", cause=SLOW), Transient, SLOW),
        (Unavailable("Plex", "It hangs.", "Wait."), Transient, None),
        (Rejected("Plex", "It hangs.", "Wait."), Rejected, None),
        (NotFound("Plex", "It hangs.", "Wait."), NotFound, None),
    ],
)
@pytest.mark.parametrize("place", [0, 3, 4, 7])
def test_a_row_that_cannot_be_read_is_named_with_the_reason(error, kind, cause, place):
    wanted = [str(number) for number in range(8)]

    def read(keys):
        if wanted[place] in keys:
            raise error
        return ReadItems({key: make_item(rating_key=key) for key in keys})

    found = BatchReader(read).rows(wanted)
    assert list(found.unreadable) == [wanted[place]]
    lost: ServerError = found.unreadable[wanted[place]]
    assert str(lost) == (f"Item {place} cannot be read, though Plex shows others: It hangs. Wait.")
    assert (type(lost), lost.cause, lost.server) == (kind, cause, "Plex")
    assert set(found) == set(wanted) - {wanted[place]}
