"""Each fault at each stage: its kind, what the user reads, the attempts, and that nothing is lost.

The cases are `stash2plex_testing.faultcases`; `docs/reference/faults.md` is written from them.
"""

from __future__ import annotations

import re

import pytest

from stash2plex_testing.faultcases import (
    BURIED,
    COUNTS,
    DONE,
    HELD,
    PLEX_UPLOAD,
    RETRIED,
    SAID,
    SNOOZED,
    STASH_COVER,
    STASH_FAN_OUT,
    STOPPED,
    WAITS,
    rows,
)
from stash2plex_testing.plex import Fault
from stash2plex_testing.stash.faults import Fault as StashFault
from tests.faults.bench import PATIENT, SHORT

ROWS = list(rows())


def end_of(run, summary):
    """Name how a key ended, the error's reason and what the user reads."""
    ((attempts, reason),) = run.rows(
        "SELECT attempts, reason FROM queue UNION ALL SELECT attempts, reason FROM dead_letter"
    ) or [(0, "")]
    if run.rows("SELECT 1 FROM dead_letter"):
        return BURIED, reason, run.rows("SELECT error FROM dead_letter")[0][0], attempts
    if summary.error is not None:
        ends = HELD if summary.error.reason == "unavailable" else STOPPED
        return ends, summary.error.reason, str(summary.error), attempts
    if run.rows("SELECT 1 FROM queue"):
        ((snoozes, said),) = run.rows("SELECT snoozes, error FROM queue, failure")
        return SNOOZED if snoozes else RETRIED, reason, said, attempts
    if run.rows("SELECT 1 FROM waiting_picture"):
        said = [line for line in run.heard.lines if line.startswith("The pictures of scene ")]
        return WAITS, "", said[0].partition(" s: ")[2], attempts
    warned = [line for line in run.heard.lines if line.startswith(("The cover", "The background"))]
    return (SAID, "", warned[0], 0) if warned else (DONE, "", "", 0)


def without_size(text):
    text = re.sub(r"\([^()]* \d+ bytes\)", "(…)", text)
    return re.sub(r"sent [\d,]+ bytes of \S+", "sent …", text)


@pytest.mark.parametrize(
    ("case", "stage", "order", "outcome"),
    ROWS,
    ids=[f"{case.name}, {stage.server} {stage.name}" for case, stage, *_ in ROWS],
)
def test_a_fault(bench, make_run, case, stage, order, outcome):
    scene, item = bench.add()
    if order["kind"] == "wrong_items":
        bench.add()
    seconds = SHORT if order["kind"] in ("hang", "drip") else PATIENT
    bench.configure_plainly(seconds=seconds)
    run = make_run(seconds=seconds)
    kind = "performer" if stage is STASH_FAN_OUT else "scene"
    run.queue.add(kind, scene.performers[0].id if kind == "performer" else scene.id)
    if stage.server == "Plex":
        bench.plex.faults.add(Fault(times=None, **stage.fits, **order))
    else:
        bench.stash.faults.add(StashFault(times=None, **stage.fits, **order))
    summary = run.drain(stopped=lambda: bench.requests() > 50)
    ends, reason, said, attempts = end_of(run, summary)
    server = bench.plex if stage.server == "Plex" else bench.stash
    expected = outcome.says.format(
        server=stage.server,
        at=server.url,
        deed=stage.deed,
        title=scene.title,
        path=scene.files[0].path,
        library=bench.section.title,
    ).format(scene=scene.id)
    assert (ends, without_size(said)) == (outcome.ends, expected)
    assert reason == outcome.reason
    assert attempts == COUNTS[outcome.ends]
    # Nothing is lost: once the server is well, and a person put the dead letter back, all is there.
    bench.plex.faults.clear()
    bench.stash.faults.clear()
    run.clock.now += 700.0
    run.queue.redrive()
    run.drain(patience=300.0, horizon=30.0, stopped=lambda: bench.requests() > 150)
    assert run.rows("SELECT count(*) FROM queue") == [(0,)]
    assert run.rows("SELECT count(*) FROM waiting_picture") == [(0,)]
    if order["kind"] not in ("malformed", "empty") or not stage.writes:
        assert item.title == scene.title
        spoilt = outcome.ends in (SAID, DONE) and stage in (PLEX_UPLOAD, STASH_COVER)
        assert len(item.images) == 2 or spoilt
    assert bench.plex.whole_library_edits == 0
    assert len(bench.plex.requests) < 30
