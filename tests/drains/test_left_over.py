"""What a task or a worker leaves to the next one, and what they share meanwhile."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from stash2plex.errors import ServerError, Stash2PlexError
from stash2plex.operations.runs import running
from stash2plex.sync.pipeline import PICTURE_THREADS, THREADS
from stash2plex.tasks import worker
from stash2plex.tasks.drain import drain
from stash2plex.tasks.task import Call
from tests.support import PATIENCE


@pytest.fixture
def started(monkeypatch):
    """Return the folders whose worker was started."""
    folders: list[str] = []

    def start(folder, *_):
        folders.append(folder)
        return True

    monkeypatch.setattr(worker, "start_worker", start)
    return folders


def press(desk, connection, **arguments):
    """Drain as a task does; returns its error."""
    call = Call(desk.app, arguments, connection, "", desk.app.logs.logger, io.StringIO())
    with (
        pytest.raises(Stash2PlexError) as failure,
        running(desk.app, "Process Queue", in_stash=False) as begun,
    ):
        drain(call, begun, "Process Queue")
    return failure.value


@pytest.mark.parametrize("in_stash", [True, False], ids=["in-Stash", "on-a-command-line"])
def test_what_a_task_leaves_at_an_outage_is_the_workers(make_desk, started, in_stash):
    desk = make_desk()
    desk.add(desk.scene("a/pier.mp4"))
    desk.plex.down()
    error = press(desk, {"Port": 1} if in_stash else {}, max_wait="5")
    assert isinstance(error, ServerError)
    assert "the background worker carries on without you" in str(error) or not in_stash
    assert started == ([desk.app.folder] if in_stash else [])


def test_no_request_waits_for_the_connection_of_another(make_desk):
    desk = make_desk()
    plex = desk.app.open_session().plex
    together = Barrier(THREADS + PICTURE_THREADS)
    routes = desk.plex._routes
    answered = routes.answer

    def answer(request):
        together.wait(PATIENCE)
        return answered(request)

    routes.answer = answer
    with ThreadPoolExecutor(together.parties) as pool:
        asked = [pool.submit(plex.sections) for _ in range(together.parties)]
    assert all(len(one.result()) == 1 for one in asked)
