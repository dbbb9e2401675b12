"""Tasks are stopped whether Stash answers or not; the first run ends once Plex is set up."""

from __future__ import annotations

import pytest

from stash2plex.errors import ConfigError
from stash2plex.operations.holds import start_all, stop_runs
from tests.support import present


def test_tasks_are_stopped_even_where_stash_does_not_answer(make_desk):
    desk = make_desk()
    runs = desk.app.store.runs
    begun = runs.begin("Sync All Scenes", None, 20.0)
    desk.app.store.connection.execute(
        "UPDATE run SET job_id = 7, job_description = 'x' WHERE id = ?", (begun.id,)
    )
    desk.stash.down()
    (stopped,) = stop_runs(desk.app)
    assert (stopped.name, stopped.number) == ("Sync All Scenes", 0)
    assert desk.rows("SELECT state FROM run WHERE id = ?", begun.id) == [("stopped",)]


def test_the_first_run_does_not_end_without_a_plex(make_desk):
    desk = make_desk(plex_url="")
    with pytest.raises(ConfigError):
        start_all(desk.app)


def test_the_first_run_ends_with_the_task_of_that_button(make_desk):
    desk = make_desk()
    job = present(desk.stash.jobs.find(int(start_all(desk.app))))
    assert job.description == "Running plugin task: Sync All Scenes"
