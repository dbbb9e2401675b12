"""The command “probe-plex”: what it shows, why it asks nothing, and what it could not put back."""

from __future__ import annotations

import os
import sys
import time

import pytest

from stash2plex_testing.plex import Fault


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
