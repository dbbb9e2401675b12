"""What comes in is anybody's: names, addresses, shapes. It is held, cut or refused."""

from __future__ import annotations

import io
import json
import os
import socket
import tempfile
import threading
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from stash2plex.cli.config import CliOptions, resolve
from stash2plex.cli.main import main
from stash2plex.cli.shell import Shell
from stash2plex.config import Settings, parse_settings
from stash2plex.db import connect
from stash2plex.errors import ConfigError, ServerError, UsageError
from stash2plex.logs.handlers import Logs
from stash2plex.model import Field
from stash2plex.plugin import read_request
from stash2plex.rules.desired import desired_state
from stash2plex.rules.matching import map_path, split_path
from stash2plex.servers.plex import Plex
from stash2plex.servers.stash import Stash
from stash2plex.servers.stash_address import read_server_connection
from stash2plex.servers.transport import Reply, Transport, _retry_after
from stash2plex.store.progress import Progress, Wait
from stash2plex.ui.terminal import TerminalProgress, bar_words
from stash2plex.workqueue import WorkQueue
from tests.support import ManualClock, make_scene, named

NASTY = [
    "\x00NUL", "\x1b[2J\x1b]0;owned\x07red", "\u202egnp.exe", "🌊🏴‍☠️ e\u0301", "' OR 1=1; --",
    "<a>&]]>\"'",
    "../../etc/passwd", "http://127.0.0.1:9/x?y=1#z", "[red]x[/nothing]", "a\nb\r\nc\u2028d",
    "%s %d {0}", "\x9b31m", "，,;=&+%2C", "x" * 1_000_000,
]  # fmt: skip

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


def test_nasty_names_arrive_and_break_nothing(bench, make_run):
    run = make_run()
    pairs = []
    for number, text in enumerate(NASTY):
        scene, item = bench.add(
            title=text,
            details=text,
            director=text,
            studio=bench.stash.add_studio(f"{text[:500]} {number}"),
            performers=[bench.stash.add_performer(f"{text[:500]} {number}")],
            tags=[bench.stash.add_tag(f"{text[:500]} {number}")],
        )
        pairs.append((scene, item))
    run.queue.add_many([("scene", scene.id) for scene, _ in pairs])
    summary = run.drain()
    assert summary.error is None
    assert run.rows("SELECT count(*) FROM queue") == [(0,)]
    assert run.rows("SELECT count(*) FROM dead_letter") == [(0,)]
    for _, item in pairs:
        texts = (item.title, *item.texts.values(), *item.tags["genre"], *item.tags["actor"])
        assert not any("\x00" in text or "\x1b" in text for text in texts)
        assert all(len(text) <= 10_000 for text in texts)
    assert pairs[3][1].title == "🌊🏴‍☠️ é"
    assert pairs[4][1].title == "' OR 1=1; --"
    assert pairs[5][1].title == "<a>&]]>\"'"
    assert "，,;=&+%2C" in pairs[12][1].tags["genre"][0]


@given(st.text(max_size=300), st.text(max_size=60), st.text(max_size=60))
def test_any_text_becomes_an_edit_that_a_url_can_carry(title, details, name):
    scene = make_scene(title=title, details=details, tags=named(name), performers=named(name))
    desired = desired_state(scene, Settings())
    for value in (
        *desired.texts.values(),
        *desired.lists[Field.TAGS],
        *desired.lists[Field.PERFORMERS],
    ):
        value.encode()
        assert "\x00" not in value


def test_dead_letters_of_nasty_titles_can_be_listed(tmp_path, capsys, monkeypatch):
    with closing(connect(str(tmp_path / "stash2plex.db"))) as database:
        queue = WorkQueue(database, ManualClock())
        for number, text in enumerate(NASTY, 1):
            queue.add("scene", number)
            (claim,) = queue.claim(1, 60.0)
            assert queue.bury(claim, title=text[:200], reason="rejected", error=text)
    monkeypatch.setenv("STASH2PLEX_DATA_DIR", str(tmp_path))
    for options in ([], ["--json"]):
        with pytest.raises(SystemExit) as ended:
            main([*options, "dlq", "list"])
        assert ended.value.code == 0
        shown = capsys.readouterr().out
        assert not any(letter in shown for letter in "\x00\x1b\x9b\u202e\u2028")
        assert len(shown) < 200_000
        if options:
            assert json.loads(shown)["total"] == len(NASTY)


def test_a_note_of_a_server_moves_no_cursor():
    out = io.StringIO()
    console = Console(file=out, force_terminal=True)
    with TerminalProgress(console) as shown:
        shown.progress(Progress(left=1, wait=Wait("Plex says \x1b]0;owned\x07[/red]")))
    assert "\x1b]0;" not in out.getvalue()
    assert "\x07" not in bar_words(Progress(wait=Wait("\x07")))


def test_a_setting_with_brackets_is_shown_as_it_is(tmp_path):
    err = io.StringIO()
    shell = Shell(
        CliOptions(
            data_dir=str(tmp_path),
            stash_url="http://127.0.0.1:9",
            settings={"path_map": "[/x]\x1b[2J"},
        ),
        as_json=False,
        out=Console(file=err),
        err=Console(file=err, width=300),
        logs=Logs(err, for_stash=False),
    )
    with shell.app() as app:
        app.logs.logger.error("%s", parse_settings({"path_map": "[/x]\x1b[2J"})[1][0])
    assert "[/x]" in err.getvalue()
    assert "\x1b" not in err.getvalue()


@pytest.mark.parametrize(
    "address",
    [
        "http://keeper:s3cret@plex:32400",
        "http://plex:32400/?X-Plex-Token=s3cret",
        "http://p#s3cret",
    ],
)
def test_a_secret_in_an_address_is_refused_and_not_shown(address, tmp_path):
    _, (problem,) = parse_settings({"plex_url": address})
    assert "s3cret" not in problem
    with pytest.raises(ConfigError) as refused:
        resolve(CliOptions(stash_url=address, data_dir=str(tmp_path)), {"HOME": str(tmp_path)})
    assert "s3cret" not in str(refused.value)


@given(st.binary(max_size=200))
def test_any_file_is_toml_or_a_clear_error(data):
    with tempfile.TemporaryDirectory() as folder:
        name = os.path.join(folder, "config.toml")
        with open(name, "wb") as file:
            file.write(data)
        try:
            resolve(CliOptions(config_file=name, data_dir=folder), {})
        except ConfigError:
            return


@given(
    st.fixed_dictionaries(
        {}, optional={"Host": JSON, "Port": JSON, "SessionCookie": JSON, "Dir": JSON}
    )
)
def test_any_connection_is_an_address_or_a_clear_error(info):
    try:
        request = read_request(json.dumps({"server_connection": info}).encode())
        address = read_server_connection(request.get("server_connection") or {})
    except (ConfigError, UsageError):
        return
    assert address.url.startswith("http")
    assert "@" not in address.url
    int(address.url.rsplit(":", 1)[1])


@given(
    st.text(max_size=30), st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=3)
)
def test_any_path_and_map_give_a_path(path, rules):
    assert isinstance(map_path(path, rules), str)
    assert all(part and "/" not in part for part in split_path(path))


@given(st.text(max_size=12))
def test_any_retry_after_is_a_time_or_nothing(text):
    wait = _retry_after(Reply(429, {"retry-after": text}, b""))
    assert wait is None or 0 <= wait <= 300


class Canned:
    """Answers every connection with the same bytes, then closes it."""

    def __init__(self):
        self.data = b""
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                connection.recv(65536)
                connection.sendall(self.data)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


@pytest.fixture(scope="module")
def canned():
    server = Canned()
    yield server
    server.close()


def transport(server, name):
    return Transport(
        name,
        f"http://127.0.0.1:{server.listener.getsockname()[1]}",
        headers={},
        connect_timeout=1.0,
        read_timeout=1.0,
    )


def answered(server, body):
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    server.data = head.encode() + b"Connection: close\r\n\r\n" + body


FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FUZZ
@given(
    st.binary(max_size=120) | st.binary(max_size=60).map(lambda tail: b"HTTP/1.1 200 OK\r\n" + tail)
)
def test_any_bytes_on_the_wire_are_an_answer_or_our_error(canned, data):
    canned.data = data
    client = transport(canned, "Plex")
    try:
        client.request("GET", "/")
    except ServerError:
        return
    finally:
        client.close()


PLEX_SHAPES = st.fixed_dictionaries(
    {
        "MediaContainer": st.fixed_dictionaries(
            {}, optional={"Metadata": JSON, "Directory": JSON, "totalSize": JSON}
        )
        | JSON
    }
)


@FUZZ
@given(PLEX_SHAPES | JSON)
def test_any_shape_of_plex_is_read_or_our_error(canned, value):
    answered(canned, json.dumps(value).encode())
    client = Plex(transport(canned, "Plex"))
    for ask in (
        client.identity,
        client.check_token,
        client.sections,
        lambda: client.list_page("1", 0),
        lambda: client.items(["1"]),
    ):
        try:
            ask()
        except ServerError:
            continue
    client.close()


@pytest.mark.parametrize("held", ["", '"size": 0', '"size": 0, "version": "1.41"'])
def test_json_that_names_no_server_is_not_plexs(canned, held):
    answered(canned, b'{"MediaContainer": {%s}}' % held.encode())
    client = Plex(transport(canned, "Plex"))
    for ask in (client.identity, client.check_token):
        with pytest.raises(ServerError, match="answers, but not as a Plex server"):
            ask()
    client.close()


STASH_SHAPES = st.fixed_dictionaries(
    {
        "data": st.fixed_dictionaries(
            {},
            optional={
                "s1": JSON,
                "findScenes": st.fixed_dictionaries({"scenes": JSON}) | JSON,
                "configuration": JSON,
                "version": JSON,
                "systemStatus": JSON,
            },
        )
    }
)


@FUZZ
@given(STASH_SHAPES | JSON)
def test_any_shape_of_stash_is_read_or_our_error(canned, value):
    answered(canned, json.dumps(value).encode())
    client = Stash(transport(canned, "Stash"))
    for ask in (
        lambda: client.scenes([1]),
        lambda: list(client.all_scenes()),
        lambda: list(client.scene_ids()),
        lambda: client.scene_ids_showing("tag", 1),
        lambda: list(client.scene_ids_changed_since(1e9)),
        lambda: client.basics("Stash2Plex"),
        client.config_path,
        lambda: client.cover(make_scene(1, screenshot="http://[bad"), ""),
    ):
        try:
            ask()
        except ServerError:
            continue
    client.close()


def test_halves_of_letters_and_giant_numbers_are_no_trouble(canned):
    answered(
        canned,
        b'{"MediaContainer": {"Metadata": [{"ratingKey": "1", "title": "\\ud800",'
        b' "librarySectionID": 1, "Media": [{"Part": [{"file": "/\\udfff", "size": 1}]}]}]}}',
    )
    client = Plex(transport(canned, "Plex"))
    item = client.items(["1"])["1"]
    item.paths[0].encode()
    answered(
        canned,
        b'{"MediaContainer": {"Metadata": [{"ratingKey": "1", "Media":'
        b' [{"Part": [{"file": "/a", "size": 1' + b"0" * 30 + b"}]}]}]}}",
    )
    page = client.list_page("1", 0)
    assert (page.files, page.rows, [row.rating_key for row in page.odd]) == ((), 1, ["1"])
    client.close()


def test_credentials_do_not_follow_a_redirect_to_another_host(bench, make_run):
    elsewhere = Canned()
    elsewhere.data = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    scene, _ = bench.add()
    location = f"http://127.0.0.1:{elsewhere.listener.getsockname()[1]}/picture"
    bench.stash.faults.add("redirect", path="^/scene/", location=location, times=None)
    run = make_run()
    run.queue.add("scene", scene.id)
    assert run.drain().error is None
    (waits,) = run.app.store.pictures.endpoints()
    assert "refuses the covers" in waits.reason
    elsewhere.close()
    assert elsewhere.connections == 0
