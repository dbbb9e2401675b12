"""Commands in seldom situations: odd locales and streams, a server that is gone, wrong settings."""

from __future__ import annotations

import io
import json
import os
import sys
import time
from contextlib import closing

import pytest

from stash2plex.cli.file_names import restart_with_utf8_names
from stash2plex.cli.streams import ERRORS, json_text, prepare_streams, readable, write
from stash2plex.db import connect
from stash2plex_testing.plex import Fault


class Restarted(Exception):
    """The program was replaced by another one."""


@pytest.fixture
def latin(monkeypatch):
    """Give this process file names in Latin-1; returns the programs that replace it."""
    programs = []

    def replace(program, words):
        programs.append((program, words))
        raise Restarted

    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "iso-8859-1")
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "stash2plex", "status"])
    monkeypatch.setattr(os, "execv", replace)
    monkeypatch.delenv("PYTHONIOENCODING", raising=False)
    yield programs
    os.environ.pop("PYTHONIOENCODING", None)


def test_a_program_whose_file_names_are_not_utf8_starts_again(latin, monkeypatch):
    with pytest.raises(Restarted):
        restart_with_utf8_names()
    words = [sys.executable, "-X", "utf8", "-m", "stash2plex", "status"]
    assert latin == [(sys.executable, words)]
    assert os.environ["PYTHONIOENCODING"] == f"{sys.stdout.encoding}:replace"
    os.environ["PYTHONIOENCODING"] = "cp1252"
    with pytest.raises(Restarted):
        restart_with_utf8_names()
    assert os.environ["PYTHONIOENCODING"] == "cp1252"
    for name in ("utf-8", "UTF-8"):
        monkeypatch.setattr(sys, "getfilesystemencoding", lambda name=name: name)
        restart_with_utf8_names()
    assert len(latin) == 2


def test_the_command_line_starts_again_before_anything_else(latin, desk):
    from stash2plex.cli.main import main

    with pytest.raises(Restarted):
        main(["status"])
    assert not os.path.exists(desk.folder)


# -- the streams --------------------------------------------------------------------------


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


# -- the runs -----------------------------------------------------------------------------


def test_each_command_that_sends_is_a_run_with_its_name(desk):
    for words in (["process"], ["sync", "--scene", "1"], ["undo", "--all"], ["reconcile"]):
        assert desk.run(*words)[0] == 0
    with closing(connect(desk.folder + "/stash2plex.db")) as database:
        rows = database.execute(
            "SELECT name, state FROM run WHERE name <> '' ORDER BY id"
        ).fetchall()
    assert rows == [
        ("stash2plex process", "ended"),
        ("stash2plex sync", "ended"),
        ("stash2plex undo", "ended"),
        ("stash2plex reconcile", "ended"),
    ]


def test_an_undo_that_plex_does_not_answer_names_the_error(desk):
    desk.run("sync", "--scene", "1")
    desk.plex.down()
    code, out, err = desk.run("undo", "--all", "--wait", "0")
    assert code == 3
    assert "1 scene queued to be put back." in err.splitlines()
    assert "refuses the connection" in err
    assert out


def test_an_undo_of_some_items_and_fields(desk):
    desk.run("sync", "--all")
    items = [str(item.rating_key) for item in desk.plex.all_items()]

    def counted(*words):
        code, out, err = desk.run("undo", *words, "--dry-run", "--json")
        assert code == 0, err
        return json.loads(out)["queued"]

    assert counted("--item", items[0], "--item", items[2]) == 2
    assert counted("--item", items[1], "--field", "title", "--field", "summary") == 1
    assert counted("--all") == 6


def test_a_report_without_stash_and_without_a_folder(desk, monkeypatch):
    monkeypatch.setenv("STASH2PLEX_STASH_URL", "http://127.0.0.1:9")
    monkeypatch.delenv("STASH2PLEX_DATA_DIR")
    code, out, _ = desk.run("report")
    assert (code, "FAIL Stash: " in out, "Or name the folder with --data-dir." in out) == (
        0, True, True,
    )  # fmt: skip
    lines = json.loads(desk.run("report", "--json")[1])["report"]
    heads = [line for line in out.splitlines() if line.startswith("== ")]
    assert [line for line in lines if line.startswith("== ")] == heads


# -- the probe ----------------------------------------------------------------------------


@pytest.fixture
def plex(desk, monkeypatch):
    monkeypatch.setenv("STASH2PLEX_PLEX_URL", desk.plex.url)
    monkeypatch.setenv("STASH2PLEX_PLEX_TOKEN", desk.plex.token)
    monkeypatch.setenv("HOME", desk.folder)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    return desk.plex


def test_a_probe_with_a_wrong_setting_asks_nothing(desk, plex, monkeypatch):
    monkeypatch.setenv("STASH2PLEX_MAX_TAGS", "many")
    code, out, err = desk.run("probe-plex", "--item", "1")
    assert (code, out) == (2, "")
    assert err.startswith("stash2plex: ")
    assert "max_tags" in err
    assert plex.requests == []


def test_a_probe_on_a_terminal_shows_each_question_and_may_ask(desk, plex, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    code, _, err = desk.run("probe-plex", "--item", "1", "--no-uploads")
    assert code == 0
    shown = err.splitlines()
    assert (shown[0], shown[-1]) == ("genre list, one item", "edits per second")


def test_a_probe_from_the_archive_has_no_stand_in_to_compare_with(desk, plex, monkeypatch):
    monkeypatch.setitem(sys.modules, "stash2plex_testing.probing", None)
    code, _, err = desk.run("probe-plex", "--item", "1", "--no-uploads", "--compare")
    assert (code, err) == (
        2,
        "stash2plex: --compare needs the stand-in of the source checkout; run it there.\n",
    )
    assert plex.requests == []


def test_a_probe_that_cannot_restore_names_what_is_left(desk, plex):
    plex.faults.add(Fault("status", method="PUT", parameter="^title.locked", times=None))
    code, out, err = desk.run("probe-plex", "--item", "1", "--no-uploads")
    path = os.path.join(desk.folder, ".stash2plex-probe.json")
    assert (code, bool(out)) == (1, True)
    shown = " ".join(err.split())
    assert shown.startswith("Not restored: ")
    assert shown.replace(" ", "").endswith(
        f"“{path}”still has the old values.Run“stash2plex probe-plex --restore”again.".replace(
            " ", ""
        )
    )
    plex.faults.clear()
    assert desk.run("probe-plex", "--restore", "--json")[1] == '{\n  "left": []\n}\n'
