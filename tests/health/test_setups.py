"""Broken set-ups: the health line that names each, and no check that fails without one."""

from __future__ import annotations

import copy
import json
import os
import sys
import tempfile

import pytest

from stash2plex.db import set_meta
from stash2plex.errors import ConfigError
from stash2plex.operations.health.checks import failed_with
from stash2plex.operations.health.local_checks import check_saves, measure_start
from stash2plex.operations.health.report import NAMES
from stash2plex.ui.lines.health import check_lines, health_lines, health_sentence
from stash2plex_testing.patient import (
    Patient,
    forgotten,
    nothing,
    plex_is_off,
    waiting_for_plex,
    works_with,
)
from stash2plex_testing.setups import SETUPS, Setup, examine
from stash2plex_testing.world import World
from tests.support import present
from tools.build_screens import DOCS, cell, setup_row


def page():
    with open(os.path.join(DOCS, "reference", "health.md"), encoding="utf-8") as file:
        return file.read()


@pytest.mark.parametrize("setup", SETUPS, ids=lambda setup: setup.name)
def test_a_broken_set_up_is_named_by_its_check(setup):
    checks = examine(setup)
    assert tuple(check.name for check in checks) == NAMES
    named = next(check for check in checks if check.name == setup.check)
    assert not named.ok
    said = f"{named.detail} {named.fix}"
    for words in setup.says:
        assert words in said
    # One cause counts once: what follows from it is skipped.
    assert {check.name for check in checks if not check.ok} == {setup.check, *setup.also}
    assert health_sentence(checks).startswith(f"{1 + len(setup.also)} of {len(NAMES)} checks need")
    assert setup_row(setup, checks) in page(), "run make docs"
    for check in checks:
        assert check.ok or check.fix
        assert "\n" not in check.detail + (check.fix or "")


@pytest.mark.parametrize("scenes", [0, 12])
def test_a_fresh_install_needs_nobody(scenes):
    checks = examine(Setup("All is well", "", (), nothing, scenes=scenes))
    assert {check.state for check in checks} == {"passed"}
    yet = [check.name for check in checks if check.detail.startswith("Nothing yet: ")]
    first = [] if scenes else ["edit rights", "matches", "path mapping"]
    assert yet == [*first, "last sync", "what Plex keeps", "cost of a save"]
    assert health_sentence(checks) == f"All {len(NAMES)} checks pass."
    assert health_lines(checks) == []


def test_an_outage_is_one_cause_with_its_consequences_skipped():
    def spoil(patient):
        waiting_for_plex(patient)
        forgotten(patient)
        plex_is_off(patient)

    checks = examine(Setup("Plex is off for long", "", (), spoil))
    states = {check.name: check.state for check in checks}
    assert [name for name, state in states.items() if state == "failed"] == ["Plex"]
    assert {states[name] for name in ("Plex token", "matches", "circuit breaker", "queue")} == {
        "skipped"
    }
    shown = {check.name: check.detail for check in checks}
    assert shown["circuit breaker"].startswith("Waiting for Plex since")
    assert shown["circuit breaker"].endswith("It follows from “Plex”.")
    (line,) = health_lines(checks)
    assert line.startswith("1 of 1: Plex: Plex at http://127.0.0.1:")
    assert "can only be checked after that" in health_sentence(checks)
    assert {line.split()[0] for line in check_lines(checks)} == {"pass", "FAIL", "skip"}


SLOW = {"python": "/opt/python/bin/python3", "ms": [90, 84, 86, 300, 85], "start_ms": [74] * 5}


@pytest.mark.parametrize(
    ("value", "alone", "says"),
    [
        (SLOW, 0.012, "about 62 ms of that pass before Python starts"),
        (SLOW, 0.030, ""),
        (SLOW, None, ""),
        ({**SLOW, "start_ms": [74, 74, 15, 74, 74]}, 0.012, ""),
        ({**SLOW, "ms": [90], "start_ms": [74]}, 0.012, ""),
    ],
    ids=["a shim", "a slow machine", "no such Python", "busy for a while", "one sample"],
)
def test_what_a_save_costs_and_what_stands_before_python(value, alone, says):
    with tempfile.TemporaryDirectory() as folder, World(folder) as world:
        app = Patient(world, works_with(world), folder + "/data").open()
        set_meta(app.store.connection, "hook_cost", f"0 {json.dumps(value)}")
        check = check_saves(app, lambda _: alone)
        app.close()
    assert check.detail.startswith(f"A save waits {sorted(value['ms'])[len(value['ms']) // 2]} ms")
    assert (check.state, says in check.detail) == ("failed" if says else "passed", True)
    fix = "Put “/opt/python/bin/python3” into Settings > System > Python Executable Path."
    assert check.fix == (fix if says else None)


def test_an_interpreter_is_measured_or_it_is_not():
    assert present(measure_start(sys.executable)) > 0
    assert measure_start("/nowhere/python3") is None


def test_a_set_up_that_works_passes():
    checks = examine(Setup("All is well", "", (), nothing))
    shown = {check.name: check.detail for check in checks}
    assert (
        shown["matches"]
        == "12 of 12 scenes looked at have a Plex item (100 %). Stash has 12 scenes."
    )
    assert "“/data” is “/media/library” in Plex (12 of 12)" in shown["path mapping"]
    for check in checks:
        assert f"| {check.name} | {cell(check.detail)} |" in page(), "run make docs"
    assert shown["edit rights"] == "The token may edit (tried with an edit that changes nothing)."


def test_the_edit_that_changes_nothing_names_one_item_and_changes_none():
    with tempfile.TemporaryDirectory() as folder, World(folder) as world:
        world.fill(3)
        item = world.plex.all_items()[0]
        for locked in (set(), {"title"}):
            item.locked = set(locked)
            before = copy.deepcopy(vars(item) | {"section": None})
            patient = Patient(world, works_with(world), folder + "/data")
            world.plex.clear_log()
            patient.health()
            (edit,) = [one for one in world.plex.requests if one.method != "GET"]
            assert edit.query == {
                "type": ["1"], "id": [str(item.rating_key)], "title.locked": [str(len(locked))]
            }  # fmt: skip
            after = vars(item) | {"section": None}
            assert {name for name in after if after[name] != before[name]} <= {"updated_at"}
        assert world.plex.whole_library_edits == 0


def test_the_report_leaves_the_index_to_the_drain():
    with tempfile.TemporaryDirectory() as folder, World(folder) as world:
        world.fill(3)
        patient = Patient(world, works_with(world), folder + "/data")
        assert patient.health()
        app = patient.open()
        assert (app.store.plex_files.size(), app.store.plex_files.titles()) == (0, [])
        app.close()


def test_the_report_is_bounded_in_requests():
    with tempfile.TemporaryDirectory() as folder, World(folder) as world:
        world.fill(300)
        patient = Patient(world, works_with(world), folder + "/data")
        world.stash.clear_log()
        patient.health()
        assert world.stash.graphql_count <= 3
        assert len(world.plex.requests) <= 10


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (ConfigError("It is full.", "Free some disk space."), "Free some disk space."),
        (ConfigError("It is full."), "look there"),
    ],
)
def test_the_cure_that_an_error_brings_goes_before_the_usual_one(error, fix):
    check = failed_with("disk", error, "look there")
    assert (check.detail, check.fix, check.exit_code) == ("It is full.", fix, 2)
    assert check.as_json()["fix"] == fix
