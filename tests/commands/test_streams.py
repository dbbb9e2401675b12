"""What a command writes into each kind of stream: letters that it lacks, JSON, and when."""

from __future__ import annotations

import io
import os
import sys

import pytest

from stash2plex.cli.streams import ERRORS, json_text, prepare_streams, readable, write


def test_streams_that_are_closed_or_not_of_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", heard := io.StringIO())
    prepare_streams()
    assert sys.stderr is heard
    with sys.stdout as null:
        assert (null.name, null.encoding) == (os.devnull, "utf-8")
        assert null.write("Größe 港") == 7
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    ascii_stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stderr", ascii_stream)
    prepare_streams()
    sys.stderr.write("“Größe”")
    sys.stderr.flush()
    assert ascii_stream.buffer.getvalue() == b'"Gro?e"'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cafe\u0301", "cafe"),
        ("café", "cafe"),
        ("«a» „b‟ ‚c’ –—━─ … → × \u00a0|", '"a" "b? \'c\' ---- . > x  |'),
        ("港ﾊ1", "???1"),
        ("ǅ", "D"),
    ],
)
def test_letters_that_ascii_lacks(text, shown):
    prepare_streams()
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    assert readable(text, stream) == shown
    assert readable(text, io.StringIO()) == text


def test_only_what_cannot_be_written_is_replaced():
    prepare_streams()
    with pytest.raises(UnicodeDecodeError):
        b"\xff".decode("ascii", ERRORS)


def test_json_for_every_stream():
    value = {"title": "Größe \x9b\u202e港"}
    latin = io.TextIOWrapper(io.BytesIO(), encoding="iso-8859-1")
    assert json_text(value, latin) == '{\n  "title": "Gr\\u00f6\\u00dfe \\u009b\\u202e\\u6e2f"\n}'
    for stream in (io.StringIO(), io.TextIOWrapper(io.BytesIO(), encoding="UTF8")):
        assert json_text(value, stream) == '{\n  "title": "Größe \\u009b\\u202e港"\n}'


def test_what_is_written_is_written_at_once_with_its_end():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    write("A quay.", stream)
    write("No end.", stream, end="")
    assert stream.buffer.getvalue().split(os.linesep.encode()) == [b"A quay.", b"No end."]
