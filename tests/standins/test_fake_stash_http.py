"""FakeStash over HTTP: pictures, logins, the request log, faults, going down and up."""

import hashlib
import http.client
import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stash2plex_testing.stash import FakeStash, Fault, picture
from tests.support import ManualClock, until

SECRET: dict[str, Any] = {"username": "ann", "password": "pw", "api_key": "key-1"}
VERSION = "{ version { version } }"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_750_000_000.0)


@pytest.fixture
def locked(tmp_path: Path, clock: ManualClock) -> Iterator[FakeStash]:
    with FakeStash(root=str(tmp_path), clock=clock, max_session_age=100, **SECRET) as server:
        yield server


# -- pictures -----------------------------------------------------------------------------


def test_cover_with_etag(stash: FakeStash) -> None:
    stash.add_scene(cover=5)
    client = stash.client()
    shown = client.query("{ findScene(id: 1) { paths { screenshot } } }")
    url = shown["findScene"]["paths"]["screenshot"]
    assert re.fullmatch(rf"http://127\.0\.0\.1:{stash.port}/scene/1/screenshot\?t=\d+", url)
    answer = client.get(url)
    assert answer.body == picture(5)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["etag"] == f'"{hashlib.md5(picture(5)).hexdigest()}"'
    assert "immutable" in answer.headers["cache-control"]
    assert "last-modified" not in answer.headers
    again = client.get(url, {"If-None-Match": answer.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    assert client.get("/scene/1/screenshot").headers["cache-control"] == "no-cache"
    assert client.send("HEAD", "/scene/1/screenshot").status == 405
    missing = client.get("/scene/2/screenshot")
    assert (missing.status, missing.body) == (404, b"Not Found\n")


def test_the_address_follows_the_requests_host(stash: FakeStash) -> None:
    stash.add_scene()
    text = "{ findScene(id: 1) { paths { screenshot } } }"
    host = {"Host": "media.example:80", "X-Forwarded-Prefix": "/stash"}
    url = stash.client(host).query(text)["findScene"]["paths"]["screenshot"]
    assert url.startswith("http://media.example:80/stash/scene/1/")
    stash.core.external_host = "https://out.example"
    url = stash.client().query(text)["findScene"]["paths"]["screenshot"]
    assert url.startswith("https://out.example/scene/1/")


def test_defaults_where_there_is_no_picture(stash: FakeStash) -> None:
    stash.add_scene(cover=None)
    stash.add_performer("p"), stash.add_studio("s", image=3), stash.add_group("g")
    client = stash.client()
    assert client.get("/scene/1/screenshot").headers["content-type"] == "image/svg+xml"
    data = client.query(
        "{ findPerformer(id: 1) { image_path } findStudio(id: 1) { image_path }"
        " findGroup(id: 1) { front_image_path back_image_path } }"
    )
    assert data["findPerformer"]["image_path"].endswith("&default=true")
    assert client.get(data["findPerformer"]["image_path"]).headers["content-type"] == "image/png"
    assert not data["findStudio"]["image_path"].endswith("default=true")
    assert client.get(data["findStudio"]["image_path"]).body == picture(3)
    assert data["findGroup"]["back_image_path"] is None
    group = client.get(data["findGroup"]["front_image_path"])
    assert group.headers["content-type"] == "image/svg+xml"


# -- access -------------------------------------------------------------------------------


def test_an_open_server_still_refuses_a_wrong_key(stash: FakeStash) -> None:
    assert stash.client().post(VERSION).status == 200
    assert stash.client({"ApiKey": "old"}).post(VERSION).status == 401
    assert stash.client({"ApiKey": ""}).post(VERSION).status == 200


def test_key_and_cookie(locked: FakeStash) -> None:
    cookie = {"Cookie": f"session={locked.cookie()}"}
    assert locked.client({"ApiKey": "key-1"}).post(VERSION).status == 200
    assert locked.client(cookie).post(VERSION).status == 200
    assert locked.client({**cookie, "ApiKey": "wrong"}).post(VERSION).status == 401
    assert locked.client({"Cookie": "session=made-up"}).post(VERSION).status == 401
    refused = locked.client().post(VERSION)
    assert (refused.status, refused.headers["www-authenticate"]) == (401, "FormBased")
    data = locked.client(cookie).query("{ configuration { general { apiKey } } }")
    assert data == {"configuration": {"general": {"apiKey": "key-1"}}}


def test_pictures_lead_to_the_login_page(locked: FakeStash) -> None:
    locked.add_scene(cover=1)
    refused = locked.client().get("/scene/1/screenshot?t=1")
    assert refused.status == 302
    assert refused.headers["location"].startswith("/login?returnURL=%2Fscene%2F1%2Fscreenshot")
    page = locked.client().get(refused.headers["location"])
    assert page.status == 200
    assert "text/html" in page.headers["content-type"]
    assert locked.client().get("/scene/1/sprite.jpg").status == 401
    assert locked.client().get("/scene/1/screenshot?apikey=key-1").body == picture(1)
    assert locked.client().get("/healthz").status == 200


def test_a_cookie_lives_as_long_as_it_is_used(locked: FakeStash, clock: ManualClock) -> None:
    value = locked.cookie()
    for _ in range(3):
        clock.now += 60
        answer = locked.client({"Cookie": f"session={value}"}).post(VERSION)
        assert answer.status == 200
        value = answer.headers["set-cookie"].split(";")[0].removeprefix("session=")
    clock.now += 101
    assert locked.client({"Cookie": f"session={value}"}).post(VERSION).status == 401
    fresh = {"Cookie": f"session={locked.cookie()}"}
    locked.expire_cookies()
    assert locked.client(fresh).post(VERSION).status == 401


def test_login_by_form(locked: FakeStash) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    client = locked.client(form)
    refused = client.send("POST", "/login", b"username=ann&password=no")
    assert (refused.status, refused.body) == (401, b"Username or password is invalid\n")
    done = client.send("POST", "/login", b"username=ann&password=pw&returnURL=//evil.example/")
    assert done.status == 200, "a script of Stash's page goes on from here"
    assert b"evil" not in done.body
    cookie = done.headers["set-cookie"].split(";")[0]
    assert locked.client({"Cookie": cookie}).get("/").status == 200


def test_api_keys_can_be_made_and_cleared(locked: FakeStash) -> None:
    client = locked.client({"Cookie": f"session={locked.cookie()}"})
    made = client.query("mutation { generateAPIKey(input: {}) }")["generateAPIKey"]
    assert made == locked.api_key
    assert locked.client({"ApiKey": "key-1"}).post(VERSION).status == 401
    assert client.query("mutation { generateAPIKey(input: {clear: true}) }") == {
        "generateAPIKey": ""
    }


def test_the_public_access_guard_stays_tripped(stash: FakeStash) -> None:
    assert stash.client({"X-Forwarded-For": "192.168.1.4"}).post(VERSION).status == 200
    assert stash.client({"X-Forwarded-For": "100.70.1.4"}).post(VERSION).status == 200
    assert stash.client({"X-Forwarded-For": "8.8.8.8"}).post(VERSION).status == 403
    assert stash.client().post(VERSION).status == 403
    stash.sessions.tripwire = ""
    assert stash.client().post(VERSION).status == 200


# -- the log ------------------------------------------------------------------------------


def test_requests_are_logged(stash: FakeStash) -> None:
    stash.add_scene(cover=1)
    client = stash.client({"X-Mark": "m"})
    client.query("query  Named {\n  version { version }\n}")
    client.get("/scene/1/screenshot?t=5")
    first, second = stash.requests
    assert (first.method, first.path, first.status) == ("POST", "/graphql", 200)
    assert first.operation == "query Named { version { version } }"
    assert first.headers["X-Mark"] == "m"
    assert second.path == "/scene/1/screenshot?t=5"
    assert stash.count(path="screenshot") == stash.count(operation="Named") == 1
    assert stash.graphql_count == 1
    stash.clear_log()
    assert (stash.requests, stash.graphql_count) == ([], 0)


def test_one_connection_serves_many_requests(stash: FakeStash) -> None:
    stash.add_scene()
    connection = http.client.HTTPConnection("127.0.0.1", stash.port, timeout=5)
    try:
        ports = set()
        for _ in range(3):
            connection.request("GET", "/scene/1/screenshot")
            connection.getresponse().read()
            ports.add(connection.sock.getsockname())
        assert len(ports) == 1
    finally:
        connection.close()


def test_latency(stash: FakeStash) -> None:
    stash.add_scene()
    stash.latency.read = 0.05
    client, started = stash.client(), time.monotonic()
    assert client.post(VERSION).status == 200
    assert client.get("/scene/1/screenshot").status == 200
    assert time.monotonic() - started >= 0.1


# -- faults -------------------------------------------------------------------------------


def test_simple_faults(stash: FakeStash) -> None:
    client = stash.client()
    stash.faults.add("status", status=503, headers={"Retry-After": "7"})
    answer = client.post(VERSION)
    assert (answer.status, answer.headers["retry-after"]) == (503, "7")
    stash.faults.add("graphql_error")
    with pytest.raises(ValueError, match="database is locked"):
        client.query(VERSION)
    stash.faults.add("malformed")
    with pytest.raises(json.JSONDecodeError):
        client.query(VERSION)
    stash.faults.add("empty")
    assert client.post(VERSION).body == b""
    stash.faults.add("html")
    assert "text/html" in client.post(VERSION).headers["content-type"]
    stash.faults.add("wrong_shape")
    assert isinstance(client.post(VERSION).json(), list)
    stash.faults.add("redirect", location="http://127.0.0.1:1/")
    assert client.post(VERSION).headers["location"] == "http://127.0.0.1:1/"
    assert client.post(VERSION).status == 200
    with pytest.raises(ValueError, match="none of"):
        stash.faults.add("nonsense")


def test_faults_choose_their_requests(stash: FakeStash) -> None:
    stash.add_scene()
    client = stash.client()
    fault = stash.faults.add("status", path="screenshot", times=None, after=1)
    assert client.post(VERSION).status == 200
    statuses = [client.get("/scene/1/screenshot").status for _ in range(4)]
    assert statuses == [200, 500, 500, 500]
    assert fault.hits == 3
    stash.faults.clear()
    stash.faults.add("status", operation="findScene")
    assert client.post(VERSION).status == 200
    assert client.post("{ findScene(id: 1) { id } }").status == 500


def test_broken_connections(stash: FakeStash) -> None:
    client = stash.client(timeout=2)
    stash.faults.add("reset")
    with pytest.raises(ConnectionResetError):
        client.post(VERSION)
    stash.faults.add("half")
    with pytest.raises(http.client.IncompleteRead):
        client.post(VERSION)
    stash.faults.add("hang", seconds=30)
    with pytest.raises(TimeoutError):
        stash.client(timeout=0.1).post(VERSION)
    assert [entry.status for entry in stash.requests] == [0, 200, 0]


def test_clearing_lets_hanging_requests_go(stash: FakeStash) -> None:
    stash.faults.add(Fault("hang", seconds=30))
    threading.Timer(0.1, stash.faults.clear).start()
    with pytest.raises(http.client.RemoteDisconnected):
        stash.client().post(VERSION)


def test_slow_and_endless_bodies(stash: FakeStash) -> None:
    stash.faults.add("drip", seconds=0.2)
    started = time.monotonic()
    assert stash.client().query(VERSION)
    assert time.monotonic() - started >= 0.2
    stash.faults.add("endless")
    connection = http.client.HTTPConnection("127.0.0.1", stash.port, timeout=5)
    try:
        connection.request("POST", "/graphql", "{}", {"Content-Type": "application/json"})
        reply = connection.getresponse()
        assert len(reply.read(1_000_000)) == 1_000_000
        reply.close()
    finally:
        connection.close()


# -- life ---------------------------------------------------------------------------------


def test_down_and_up_on_the_same_port(stash: FakeStash) -> None:
    port = stash.port
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        stash.down()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=1)
        assert connection.sock.recv(1) == b"", "open connections are cut"
    finally:
        connection.close()
    stash.up()
    assert stash.port == port
    assert stash.client().post(VERSION).status == 200


def test_stop_is_quick_with_hanging_requests_and_idle_connections(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    stash = FakeStash(root=str(tmp_path)).start()
    stash.faults.add("hang", seconds=30)
    idle = socket.create_connection(("127.0.0.1", stash.port))
    hanging = socket.create_connection(("127.0.0.1", stash.port))
    hanging.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    until(lambda: stash.requests)
    started = time.monotonic()
    stash.stop()
    stash.stop()
    assert time.monotonic() - started < 2
    assert set(threading.enumerate()) <= before
    idle.close()
    hanging.close()


def test_two_servers_at_once(tmp_path: Path) -> None:
    with FakeStash(root=str(tmp_path / "a")) as one, FakeStash(root=str(tmp_path / "b")) as two:
        one.add_scene("one")
        assert one.client().query("{ stats { scene_count } }")["stats"]["scene_count"] == 1
        assert two.client().query("{ stats { scene_count } }")["stats"]["scene_count"] == 0


def test_page_lists_and_edits(stash: FakeStash) -> None:
    stash.generate(30)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    page = stash.client().get("/").body.decode()
    assert "30 scenes" in page
    assert 'name="viewport"' in page
    assert "<script" not in page
    assert page.count("/fake/title") == 24
    saved = stash.client(form).send("POST", "/fake/title", b"id=2&page=1&title=%3Cb%3ENew")
    assert (saved.status, saved.headers["location"]) == (303, "/?page=1")
    assert stash.library.scenes[2].title == "<b>New"
    assert "&lt;b&gt;New" in stash.client().get("/").body.decode()
    assert stash.client().get("/?page=2").body.decode().count("/fake/title") == 6
    assert stash.client(form).send("POST", "/fake/task", b"plugin=no&task=no").status == 303


def test_by_itself() -> None:
    command = [sys.executable, "-m", "stash2plex_testing.stash", "--scenes", "3", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            match = re.search(r"http://127\.0\.0\.1:(\d+)", line)
            assert match
            connection = http.client.HTTPConnection("127.0.0.1", int(match[1]), timeout=5)
            connection.request("GET", "/")
            assert b"3 scenes" in connection.getresponse().read()
            connection.close()
        finally:
            process.terminate()
        assert process.wait(10) == 0
