"""What every task does around its work: what happened is reported once; why it cannot begin."""

from __future__ import annotations

import time
from typing import Any

import pytest

from stash2plex.errors import StoreUnavailable, Unavailable
from stash2plex.store.notices import note_trouble
from stash2plex.tasks import run
from stash2plex.tasks.run import run_task
from stash2plex.tasks.task import Task


@pytest.fixture
def press(make_desk, monkeypatch, capfd):
    """Run a task during which the worker meets something; returns what the log shows."""
    desk = make_desk()
    # A task reads the clock of the machine.
    desk.clock.now = time.time()

    def pressed(button, *, reports, before=lambda _: None, meets=lambda _: None):
        before(desk.app.store)

        def work(call):
            meets(call.app.store)
            return "done"

        task = Task("test", button, work, "Test", reports=reports)
        monkeypatch.setattr(run, "find_task", lambda _: task)
        request = {
            "args": {"mode": "test"},
            "server_connection": {"Port": desk.stash.port, "Dir": desk.folder},
        }
        monkeypatch.setenv("STASH2PLEX_DATA_DIR", desk.app.folder)
        answers: list[Any] = []
        assert run.run_task(request, desk.folder, answers.append) == 0
        assert answers == [{"output": "done"}]
        return capfd.readouterr().err

    return pressed


def outage(store):
    store.breakers["plex"].failed(Unavailable("Plex", "Plex rests.", retry_after=60.0), 3)


@pytest.mark.parametrize("reports", [True, False])
def test_what_happened_before_a_task_is_reported_once(press, reports):
    assert press("A button", reports=reports, before=outage).count("Plex rests.") == 1
    assert "Plex rests." not in press("A button", reports=reports)


def test_what_happens_during_a_task_is_reported_at_its_end(press):
    assert press("A button", reports=False, meets=outage).count("Plex rests.") == 1
    assert "Plex rests." not in press("A button", reports=False)


def test_a_task_that_reports_itself_is_not_repeated(press):
    assert "Plex rests." not in press("A button", reports=True, meets=outage)
    assert "Plex rests." not in press("A button", reports=False)


def test_an_operation_leaves_the_news_to_the_next_task(press):
    assert "Plex rests." not in press("", reports=False, meets=outage)
    assert press("A button", reports=False).count("Plex rests.") == 1


def test_a_setting_that_cannot_be_used_is_left_to_a_task_that_reports_it(press):
    def trouble(store):
        note_trouble(store.connection, "Setting plex_url is odd.")

    assert "plex_url is odd" in press("A button", reports=False, meets=trouble)
    assert "plex_url is odd" not in press("A button", reports=True, before=trouble)


def test_a_task_that_cannot_open_the_database_fails_with_why(tmp_path):
    (tmp_path / "stash2plex").write_text("a file in the folder's place")
    request = {
        "args": {"mode": "all"},
        "server_connection": {"Dir": str(tmp_path), "Host": "127.0.0.1", "Port": 9},
    }
    with pytest.raises(StoreUnavailable):
        run_task(request, str(tmp_path), print)
