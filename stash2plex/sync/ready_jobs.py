"""The jobs that wait for their write, and which of them one edit can carry."""

from __future__ import annotations

from collections import deque

from stash2plex.sync.session import Job
from stash2plex.sync.undoing import UndoJob
from stash2plex.sync.writes import SHARED_LIMIT
from stash2plex.workqueue import URGENT


class ReadyJobs:
    """A queue of jobs; urgent ones go before bulk ones."""

    def __init__(self) -> None:
        self._jobs: deque[Job | UndoJob] = deque()

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, job: Job | UndoJob) -> None:
        """Queue a job for its write."""
        if job.claim.priority == URGENT:
            place = sum(waiting.claim.priority == URGENT for waiting in self._jobs)
            self._jobs.insert(place, job)
        else:
            self._jobs.append(job)

    def take(self, *, single: bool) -> list[Job | UndoJob]:
        """Take the next job, and unless `single` all that wait for exactly the same change."""
        first = self._jobs.popleft()
        if first.shared is None or single:
            return [first]
        others = [job for job in self._jobs if job.shared == first.shared][: SHARED_LIMIT - 1]
        if others:
            taken = {job.claim.key for job in others}
            self._jobs = deque(job for job in self._jobs if job.claim.key not in taken)
        return [first, *others]

    def take_all(self) -> list[Job | UndoJob]:
        """Take every job."""
        jobs, self._jobs = self._jobs, deque()
        return list(jobs)
