"""Where file names are not UTF-8, a command starts again with those that are."""

from __future__ import annotations

import os
import sys

import pytest

from stash2plex.cli.file_names import restart_with_utf8_names


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
