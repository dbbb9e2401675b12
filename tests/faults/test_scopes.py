"""A fault in one part of a server stops nothing else, and is named by that part.

The pairs are `stash2plex_testing.scopecases`; `docs/reference/faults.md` is written from them.
"""

from __future__ import annotations

import pytest

from stash2plex.errors import ENDPOINT, FIELD, ITEM, LIBRARY
from stash2plex_testing.plex import Fault, scopes
from stash2plex_testing.scopecases import (
    APPLIED,
    FAILS,
    GONE,
    LENIENT,
    NAMED,
    NO_COVER,
    PARTS,
    REJECTED,
    SCOPED,
    UNREAD,
    UNSENT,
    WAITS,
    WAITS_LIBRARY,
    scope_rows,
)
from stash2plex_testing.stash.faults import Fault as StashFault
from tests.faults.bench import PATIENT, SHORT

SLOW = ("the details of one item", "the row of one item in its list")
"""Parts of which an answer byte by byte is waited for several times."""

ROWS = [
    pytest.param(
        *row,
        id=f"{row[0].name}, {row[1].name}",
        marks=[pytest.mark.nightly]
        if row[0].name in SLOW and row[1].name == "an answer byte by byte"
        else [],
    )
    for row in scope_rows()
]
HASTY = 0.5
SCENES = 4


def test_every_fault_has_a_place_for_every_part():
    for part in PARTS:
        assert {*part.inside, *part.never} == {case.name for case in SCOPED}
        assert not {*part.inside} & {*part.never}


def place(bench, part, case, pairs):
    """Order the fault for the part; returns the items that are outside of it."""
    order = case.orders[part.server]
    if part.server == "Stash":
        bench.stash.faults.add(StashFault(times=None, path=r"^/scene/\d+/", **order))
        return pairs
    reach = {
        "the summary of every item": lambda: scopes.field("summary"),
        "the edits of one item": lambda: scopes.item(pairs[1][1], "edit"),
        "the details of one item": lambda: {
            **scopes.item(pairs[1][1], "read"),
            "path": r"^/library/metadata/[\d,]+$",
        },
        "the row of one item in its list": lambda: {
            **scopes.item(pairs[1][1], "read"),
            "path": "/all$",
        },
        "the uploads of posters": lambda: scopes.uploads("posters"),
        "the uploads of backgrounds": lambda: scopes.uploads("arts"),
        "one of two libraries": lambda: scopes.library(pairs[1][1].section),
    }[part.name]()
    bench.plex.faults.add(Fault(times=None, **{**reach, **order}))
    return [pair for pair in pairs if part.scope not in (ITEM, LIBRARY) or pair is not pairs[1]]


def fill(bench, part):
    pairs = [bench.add() for _ in range(SCENES)]
    if part.scope == LIBRARY:
        scene, item = pairs[1]
        bench.plex.remove_item(item)
        old = next(
            (one for one in bench.plex._library.sections.values() if one.title == "Old Harbour"),
            None,
        ) or bench.plex.add_section("Old Harbour", locations=["/old"])
        file = scene.files[0].path.replace("/data", "/old")
        pairs[1] = scene, bench.plex.add_item(old, file=file)
    return pairs


def drain(bench, run, pairs):
    run.queue.add_many([("scene", scene.id) for scene, _ in pairs])
    run.drain()
    for _ in range(2):
        run.clock.now += 5.0
        run.drain()


@pytest.mark.parametrize(("part", "case", "inside"), ROWS)
def test_a_fault_stays_in_its_part(bench, make_run, part, case, inside):
    pairs = fill(bench, part)
    order = case.orders[part.server]
    seconds = HASTY if order["kind"] in ("hang", "drip") else PATIENT
    if part.name in SLOW and seconds == HASTY:
        # Each halving waits once.
        seconds = SHORT
    bench.configure_plainly(seconds=seconds)
    run = make_run(seconds=seconds)
    outside = place(bench, part, case, pairs)
    drain(bench, run, pairs)
    missing = {
        "the uploads of posters": "posters",
        "the uploads of backgrounds": "arts",
    }.get(part.name)
    for scene, item in outside:
        assert item.title == scene.title
        assert item.tags["actor"] == [scene.performers[0].name]
        if part.scope != FIELD or inside == APPLIED:
            assert item.texts["summary"] == scene.details
        if part.server == "Plex":
            assert {*item.selected, missing or "posters"} == {"posters", "arts"}
    assert run.rows("SELECT cause FROM outage") == []
    assert bench.requests() <= 12 + 7 * SCENES + part.more
    assert_inside(run, part, inside, pairs)
    # Nothing is lost: once the part is well, all is there.
    bench.plex.faults.clear()
    bench.stash.faults.clear()
    for _ in range(3):
        run.clock.now += 700.0
        run.queue.redrive()
        run.drain(patience=300.0, horizon=30.0)
    assert run.rows("SELECT reason FROM queue UNION ALL SELECT reason FROM dead_letter") == []
    if inside not in (UNREAD, UNSENT, NO_COVER):
        for scene, item in pairs:
            assert (item.title, item.texts["summary"]) == (scene.title, scene.details)
            assert {*item.selected} == {"posters", "arts"}


def assert_inside(run, part, inside, pairs):
    """Check what became of the part, and that the message names it."""
    dead = run.rows("SELECT reason, error FROM dead_letter")
    queue = run.rows("SELECT attempts, snoozes, reason FROM queue")
    failures = [error for (error,) in run.rows("SELECT error FROM failure")]
    if inside in (APPLIED, LENIENT, UNREAD, UNSENT, NO_COVER):
        assert (queue, dead) == ([], [])
        if inside == UNSENT:
            assert any("was not" in line and part.names in line for line in run.heard.lines)
        return
    if inside == WAITS:
        assert (queue, dead) == ([], [])
        reasons = [state.reason for state in run.app.store.pictures.endpoints()]
        waits = [line for line in run.heard.lines if line.startswith("The pictures of scene ")]
        assert any(part.names in line for line in (*reasons, *waits))
        assert run.rows("SELECT count(*) FROM waiting_picture") == [(SCENES,)]
    elif inside == WAITS_LIBRARY:
        assert [attempts for attempts, _, _ in queue] == [0]
        assert any(part.names in error for error in (*failures, *run.heard.lines))
    elif inside in (GONE, NAMED):
        assert [(attempts, reason) for attempts, _, reason in queue] == [(0, "not_in_plex")]
        if inside == NAMED:
            assert len([line for line in run.heard.lines if part.names in line]) == 1
    else:
        assert inside in (FAILS, REJECTED)
        assert len(queue) + len(dead) == (SCENES if part.scope == FIELD else 1)
        assert all(attempts for attempts, _, _ in queue)
        if part.scope == FIELD:
            assert all(part.names in error for error in failures)
        else:
            ((title,),) = run.rows("SELECT DISTINCT title FROM failure")
            assert title == pairs[1][0].title
        if part.name == "the details of one item":
            assert all(part.names in error for error in failures)


def test_the_scopes_are_all_there():
    assert {part.scope for part in PARTS} == {FIELD, ITEM, ENDPOINT, LIBRARY}
