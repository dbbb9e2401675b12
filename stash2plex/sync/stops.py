"""Distinguishes a task that the user stopped from one that crashed, and holds a stopped one's keys.

On Stop, Stash kills a task's process as a crash would, but it remembers the job. A stopped job is
CANCELLED, while one whose process died is FINISHED; a restarted Stash no longer knows the job
(stash.md §4.1, §4.3). Unless it certainly was a stop, the keys go on.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from stash2plex.errors import ServerError
from stash2plex.model import Clock, TaskJob
from stash2plex.servers.jobs import TASK_DESCRIPTION
from stash2plex.servers.stash import Stash
from stash2plex.store.runs import Run, Runs
from stash2plex.text import count

ASK_SECONDS = 1.0
"""Seconds between two requests to Stash while a run of another process is open."""

STALE_SECONDS = 3.0
"""If the last answer is older than this many seconds, nothing is claimed before the next."""


def own_job(jobs: Iterable[TaskJob], names: Iterable[str]) -> TaskJob | None:
    """Return the running job with one of these names: Stash runs one task at a time."""
    wanted = [TASK_DESCRIPTION + name for name in names]
    return next(
        (job for job in jobs if job.status == "RUNNING" and job.description in wanted), None
    )


def settle(runs: Runs, opened: Iterable[Run], jobs: Iterable[TaskJob]) -> int:
    """Decide what became of open runs by Stash's jobs; returns how many keys were put on hold.

    A run whose job is not over stays open.
    """
    known = {job.id: job for job in jobs}
    held = 0
    for run in opened:
        job = known.get(run.job.id) if run.job else None
        if run.job is None or (job is not None and job.runs and job.is_same(run.job)):
            continue
        if job is not None and job.stopped and job.is_same(run.job):
            number = runs.stop(run.id)
            if number is not None:
                held += number
                words = count(number, "scene")
                logging.getLogger(__name__).info("“%s” was stopped; %s on hold.", run.name, words)
        else:
            runs.lose(run.id)
    return held


def look(runs: Runs, stash: Stash, besides: int = 0) -> int:
    """Ask Stash at once about every open run of its jobs; returns how many keys were put on hold.

    If Stash does not answer, nothing is settled.
    """
    opened = runs.in_jobs(besides)
    if not opened:
        return 0
    try:
        jobs = stash.find_jobs([run.job.id for run in opened if run.job])
    except ServerError:
        return 0
    return settle(runs, opened, jobs)


class StopWatch:
    """Watches the jobs of other processes' runs while a drain goes on, without holding it up.

    `besides` is the drain's own run.
    """

    def __init__(self, runs: Runs, monotonic: Clock, besides: int) -> None:
        self._runs = runs
        self._monotonic = monotonic
        self._besides = besides
        self._asked_at: float | None = None
        self._answered_at: float | None = None
        self._opened: list[Run] = []
        self._answer: Future[list[TaskJob]] | None = None
        self._pool: ThreadPoolExecutor | None = None

    def step(self, stash: Stash) -> bool:
        """Handle an answer that arrived, and ask again if that is due.

        Returns True about once a second, because another process may have held keys, and when this
        one just did.
        """
        now = self._monotonic()
        held = 0
        if self._answer is not None:
            if not self._answer.done():
                return False
            held = self._take(self._answer)
        if self._asked_at is not None and now - self._asked_at < ASK_SECONDS:
            return held > 0
        self._asked_at = now
        self._opened = self._runs.in_jobs(self._besides)
        if not self._opened:
            self._answered_at = now
            return True
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="stops")
        ids = [run.job.id for run in self._opened if run.job]
        self._answer = self._pool.submit(stash.find_jobs, ids)
        return True

    def be_sure(self, stash: Stash) -> None:
        """Ask at once if the last answer is old: stopped keys must not be claimed."""
        now = self._monotonic()
        is_old = self._answer is None and now - (self._answered_at or 0.0) >= STALE_SECONDS
        if self._answered_at is None or is_old:
            self._answered_at = now
            look(self._runs, stash, self._besides)

    def close(self) -> None:
        """End. An answer that arrives meanwhile counts, because Stash drops its jobs."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None
        if self._answer is not None and not self._answer.cancelled():
            self._take(self._answer)

    def _take(self, answer: Future[list[TaskJob]]) -> int:
        self._answer = None
        self._answered_at = self._monotonic()
        try:
            jobs = answer.result()
        except ServerError:
            # An unknown job was not stopped. The drain's gate reports a Stash that is out of reach.
            return 0
        return settle(self._runs, self._opened, jobs)
