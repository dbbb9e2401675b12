"""The command line in any code page, and with readers that go away."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import pytest

from stash2plex.cli.main import cli
from stash2plex.cli.streams import prepare_streams, readable
from tests.commands.test_service import started

TITLE = "Größe “Ωμ” 港の夜… ő 😀 \u202e"
COMMANDS = (
    ("status",),
    ("status", "--format", "prometheus"),
    ("health",),
    ("scene", "1"),
    ("dlq", "list"),
    ("sync", "--all", "--dry-run"),
    ("status", "--frob"),
)
ENCODINGS = {
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
    "cp1250": {"PYTHONIOENCODING": "cp1250"},
    "cp932": {"PYTHONIOENCODING": "cp932"},
    "ascii": {"PYTHONIOENCODING": "ascii:strict"},
    "utf-8": {"PYTHONIOENCODING": "utf-8:strict"},
    "ansi_x3.4-1968": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


@pytest.fixture
def named(desk):
    """A library with letters from everywhere."""
    for scene in desk.stash.library.scenes.values():
        scene.title = TITLE
    assert desk.run("sync", "--all")[0] == 0
    desk.stash.add_scene(title=TITLE, files=["/data/港/“x”.mp4"])
    return desk


def environment(more):
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("LC_")},
        "COLUMNS": "80",
        **more,
    }


def run(commands, more):
    """Run each command in a process of its own; returns exit code and both streams of each."""
    if "LC_ALL" not in more:
        return run_in_forks(commands, more)
    # With names that are not UTF-8 the program restarts: only a program of its own can.
    done = [
        subprocess.run(
            [sys.executable, "-m", "stash2plex", *words],
            capture_output=True, check=False, timeout=120, env=environment(more),
        )
        for words in commands
    ]  # fmt: skip
    return [(one.returncode, one.stdout, one.stderr) for one in done]


def run_in_forks(commands, more):
    done = subprocess.run(
        [sys.executable, "-m", "tests.commands.in_forks"],
        input=json.dumps(commands).encode(), capture_output=True, check=True, timeout=120,
        env=environment(more),
    )  # fmt: skip
    return [
        (code, out.encode("latin-1"), err.encode("latin-1"))
        for code, out, err in json.loads(done.stdout)
    ]


@pytest.mark.parametrize(
    ("encoding", "terminal"),
    [*((name, False) for name in ENCODINGS), ("cp1252", True), ("ascii", True)],
)
def test_nothing_ends_in_a_traceback(named, encoding, terminal):
    more = {**ENCODINGS[encoding], **({"FORCE_COLOR": "1"} if terminal else {})}
    for words, (code, out, err) in zip(COMMANDS, run(COMMANDS, more), strict=True):
        assert b"Traceback" not in err, (words, err)
        assert code in (0, 1, 2), (words, err)
        assert out.decode(encoding) or err.decode(encoding), words


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_json_is_the_same_in_any_code_page(named, encoding):
    code, out, err = named.run("--json", "scene", "1")
    assert (code, err) == (0, "")
    value = json.loads(out)
    ((code, out, err),) = run([("--json", "scene", "1")], ENCODINGS[encoding])
    assert (code, err) == (0, b"")
    assert json.loads(out.decode("utf-8")) == value
    assert value["title"] == TITLE


def test_help_is_readable_everywhere(desk):
    helps = [("--help",), *((name, "--help") for name in cli.commands)]
    for code, out, _ in run(helps, {"PYTHONIOENCODING": "ascii"}):
        assert code == 0
        assert out.decode("ascii").lower().startswith("usage: ")


def test_letters_are_replaced_as_wide_as_they_are():
    prepare_streams()

    page = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    assert readable("“Größe” ő→… 港 😀", page) == "“Größe” o>… ?? ??"
    page = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    assert readable("“Größe” – café", page) == '"Gro?e" - cafe'


@pytest.mark.parametrize("words", [("status",), ("--json", "status"), ("scene", "1"), ("health",)])
def test_a_reader_that_has_seen_enough_ends_nothing_badly(named, words):
    for gone in ("stdout", "both"):
        read, write = os.pipe()
        os.close(read)
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "stash2plex", *words],
                stdout=write,
                stderr=subprocess.STDOUT if gone == "both" else subprocess.PIPE,
            )
            _, err = process.communicate(timeout=120)
        finally:
            os.close(write)
        assert not err
        assert process.returncode == 0


def test_a_reader_that_goes_early_is_no_error_to_show(desk):
    reading, writing = os.pipe()
    os.close(reading)
    process = started("status", stdout=writing)
    os.close(writing)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")


def test_closed_streams_swallow_what_is_written(named):
    done = subprocess.run(
        ["/bin/sh", "-c", '"$0" -m stash2plex status >&- 2>&-', sys.executable],
        check=False,
        timeout=120,
    )
    assert done.returncode == 0
