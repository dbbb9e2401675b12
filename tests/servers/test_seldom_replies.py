"""Rows and answers of servers that are seldom seen, read by the functions that read them."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from urllib3.exceptions import SSLError

from stash2plex.errors import NO_TLS, Refused, Transient
from stash2plex.operations.probe.snapshot import Held, _restore_list
from stash2plex.servers.plex import Plex, plex_headers
from stash2plex.servers.plexcollections import PAGE, PlexCollection, list_collections
from stash2plex.servers.plexlooks import ItemLook, read_looks, read_poster
from stash2plex.servers.plexraw import PlexRaw
from stash2plex.servers.plextv import Address, Pin, _addresses, _WireResource, agree_address
from stash2plex.servers.plexwire import WireContainer, _name, _rating_key
from stash2plex.servers.scenepages import ScenePages, _Walk
from stash2plex.servers.stash_deeds import start_task, stop_job, store_settings
from stash2plex.servers.stash_link import StashLink
from stash2plex.servers.stash_lists import SceneLook, look_at_scene
from stash2plex.servers.transport import Transport
from stash2plex.servers.wire import make_converter, structure
from stash2plex.version import VERSION
from stash2plex_testing.plex import FakePlex

PNG = b"\x89PNG\r\n\x1a\n and so on"


def test_an_item_is_known_by_what_the_user_sees_and_an_odd_row_is_left_out():
    rows = [
        {"ratingKey": 7, "title": "Pier", "year": 2024, "duration": 61_500, "thumb": "/a/thumb/1"},
        {"ratingKey": "8"},
        {"title": "Quay"},
        "no row",
        {"ratingKey": "9", "title": "Ferry"},
    ]
    assert read_looks(make_converter(), rows) == {
        "7": ItemLook("7", "Pier", 2024, 61.5, "/a/thumb/1"),
        "8": ItemLook("8", "", None, None, ""),
        "9": ItemLook("9", "Ferry", None, None, ""),
    }


def test_a_poster_is_small_and_needs_no_token():
    asked = []

    def fetch(path, body=PNG):
        asked.append(path)
        return SimpleNamespace(body=body)

    address = read_poster(fetch, "/library/metadata/7/thumb/1")
    assert address == "data:image/png;base64,iVBORw0KGgogYW5kIHNvIG9u"
    (path,) = asked
    assert urlsplit(path).path == "/photo/:/transcode"
    assert parse_qs(urlsplit(path).query) == {
        "width": ["120"], "height": ["180"], "minSize": ["1"], "upscale": ["0"],
        "url": ["/library/metadata/7/thumb/1"],
    }  # fmt: skip
    for thumb in ("", "http://elsewhere/1.jpg"):
        assert read_poster(fetch, thumb) is None
    assert len(asked) == 1
    assert read_poster(lambda path: fetch(path, b"<html>"), "/a") is None

    def fail(_):
        raise Transient("Plex", "Plex answered with 500.")

    assert read_poster(fail, "/a") is None


def test_collections_are_read_a_page_at_a_time_and_odd_rows_are_left_out():
    rows = [
        {"ratingKey": "1", "title": "Tides", "type": "collection", "childCount": 2},
        {"ratingKey": "2", "title": "Ebb", "type": "collection", "smart": True, "childCount": 0},
        {"ratingKey": "3", "title": "Pier", "type": "movie"},
        {"title": "without a key", "type": "collection"},
        {"ratingKey": "1/../../2", "title": "no id", "type": "collection"},
        "no row",
    ]
    asked = []

    def get(path):
        start = int(parse_qs(urlsplit(path).query)["X-Plex-Container-Start"][0])
        asked.append(path)
        return WireContainer(totalSize=len(rows), Metadata=rows[start : start + 2])

    assert list(list_collections(get, make_converter(), "4")) == [
        PlexCollection("1", "Tides", is_smart=False, is_empty=False),
        PlexCollection("2", "Ebb", is_smart=True, is_empty=True),
    ]
    assert asked == [
        f"/library/sections/4/collections?X-Plex-Container-Start={start}"
        f"&X-Plex-Container-Size={PAGE}"
        for start in (0, 2, 4)
    ]


def test_an_endless_list_of_collections_ends():
    row = {"ratingKey": "1", "title": "Tides", "type": "collection", "childCount": 1}
    asked = []

    def get(path):
        asked.append(path)
        return WireContainer(totalSize=10**9, Metadata=[row])

    assert len(list(list_collections(get, make_converter(), "4"))) == 100
    assert len(asked) == 100


def test_the_page_on_which_the_user_agrees():
    plain = agree_address("client 1", "a code")
    assert plain == (
        "https://app.plex.tv/auth#?clientID=client%201&code=a%20code"
        "&context%5Bdevice%5D%5Bproduct%5D=Stash2Plex"
    )
    there = agree_address("client 1", "a code", "http://stash:9999/settings")
    assert there == plain + "&forwardUrl=http%3A%2F%2Fstash%3A9999%2Fsettings"


def test_a_local_address_is_tried_without_tls_too():
    given = {
        "uri": "https://10-0-0-1.x.plex.direct:32400/",
        "address": "10.0.0.1",
        "port": 32400,
        "protocol": "https",
    }
    connections = [
        {**given, "local": True, "relay": False, "IPv6": False},
        {"uri": "https://far.plex.direct:443", "local": False, "relay": True},
        {"uri": "", "address": "::1", "port": 1, "local": True, "relay": False, "IPv6": True},
    ]
    resource = {"name": "Harbour", "clientIdentifier": "m", "connections": connections}

    def addresses(**more):
        wire = structure(make_converter(), {**resource, **more}, _WireResource, "plex.tv", "it")
        return _addresses(wire)

    near = Address("https://10-0-0-1.x.plex.direct:32400", local=True, relay=False)
    far = Address("https://far.plex.direct:443", local=False, relay=True)
    bare = Address("http://10.0.0.1:32400", local=True, relay=False)
    assert addresses() == (near, far, bare)
    assert addresses(httpsRequired=True) == (near, far)


def test_a_pin_does_not_show_its_token():
    assert repr(Pin(7, "code")) == "<Pin 7, waiting>"
    assert repr(Pin(7, "code", "", "secret")) == "<Pin 7, agreed>"


@pytest.mark.parametrize(
    ("row", "key"),
    [
        ({"ratingKey": "7"}, "7"),
        ({"ratingKey": 7}, "7"),
        ({"ratingKey": True}, ""),
        ({"ratingKey": "7/../8"}, ""),
        ({"ratingKey": 1.5}, ""),
        ({"key": "/library/metadata/9/children"}, "9"),
        ({"key": "/elsewhere/9"}, ""),
        ({"key": 9}, ""),
        ({}, ""),
        ("no row", ""),
    ],
)
def test_the_key_of_a_row(row, key):
    assert _rating_key(row) == key


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"title": "Pier"}, "Pier"),
        ({"title": "", "Media": [{"Part": [{"file": "/media/a.mp4"}]}]}, "/media/a.mp4"),
        ({"title": 7, "Media": []}, ""),
        ({"Media": [{"Part": [{}]}]}, ""),
        ("no row", ""),
    ],
)
def test_the_name_of_a_row_that_cannot_be_read(row, name):
    assert _name(row) == name


class Link(StashLink):
    """Answers what a test wants, and keeps what it was asked for."""

    def __init__(self, **data: Any) -> None:
        self.data = data
        self.asked: list[tuple[str, Any]] = []

    def query(self, text: str, variables: Any = None, **_: Any) -> dict[str, Any]:
        self.asked.append((text, variables))
        return self.data


@pytest.mark.parametrize(("job", "id_"), [("7", "7"), (7, "7")])
def test_a_task_that_was_started_has_a_job(job, id_):
    link = Link(runPluginTask=job)
    arguments = {"mode": "survey"}
    assert start_task(link, "Stash2Plex", description="It counts.", arguments=arguments) == id_
    ((text, variables),) = link.asked
    assert "runPluginTask(plugin_id: $id, task_name: $name, description: $description," in text
    assert variables == {
        "id": "Stash2Plex", "name": None, "description": "It counts.", "arguments": arguments,
    }  # fmt: skip
    with pytest.raises(Transient, match="has no job"):
        start_task(Link(runPluginTask=None), "Stash2Plex", name="Sync All Scenes")


def test_a_job_is_stopped_and_settings_are_stored_by_one_mutation_each():
    link = Link()
    stop_job(link, 7)
    store_settings(link, "Stash2Plex", {"max_tags": 3})
    (stop, stopped), (store, stored) = link.asked
    assert (stop, stopped) == (
        "mutation StopJob($id: ID!) { stopJob(job_id: $id) }", {"id": "7"},
    )  # fmt: skip
    assert "configurePlugin(plugin_id: $id, input: $settings)" in store
    assert stored == {"id": "Stash2Plex", "settings": {"max_tags": 3}}


def test_a_scene_is_looked_at_by_its_first_file():
    files = [{"size": 9, "duration": 61.5}, {"size": 1, "duration": 2.0}]
    assert look_at_scene(Link(findScene={"date": "2024-06-01", "files": files}), 7) == SceneLook(
        "2024-06-01", 9, 61.5
    )
    assert look_at_scene(Link(findScene={"date": None, "files": []}), 7) == SceneLook(
        None, None, None
    )
    assert look_at_scene(Link(findScene=None), 7) is None


def test_plex_shows_its_user_who_asks():
    headers = plex_headers("secret", "client 1")
    assert headers == {
        "Accept": "application/json",
        "X-Plex-Token": "secret",
        "X-Plex-Client-Identifier": "client 1",
        "X-Plex-Product": "Stash2Plex",
        "X-Plex-Version": VERSION,
        "X-Plex-Platform": "Python",
        "X-Plex-Device": "Stash",
        "X-Plex-Device-Name": "Stash2Plex",
        "X-Plex-Model": "plugin",
    }


def test_the_next_scene_behind_one_that_spoils_the_list():
    spoilt = Transient("Stash", "Stash answered with an error.")

    def following(*answers: Any) -> int | None:
        left = list(answers)

        def list_ids(*_: object) -> list[int]:
            answer = left.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return list(answer)

        pages = ScenePages(list_ids, fail, fail)
        return _Walk(pages, {}, 3)._following(spoilt)

    def fail(*_: object) -> Any:
        raise AssertionError("no scene is to be read")

    assert following([7]) == 7
    assert following(spoilt, [9]) == 9
    assert following([]) is None
    with pytest.raises(Transient):
        following(spoilt, spoilt, spoilt)
    # A Stash that lets nobody in is not a scene that spoils a list.
    with pytest.raises(Refused):
        following(Refused("Stash", "Stash wants a log-in."), [9])


def test_https_to_a_server_without_it_is_named_although_any_certificate_would_do():
    with FakePlex() as plex:
        address = plex.url.replace("http:", "https:")
        transport = Transport(
            "Plex", address, headers={}, connect_timeout=5.0, read_timeout=5.0, tls_insecure=True
        )
        with pytest.raises(Refused) as failure:
            transport.request("GET", "/", what="a test")
        transport.close()
    assert failure.value.cause == NO_TLS


def test_a_server_whose_certificate_is_not_checked_has_no_other_way_of_trust():
    transport = Transport(
        "Plex", "https://x", headers={}, connect_timeout=1.0, read_timeout=1.0, tls_insecure=True
    )
    for words in ("[SSL: WRONG_VERSION_NUMBER]", "[SSL: HANDSHAKE_FAILURE]"):
        assert not transport._try_other_trust(SSLError(words))
    transport.close()


class Asked(Plex):
    """Keeps what it is asked for, and for how long it would wait."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, float]] = []

    def _get(
        self,
        path: str,
        doing: str,
        headers: Mapping[str, str] | None = None,
        *,
        most_seconds: float = 0.0,
    ) -> WireContainer:
        self.asked.append((path, most_seconds))
        return WireContainer(claimed=False, machineIdentifier="m")


def test_whether_a_plex_has_no_owner_is_asked_within_the_callers_time():
    plex = Asked()
    assert plex._has_no_owner(3.0)
    assert plex.asked == [("/identity", 3.0)]


class Raw(PlexRaw):
    """One item's list of genres; a server that adds what is sent, or replaces its list by it."""

    def __init__(self, *held: str, replaces: bool) -> None:
        self.held = list(held)
        self.replaces = replaces
        self.edits: list[list[str]] = []

    def row(self, key: str) -> Any:
        return {"Genre": [{"tag": name} for name in self.held]}

    def edit(self, section_id: str, keys: Any, parameters: Any) -> None:
        sent = [value for name, value in parameters if name.endswith(".tag.tag")]
        gone = [value for name, value in parameters if name.endswith(".tag.tag-")]
        self.edits.append([*sent, *(f"-{name}" for name in gone)])
        kept = [] if self.replaces and sent else self.held
        self.held = [*(name for name in kept if name not in ",".join(gone).split(",")), *sent]


@pytest.mark.parametrize(
    ("replaces", "edits"), [(False, [["Ebb"]]), (True, [["Ebb"], ["Fog", "Ebb"]])]
)
def test_a_list_is_restored_in_as_few_edits_as_the_server_needs(replaces, edits):
    client = Raw("Fog", replaces=replaces)
    held = Held("7", "1", {}, None, {"genre": [{"tag": "Fog"}, {"tag": "Ebb"}]}, [])
    _restore_list(client, held, client.row("7"), "genre")
    assert (client.held, client.edits) == (["Fog", "Ebb"], edits)
    client = Raw("Fog", "Ebb", "Tide", replaces=replaces)
    _restore_list(client, held, client.row("7"), "genre")
    assert (client.held, client.edits) == (["Fog", "Ebb"], [["-Tide"]])
