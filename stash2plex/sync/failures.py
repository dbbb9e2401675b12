"""What follows a request that failed: for its keys together, or for each of them alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar

from attrs import evolve

from stash2plex.db import transaction
from stash2plex.errors import FIELD, ITEM, LIBRARY, SERVER, ConfigError, ServerError
from stash2plex.rules.scopes import known_scope
from stash2plex.sync.in_hand import KeysInHand
from stash2plex.sync.judge import Judge
from stash2plex.sync.picture_lane import PictureLane
from stash2plex.sync.session import Job, Session, Store
from stash2plex.sync.writes import can_be_parted
from stash2plex.workqueue import Claim


class Claimed(Protocol):
    """A part of a batch: a key, or its scene at some stage."""

    @property
    def claim(self) -> Claim:
        """The claim that it is worked on with."""


P = TypeVar("P", bound=Claimed)


class Failures:
    """Ends the keys of a failed request, or has them tried again in smaller parts.

    `doubt` is called with a setting that no longer fits a server, `make_ready` with a job whose
    edit is to be sent once more. Belongs to the thread of the database. Call `use` first.
    """

    _session: Session

    def __init__(
        self,
        store: Store,
        hand: KeysInHand,
        judge: Judge,
        lane: PictureLane,
        doubt: Callable[[ConfigError], None],
        make_ready: Callable[[Job], None],
    ) -> None:
        self._store = store
        self._hand = hand
        self._judge = judge
        self._lane = lane
        self._doubt = doubt
        self._make_ready = make_ready

    def use(self, session: Session) -> None:
        """Decide by this session's settings from now on."""
        self._session = session
        self._judge.use(session)

    def of_batch(
        self,
        deed: str,
        mark: int,
        parts: Sequence[P],
        separate: Callable[[Sequence[P]], None],
        error: Exception,
    ) -> None:
        """Find out which key makes a request for several fail, unless it is the server.

        `mark` is what the evidence gave for the deed when the request began. `separate` starts the
        request again for some of the parts.
        """
        jobs = [part for part in parts if isinstance(part, Job)]

        def judged(scope: str, cause: Exception) -> None:
            if scope == ITEM and len(parts) > 1:
                middle = len(parts) // 2
                for half in (parts[:middle], parts[middle:]):
                    separate(half)
            elif scope == LIBRARY and len(jobs) > 1:
                for job in jobs:
                    # Each waits under its own title.
                    self.of_write(mark, job, error)
            elif len(jobs) == 1:
                self._write_failed(jobs[0], scope, cause)
            else:
                self.of_keys([part.claim for part in parts], cause, scope)

        if jobs:
            self._judge.judge_write(error, mark, jobs, judged)
        else:
            self._judge.judge(error, deed, mark, (), judged)

    def of_write(self, mark: int, job: Job, error: Exception) -> None:
        """Find out how far the failure of one job's edit reaches, and act on that.

        `mark` is what the evidence gave for edits when the edit began.
        """
        self._judge.judge_write(error, mark, [job], partial(self._write_failed, job))

    def of_followers(self, job: Job, error: Exception, section_id: str) -> None:
        """End a job whose own item Plex took, but not one that follows it, of another library."""
        cause = self._judge.of_library(error, section_id, job.scene.label)
        # Plex took the scene's own item just now.
        self.of_keys([job.claim], cause, known_scope(cause) or ITEM)

    def of_keys(self, claims: Sequence[Claim], error: Exception, scope: str | None = None) -> None:
        """End keys that failed together; `scope` is how far the failure reaches, if known."""
        if isinstance(error, ConfigError):
            self._doubt(error)
        scope = scope or known_scope(error) or SERVER
        self._hand.fail(claims, error, self._session.settings, scope)

    def _write_failed(self, job: Job, scope: str, error: Exception) -> None:
        """Send the edit of one item field by field if its failure is about that item."""
        may_part = scope == ITEM and isinstance(error, ServerError) and not job.parted
        if may_part and can_be_parted(job, preserve=self._session.settings.preserve_plex_edits):
            self._make_ready(evolve(job, shared=None, parted=True))
            return
        if scope == FIELD and (record := self._store.records.get(job.scene.id)):
            # The other fields are in Plex, and so should be the pictures.
            with transaction(self._store.connection):
                self._lane.add(job, record)
        self.of_keys([job.claim], error, scope)
