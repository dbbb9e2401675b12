"""Mistakes of our own: they cost one key or one task, leave a trace, and lose nothing."""

from __future__ import annotations

import json
import os
from contextlib import closing

from stash2plex.db import connect
from stash2plex.lock import drain_runs
from stash2plex.plugin import write_answer
from stash2plex.tasks.run import run_task
from stash2plex_testing.stash import picture


def test_a_fault_of_its_own_in_a_task_is_an_answer_and_a_trace(bench, tmp_path, capfd):
    folder = tmp_path / "stash2plex"
    folder.mkdir()
    with closing(connect(str(folder / "stash2plex.db"))) as database:
        # Nobody writes such a time; it stands for a mistake in the program.
        database.execute(
            "INSERT INTO outage (server, started_at, cause, waiting) VALUES ('plex', 'once', '', 0)"
        )
    request = {
        "args": {"mode": "process_queue"},
        "server_connection": {"Port": bench.stash.port, "Dir": str(tmp_path)},
    }
    mask = os.umask(0o077)
    try:
        assert run_task(request, str(tmp_path), write_answer) == 1
    finally:
        os.umask(mask)
    said = capfd.readouterr()
    assert json.loads(said.out) == {
        "error": "Stash2Plex has a fault (TypeError); the log has the details."
    }
    assert "A fault in Stash2Plex" in said.err
    assert "Traceback" in said.err
    assert not drain_runs(str(folder))


def test_a_fault_of_its_own_costs_the_key_that_met_it(bench, make_run):
    bench.configure_plainly(preserve_plex_edits=True)
    pairs = [bench.add() for _ in range(3)]
    run = make_run()
    keys = [("scene", scene.id) for scene, _ in pairs]
    run.queue.add_many(keys)
    run.drain()
    for number, (scene, _) in enumerate(pairs):
        scene.title, scene.cover = f"Again {number}", picture(100 + number)
        scene.updated_at = "2027-03-01T00:00:00Z"
    bad = pairs[1][0].id
    # Nobody writes such a hash; it stands for a mistake in the program.
    run.app.store.connection.execute(
        "UPDATE scene_record SET poster_hash = x'00' WHERE scene_id = ?", (bad,)
    )
    run.queue.add_many(keys)
    run.drain(horizon=10_000.0)
    assert run.rows("SELECT id, reason FROM dead_letter") == [(bad, "fault")]
    assert run.rows("SELECT error FROM dead_letter")[0][0].startswith("TypeError: “")
    assert run.rows("SELECT count(*) FROM queue") == [(0,)]
    assert [item.title for _, item in pairs[::2]] == ["Again 0", "Again 2"]
    assert "A fault in Stash2Plex:" in run.heard.lines
