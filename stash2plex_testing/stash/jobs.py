"""The job queue: one job at a time, for everything, in memory only (stash.md §4)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from stash2plex_testing.stash.process import PluginProcess, Progress

REMEMBERED = 10
"""Finished jobs that `findJob` still knows (stash.md §4.1)."""

DONE = ("FINISHED", "CANCELLED", "FAILED")


class JobError(Exception):
    """The job could not be done at all; its text becomes the job's error."""


class Job:
    """A job. Times are in epoch seconds, None until they come."""

    def __init__(self, id_: int, description: str, work: Callable[[Job], None], now: float) -> None:
        self.id = id_
        self.description = description
        self.status = "READY"
        self.error: str | None = None
        self.output: Any = None
        self.log: list[str] = []
        self.add_time = now
        self.start_time: float | None = None
        self.end_time: float | None = None
        self.work = work
        self.cancelled = threading.Event()
        self.finished = threading.Event()
        self.process: PluginProcess | None = None
        self._progress = Progress()

    @property
    def progress_values(self) -> list[float]:
        """Every accepted progress value, clamped to 0..1."""
        return self._progress.values

    @property
    def progress_updates(self) -> list[float]:
        """What a subscriber would have received: one value per 100 ms, and the last one."""
        return self._progress.updates

    @property
    def progress(self) -> float | None:
        """The newest value; None while it is indefinite."""
        return self._progress.values[-1] if self._progress.values else None

    def set_progress(self, value: float) -> None:
        """Record a progress value."""
        self._progress.put(value)

    def end_progress(self) -> None:
        """Send the last update."""
        self._progress.finish()

    def cancel(self) -> None:
        """Ask a running job to stop: its process gets SIGKILL."""
        self.cancelled.set()
        if self.process is not None:
            self.process.kill()

    def wait(self, timeout: float = 10.0) -> Job:
        """Wait until the job has ended. Raises TimeoutError after `timeout` seconds."""
        if not self.finished.wait(timeout):
            raise TimeoutError(f"Job {self.id} is still {self.status} after {timeout} s.")
        return self


class JobQueue:
    """First in, first out, one dispatcher thread."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._condition = threading.Condition()
        self._waiting: list[Job] = []
        self._running: Job | None = None
        self._done: list[Job] = []
        self._last = 0
        self._thread: threading.Thread | None = None
        self._closing = False

    def add(self, description: str, work: Callable[[Job], None]) -> Job:
        """Queue a job. `work` runs on the dispatcher's thread."""
        with self._condition:
            self._last += 1
            job = Job(self._last, description, work, self._clock())
            self._waiting.append(job)
            self._condition.notify_all()
            return job

    def queue(self) -> list[Job]:
        """List the running job and those that wait."""
        with self._condition:
            return [*([self._running] if self._running else []), *self._waiting]

    def find(self, id_: int) -> Job | None:
        """Find a job that is queued or among the last ten finished ones."""
        with self._condition:
            jobs = [*self.queue(), *self._done[-REMEMBERED:]]
        return next((job for job in jobs if job.id == id_), None)

    def stop(self, id_: int) -> None:
        """Remove a waiting job, or kill the running one (stash.md §4.3)."""
        with self._condition:
            for job in self._waiting:
                if job.id == id_:
                    self._waiting.remove(job)
                    self._end(job, "CANCELLED")
                    return
            running = self._running
            if running is None or running.id != id_:
                return
            running.status = "STOPPING"
        running.cancel()

    def stop_all(self) -> None:
        """Stop every job."""
        for job in reversed(self.queue()):
            self.stop(job.id)

    def open(self) -> None:
        """Start the dispatcher. After a `close`, numbers begin at 1: jobs live in memory only."""
        with self._condition:
            if self._thread is None:
                if self._closing:
                    self._done, self._last = [], 0
                self._closing = False
                self._thread = threading.Thread(target=self._dispatch, name="fake-stash-jobs")
                self._thread.start()

    def close(self) -> None:
        """Clear the queue, stop the running job and wait for the dispatcher."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
            thread, self._thread = self._thread, None
        self.stop_all()
        if thread is not None:
            thread.join()

    def _end(self, job: Job, status: str) -> None:
        job.status, job.end_time = status, self._clock()
        job.end_progress()
        self._done.append(job)
        del self._done[:-1000]
        job.finished.set()

    def _dispatch(self) -> None:
        while True:
            with self._condition:
                while not self._waiting and not self._closing:
                    self._condition.wait()
                if self._closing:
                    return
                job = self._running = self._waiting.pop(0)
                job.status, job.start_time = "RUNNING", self._clock()
            status = "FINISHED"
            try:
                job.work(job)
            except JobError as error:
                status, job.error = "FAILED", str(error)
            except Exception as error:  # noqa: BLE001 - a job's outermost edge: a panic fails it (§4.1)
                status, job.error = "FAILED", f"panic: {error!r}"
            with self._condition:
                self._running = None
                # A job that failed stays so, stopped or not (pkg/job/manager.go, onJobFinish).
                stopped = job.cancelled.is_set() and status != "FAILED"
                self._end(job, "CANCELLED" if stopped else status)
