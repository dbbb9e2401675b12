"""What comes in from outside: requests, hook contexts, settings, answers of servers."""

from __future__ import annotations

import io
import json
import logging
import os

import pytest
import urllib3.exceptions
from hypothesis import given
from hypothesis import strategies as st

from stash2plex import plugin
from stash2plex.db import read_id
from stash2plex.errors import (
    ConfigError,
    Refused,
    ServerError,
    StashGone,
    Transient,
    Unavailable,
    UsageError,
)
from stash2plex.hook import MAX_MERGED, may_start, merged_tags, read_key
from stash2plex.logs.handlers import LINE_LIMIT, StashFormatter, plain
from stash2plex.model import Section
from stash2plex.namelist import NameList
from stash2plex.plugin import read_request
from stash2plex.rules.libraries import choose_sections
from stash2plex.servers.transport import Transport
from stash2plex.servers.wire import make_converter, structure
from stash2plex.store.progress import Progress
from stash2plex.text import span
from stash2plex.ui.progress import StashProgress
from tests.harness.strategies import JSON
from tests.support import ManualClock, present


@given(st.binary(max_size=60))
def test_any_bytes_are_a_request_or_a_clear_error(data):
    try:
        request = read_request(data)
    except UsageError:
        return
    assert isinstance(request["args"], dict)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"{", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "is not a JSON object"),
        (b'{"args": []}', '"args" in the request is not an object'),
        (b'{"server_connection": [1]}', '"server_connection" in the request is not an object'),
        (b'{"server_connection": {"Dir": 5}}', '"Dir" in "server_connection" is not the name'),
        (b'{"server_connection": {"Dir": "a\\u0000"}}', '"Dir" in "server_connection" is not'),
        (b" " * 101, "is larger than 0 MiB"),
    ],
    ids=range(8),
)
def test_what_is_wrong_with_a_request_is_said(data, said, monkeypatch):
    if b"  " in data:
        monkeypatch.setattr(plugin, "STDIN_LIMIT", 100)
    with pytest.raises(UsageError, match=said):
        read_request(data)


def test_a_request_as_stash_sends_it_is_taken_as_it_is():
    request = {"args": {"mode": "status"}, "server_connection": {"Dir": "/config", "Port": 9999}}
    assert read_request(json.dumps(request).encode()) == request
    assert read_request(b'{"args": null}')["args"] == {}
    assert read_request(b"{}")["args"] == {}


@given(st.fixed_dictionaries({}, optional={"id": JSON, "type": JSON, "inputFields": JSON}) | JSON)
def test_any_hook_context_is_a_key_or_a_clear_error(context):
    try:
        key = read_key(context)
    except UsageError:
        return
    assert key is None or (
        key[0] in ("scene", "performer", "studio", "tag", "group") and key[1] > 0
    )


def test_hook_contexts():
    assert read_key({"type": "Scene.Update.Post", "id": 3}) == ("scene", 3, 0.0)
    assert present(read_key({"type": "Scene.Create.Post", "id": 3}))[2] > 0
    assert present(read_key({"type": "Tag.Merge.Post", "id": 9}))[:2] == ("tag", 9)
    played = {"type": "Scene.Update.Post", "id": 3, "inputFields": ["id", "resume_time"]}
    assert read_key(played) is None
    for bad in ({"type": "Image.Update.Post", "id": 1}, {"type": "Scene.Update.Post", "id": "1"}):
        with pytest.raises(UsageError):
            read_key(bad)


@pytest.mark.parametrize(
    "context",
    [
        None,
        {"type": None, "id": 3},
        {"type": "Scene.Update", "id": 3},
        {"type": "Scene.Update.Post.Again", "id": 3},
        {"type": "Scene.Update.Post", "id": True},
        {"type": "Scene.Update.Post", "id": 0},
        {"type": "Scene.Update.Post", "id": 2**63},
    ],
)
def test_a_hook_context_that_is_none_of_ours(context):
    with pytest.raises(UsageError):
        read_key(context)


def test_the_edges_of_hook_contexts():
    most = {"type": "Scene.Update.Post", "id": 2**63 - 1}
    assert read_key(most) == ("scene", 2**63 - 1, 0.0)
    # An edit of no named field may be one of anything; one field is enough.
    for fields in ([], None, "id", ["id", "title", "play_count"]):
        assert read_key({**most, "inputFields": fields}) is not None
    for kind in ("Performer", "Studio", "Tag", "Group"):
        assert read_key({"type": f"{kind}.Destroy.Post", "id": 1}) == (kind.lower(), 1, 0.0)
    assert read_key({"type": "Scene.Create.Post", "id": 1}) == ("scene", 1, 3.0)


@pytest.mark.parametrize("value", [1, "17", "0017", 2**63 - 1, str(2**63 - 1)])
def test_an_id_is_a_number_or_its_digits(value):
    assert read_id(value) == int(value)


@pytest.mark.parametrize(
    "value",
    [0, -1, 2**63, True, 1.0, None, [1], "", "0", "-1", " 1", "1.0", "٣", str(2**63), "9" * 5000],
)
def test_what_no_database_can_hold_or_no_server_numbers_so_is_no_id(value):
    assert read_id(value) is None


@given(JSON)
def test_the_sources_of_a_merge_are_typed_and_bounded(source):
    context = {"type": "Tag.Merge.Post", "id": 9, "input": {"source": source}}
    keys = merged_tags(context)
    assert len(keys) <= MAX_MERGED
    assert all(kind == "tag" and 0 < id_ < 2**63 for kind, id_ in keys)


def test_a_merge_of_tags_tells_its_sources():
    merge = {"type": "Tag.Merge.Post", "id": 9, "input": {"source": ["4", 5, "x", "-1", "9" * 30]}}
    assert merged_tags(merge) == [("tag", 4), ("tag", 5)]
    assert merged_tags({**merge, "type": "Tag.Update.Post"}) == []
    many = {"source": [str(number) for number in range(1, 5000)]}
    assert len(merged_tags({**merge, "input": many})) == MAX_MERGED


def section(id_, title, type_="movie"):
    return Section(id_, "u", title, type_, "1", (), refreshing=False)


def test_libraries_are_chosen_by_name_or_all_movie_types():
    there = [section("1", "Harbour Films"), section("2", "Shows", "show"), section("3", "Lanterns")]
    assert [one.id for one in choose_sections(there, NameList())] == ["1", "3"]
    assert [one.id for one in choose_sections(there, NameList.of("lanterns"))] == ["3"]
    with pytest.raises(ConfigError, match="“Shows”.*It has: “Harbour Films”, “Lanterns”"):
        choose_sections(there, NameList.of("Shows"))


@given(JSON)
def test_an_answer_of_another_shape_is_transient(value):
    from stash2plex.servers.plexwire import WireAnswer

    try:
        structure(make_converter(), value, WireAnswer, "Plex", "a test")
    except Transient as error:
        assert "shape" in str(error)


def low_level_errors():
    found = [urllib3.exceptions.HTTPError]
    for one in found:
        found += [child for child in one.__subclasses__() if child not in found]
    return [*found, OSError, ConnectionResetError, TimeoutError, ValueError]


@pytest.mark.parametrize("kind", low_level_errors(), ids=lambda kind: kind.__name__)
def test_every_low_level_error_is_mapped(kind):
    transport = Transport("Plex", "http://plex:1", headers={}, connect_timeout=1, read_timeout=1)
    error = kind.__new__(kind)
    error.reason = None
    mapped = transport.map_error(error, "a test")
    assert isinstance(mapped, ServerError)
    assert mapped.server == "Plex"
    transport.close()


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("Plex", "It is down.", retry_after=12.0),
        Refused("Stash", "Log in.", wants_login=True),
        ConfigError("A setting is missing."),
    ],
)
def test_an_error_with_other_words_keeps_what_it_holds(error):
    changed = error.with_words("Process Queue: stopped.")
    assert (type(changed), str(changed)) == (type(error), "Process Queue: stopped.")
    words = {"what": "Process Queue: stopped.", "fix": None}
    assert vars(changed) == {**vars(error), **words}
    assert str(error) != str(changed)


def test_a_log_line_is_one_line_with_its_level():
    record = logging.LogRecord("x", logging.WARNING, "f", 1, "a\nb\x1b[31m %s", ("c\u202e",), None)
    assert StashFormatter().format(record) == "\x01w\x02a b [31m c "
    assert len(plain("x" * 99_999)) == LINE_LIMIT


def test_progress_is_monotonic_throttled_and_one_only_at_the_end():
    clock = ManualClock()
    stream = io.StringIO()
    shown = StashProgress(stream, logging.getLogger("test"), "Process Queue", clock)
    for step in range(1, 1001):
        clock.step(0.01)
        left = 1000 - step if step < 500 else 3000 - step  # the queue grows half-way
        shown.progress(Progress(done=step, left=left))
    shown.progress(Progress(done=3000, ended=True))
    lines = stream.getvalue().splitlines()
    values = [float(line.removeprefix("\x01p\x02")) for line in lines]
    assert values == sorted(values)
    assert values[-1] == 1.0
    assert max(values[:-1]) < 1.0
    assert len(values) <= 55


def test_two_jobs_of_one_task_share_the_bar():
    clock = ManualClock()
    stream = io.StringIO()
    for part in ((0.0, 0.5), (0.5, 1.0)):
        shown = StashProgress(stream, logging.getLogger("test"), "Both", clock, part)
        for done in range(5):
            clock.step(1.0)
            shown.progress(Progress(done=done, left=4 - done))
        clock.step(1.0)
        shown.progress(Progress(done=4, ended=True))
    values = [float(line.removeprefix("\x01p\x02")) for line in stream.getvalue().splitlines()]
    assert values == sorted(values)
    assert values[5] == 0.5
    assert values[-1] == 1.0
    assert max(values[:-1]) < 1.0


def test_a_run_that_gave_up_does_not_look_done():
    stream = io.StringIO()
    shown = StashProgress(stream, logging.getLogger("test"), "Process Queue", ManualClock())
    shown.progress(Progress(done=1, left=3, ended=True))
    shown.repeat()
    assert stream.getvalue() == "\x01p\x020.2500\n" * 2


def test_a_hook_has_a_worker_look_once_a_minute_while_it_is_off():
    assert may_start(None, 1000.0)
    assert may_start("auto", 1000.0)
    assert not may_start("off", 1000.0)
    assert not may_start("off 990", 1000.0)
    assert may_start("off 900", 1000.0)
    assert may_start("off 940", 1000.0)
    assert not may_start("off 941", 1000.0)
    # A clock that was set back does not switch it off for longer.
    assert may_start("off 1060", 1000.0)
    assert not may_start("off 1059", 1000.0)
    assert may_start("", 1000.0)
    # Where Stash's settings file is known, it says all.
    assert not may_start("off 900", 1000.0, changed=False)
    assert may_start("off 999", 1000.0, changed=True)
    assert may_start("auto", 1000.0, changed=False)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "0 s"), (59, "59 s"), (61, "1 min 01 s"), (1500, "25 min"), (7260, "2 h 01 min")],
)
def test_spans(seconds, said):
    assert span(seconds) == said


def test_an_answer_is_one_line_of_json(capfd):
    plugin.write_answer({"output": "“Pier 1”\nis in sync"})
    written = capfd.readouterr().out
    assert written.endswith("\n")
    assert written.count("\n") == 1
    assert json.loads(written) == {"output": "“Pier 1”\nis in sync"}


def test_an_answer_that_nobody_reads_means_that_stash_has_ended(capfd):
    kept = os.dup(1)
    reader, writer = os.pipe()
    os.close(reader)
    os.dup2(writer, 1)
    try:
        with pytest.raises(StashGone):
            plugin.write_answer({"output": 1})
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(writer)
