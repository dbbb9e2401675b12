"""The code that attrs generates is compiled once, not at every start."""

from __future__ import annotations

import builtins
import os
import stat
import subprocess
import sys

import attrs
import pytest
from attr import _make

from stash2plex import generated_code
from stash2plex.generated_code import GeneratedCode

REPO = os.path.dirname(os.path.dirname(generated_code.__file__))
RECORD = """
import sys
sys.path.insert(0, {repo!r})
{before}
from stash2plex.generated_code import GeneratedCode
compiled = []
sys.addaudithook(lambda event, args: compiled.append(args[1]) if event == "compile" else None)
with GeneratedCode({folder!r}):
    import attrs
    Lantern = attrs.frozen(type("Lantern", (), {{"__annotations__": {{"pier": int}}}}))
    Buoy = attrs.frozen(type("Buoy", (), {{"__annotations__": {{"pier": int}}}}))
assert Lantern(1) == Lantern(1) != Lantern(2)
assert hash(Lantern(1)) == hash(Lantern(1)) != hash(Lantern(2))
assert Lantern(1) != Buoy(1)
assert repr(Lantern(3)) == "Lantern(pier=3)"
print(len([name for name in compiled if name and "attrs generated" in str(name)]))
"""


@pytest.fixture(autouse=True)
def written(monkeypatch):
    """Python may have been asked to keep no compiled files of the tests themselves."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


def start(folder, before=""):
    """Define two records in a new process; returns how many times their code was compiled."""
    script = RECORD.format(repo=REPO, folder=folder, before=before)
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True, check=True, text=True,
        env={"PATH": os.environ["PATH"], "PYTHONHASHSEED": "random"},
    )  # fmt: skip
    return int(done.stdout)


def test_the_second_process_compiles_none(tmp_path):
    folder = str(tmp_path / "bytecode")
    assert [start(folder), start(folder)] == [2, 0]
    (path,) = (tmp_path / "bytecode").iterdir()
    assert path.name == f"attrs.{sys.implementation.cache_tag}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_process_that_may_write_nothing_writes_nothing(tmp_path):
    folder = str(tmp_path / "bytecode")
    assert start(folder, "sys.dont_write_bytecode = True") == 2
    assert not os.path.exists(folder)
    assert start(None) == 2


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-1],
        lambda data: data[:5],
        lambda data: b"",
        lambda data: b"\0\0\0\0" + data[4:],
        lambda data: data[:40] + bytes([data[40] ^ 1]) + data[41:],
    ],
    ids=["cut off", "cut off in its head", "empty", "of another Python", "a bad byte"],
)
def test_a_file_that_cannot_be_used_is_written_anew(tmp_path, spoil):
    folder = str(tmp_path)
    start(folder)
    (path,) = tmp_path.iterdir()
    path.write_bytes(spoil(path.read_bytes()))
    assert [start(folder), start(folder)] == [2, 0]


def define(folder, name):
    """Define one record in this process; returns what was compiled."""
    compiled = []

    def count(source, filename, *rest, **named):
        compiled.append(filename)
        return builtins.compile(source, filename, *rest, **named)

    vars(generated_code)["compile"] = count
    try:
        with GeneratedCode(folder):
            made = attrs.define(type(name, (), {"__annotations__": {"pier": int}}))
    finally:
        del vars(generated_code)["compile"]
    assert made(3).pier == 3
    return len(compiled)


def test_what_one_process_needs_is_kept_beside_what_others_need(tmp_path):
    folder = str(tmp_path)
    assert [define(folder, name) for name in ("Lantern", "Buoy", "Lantern", "Buoy")] == [1, 1, 0, 0]


def test_codes_of_older_versions_go_when_they_are_many(tmp_path, monkeypatch):
    monkeypatch.setattr(generated_code, "CODES_LIMIT", 2)
    folder = str(tmp_path)
    names = ("Lantern", "Buoy", "Lantern", "Pier", "Pier", "Lantern")
    assert [define(folder, name) for name in names] == [1, 1, 0, 1, 0, 1]


def test_nothing_is_written_when_nothing_is_new(tmp_path):
    folder = str(tmp_path)
    define(folder, "Lantern")
    (path,) = tmp_path.iterdir()
    before = path.stat()
    define(folder, "Lantern")
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_folder_that_cannot_be_written_costs_nothing_else(tmp_path):
    (tmp_path / "taken").write_text("a file in the folder's place")
    folder = str(tmp_path / "taken" / "bytecode")
    assert [define(folder, "Lantern"), define(folder, "Lantern")] == [1, 1]
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_file_beyond_the_limit_is_not_read(tmp_path, monkeypatch):
    folder = str(tmp_path)
    define(folder, "Lantern")
    monkeypatch.setattr(generated_code, "SIZE_LIMIT", 100)
    assert define(folder, "Lantern") == 1


def test_attrs_compiles_for_itself_afterwards(tmp_path):
    define(str(tmp_path), "Lantern")
    assert "compile" not in vars(_make)
    with pytest.raises(ZeroDivisionError), GeneratedCode(str(tmp_path)):
        1 / 0  # noqa: B018 - any import may fail
    assert "compile" not in vars(_make)
