"""Whole answers about what was done and what Plex keeps of it, and about the cost of a save."""

from __future__ import annotations

import json

import pytest

from stash2plex.app import App
from stash2plex.db import set_meta
from stash2plex.model import Field
from stash2plex.operations.health.checks import failed, passed
from stash2plex.operations.health.kept_checks import check_kept
from stash2plex.operations.health.local_checks import check_saves, check_sync
from stash2plex.rules.sweep_schedule import Marks
from stash2plex.rules.traits import Trait
from stash2plex.store.marks import save_marks
from stash2plex.text import local, utc
from tests.harness.in_process import Desk

NOW = 1_800_000_000.0


# -- what was done ------------------------------------------------------------------------


def record(app: App, scene_id: int, synced_at: float) -> None:
    app.store.connection.execute(
        "INSERT INTO scene_record (scene_id, rating_key, section_id, plex_path, matched_by,"
        " fingerprint, written, synced_at) VALUES (?, '7', '1', '/a', 'path', 'f', '{}', ?)",
        (scene_id, synced_at),
    )


def test_the_last_sync_the_last_sweep_and_the_last_comparison(app):
    record(app, 1, NOW - 900)
    words = f"1 scene in sync, the last at {local(NOW - 900)}."
    assert check_sync(app) == passed("last sync", words)
    record(app, 2, NOW - 800)
    words = f"2 scenes in sync, the last at {local(NOW - 800)}."
    app.store.reports.keep(NOW - 700, {"started_at": utc(NOW - 700)})
    compared = f" Last compared with Plex at {local(NOW - 700)}."
    assert check_sync(app) == passed("last sync", words + compared)
    save_marks(app.store.connection, Marks(NOW - 50, NOW - 600))
    swept = f" Last full sweep at {local(NOW - 600)}."
    assert check_sync(app) == passed("last sync", words + swept + compared)
    assert check_kept(app) == passed("what Plex keeps", "Plex keeps everything as it was sent.")


SAMPLES = {"python": "/opt/python3", "ms": [90, 84, 86, 300, 85], "start_ms": [80, 74, 90, 99, 77]}


@pytest.mark.parametrize(
    ("start_ms", "alone", "before"),
    [
        # 40 ms more than Python alone, and three times as long: that far a busy machine gets.
        ([60] * 5, 0.020, "40"),
        ([60] * 5, 0.0201, None),
        ([63] * 5, 0.0209, "42"),
        ([62] * 5, 0.021, None),
        ([40] * 5, 0.0, "40"),
        ([39] * 5, -0.01, None),
        ([99, 80, 74, 90, 77], 0.010, "64"),
    ],
)
def test_a_program_before_python_is_suspected_at_its_limits(app, start_ms, alone, before):
    asked: list[str] = []

    def start(python: str) -> float:
        asked.append(python)
        return alone

    keep_cost(app, {**SAMPLES, "start_ms": start_ms})
    words = "A save waits 86 ms for Stash2Plex"
    assert check_saves(app, start) == (
        passed("cost of a save", f"{words}.")
        if before is None
        else failed(
            "cost of a save",
            f"{words}; about {before} ms of that pass before Python starts, because Stash finds "
            "Python through another program, such as a version manager.",
            "Put “/opt/python3” into Settings > System > Python Executable Path.",
            1,
        )
    )
    assert asked == ([] if min(start_ms) < 40 else ["/opt/python3"])


def keep_cost(app: App, value: dict[str, object]) -> None:
    set_meta(app.store.connection, "hook_cost", f"0 {json.dumps(value)}")


# -- what Plex keeps ----------------------------------------------------------------------


def test_fields_that_plex_loses_are_named_until_they_are_skipped(tmp_path):
    with Desk(str(tmp_path)) as desk:
        traits = desk.app.store.traits
        traits.adopt("1.41")
        traits.learn(
            [(Trait.LOSES, Field.STUDIO), (Trait.ROUNDS, None), (Trait.CUTS, Field.SUMMARY)]
        )
        desk.clock.step(1)
        traits.learn([(Trait.LOSES, Field.TITLE), (Trait.CUTS, Field.TITLE)])
        known = "Known about this Plex server: it shortens summary, title; it rounds ratings."
        for skipped, named in (("poster", "studio, title"), ("studio", "title")):
            desk.restart(skip_fields=skipped)
            assert check_kept(desk.app) == failed(
                "what Plex keeps",
                f"Plex accepts these fields but does not keep them: {named}. {known}",
                f"Update Plex, or put “{named.replace(',', '')}” into Skip fields so that they are "
                "not sent.",
                1,
            )
        desk.restart(skip_fields="studio title")
        assert check_kept(desk.app) == passed("what Plex keeps", known)


def test_fields_that_plex_loses_are_named_without_settings_too(app):
    app.store.traits.adopt("1.41")
    app.store.traits.learn([(Trait.LOSES, Field.STUDIO)])
    assert check_kept(app) == failed(
        "what Plex keeps",
        "Plex accepts these fields but does not keep them: studio.",
        "Update Plex, or put “studio” into Skip fields so that they are not sent.",
        1,
    )


@pytest.mark.parametrize(("scenes", "shown"), [((1,), "1 scene"), ((1, 2), "2 scenes")])
def test_scenes_that_are_left_out_by_now_fail_nothing(app, scenes, shown):
    rows = app.store.connection
    for scene_id in scenes:
        rows.execute(
            "INSERT INTO first_state (rating_key, server, scene_id, section_id, path, at)"
            " VALUES (?, '', ?, '1', '/a', 1.0)",
            (str(scene_id), scene_id),
        )
        rows.execute("INSERT INTO scene (id, standing) VALUES (?, 'excluded')", (scene_id,))
        rows.execute(
            "INSERT INTO plex_file (rating_key, path, section_id, name, folder, listing)"
            " VALUES (?, '/a', '1', 'a', '/', 1)", (str(scene_id),),
        )  # fmt: skip
    assert check_kept(app) == passed(
        "what Plex keeps",
        f"{shown} left out by now, by an excluded tag, not organized, or deleted in Stash: Plex "
        "still shows what was written before. “stash2plex undo --left-out” puts that back.",
    )
