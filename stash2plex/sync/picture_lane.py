"""Sends pictures beside the texts: in threads of their own, with a back-off of their own.

A scene is in Plex once its texts are. Its pictures wait in the database until they are sent; an
endpoint that fails holds up the pictures that need it, and nothing else.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Collection, Mapping
from functools import partial
from random import Random

from attrs import evolve, frozen

from stash2plex.db import transaction
from stash2plex.errors import (
    SERVER,
    NotFound,
    Refused,
    ServerError,
    Stash2PlexError,
    Unavailable,
)
from stash2plex.model import Clock, Desired, Field, Record, Scene
from stash2plex.rules.endpoints import (
    ALL,
    COVERS,
    ENDPOINTS,
    EndpointState,
    after_failure,
    are_stuck,
    is_blocked,
)
from stash2plex.rules.pacing import Pacer
from stash2plex.rules.policy import retry_delay
from stash2plex.rules.scopes import known_scope
from stash2plex.store.waiting_pictures import FRESH, WaitingPicture
from stash2plex.sync.apply import KEPT
from stash2plex.sync.evidence import Evidence
from stash2plex.sync.in_flight import InFlight, Step
from stash2plex.sync.picture_keeping import PictureKeeper
from stash2plex.sync.picture_work import MOVED, Looked, PictureJob, Result, send_for
from stash2plex.sync.pictures import Sent
from stash2plex.sync.session import Job, Session, Store
from stash2plex.text import DAY, Private, span
from stash2plex.workqueue import BULK

FULL = 200
"""Scenes kept in memory for their pictures, from which on texts wait."""

MAX_KEPT = 3 * FULL
"""Scenes kept in memory at most: those, and what was in hand when texts began to wait. The pictures
of any other scene cost a read of its item more."""

KEPT_BACK = DAY
"""Seconds for which no pictures of a scene begin that is to be put back."""

MAX_BEGUN = 5
"""After this many ends of the process while the pictures of one scene alone were sent, they count
as the cause."""

MAX_WAIT = 60.0
"""Seconds at most until pictures are tried again whose endpoint failed and is not shut yet."""


@frozen
class Try:
    """A scene under way: the endpoints that it tries, and when it began (monotonic seconds)."""

    endpoints: Collection[str]
    began: float


class PictureLane:
    """Sends what waits in `store.pictures`. Belongs to the thread of the database.

    Set `session` before the first `fill`.
    """

    session: Session

    def __init__(
        self,
        store: Store,
        evidence: Evidence,
        pacer: Pacer,
        flight: InFlight,
        *,
        threads: int,
        clock: Clock,
        monotonic: Clock,
        random: Random,
    ) -> None:
        self._store = store
        self._evidence = evidence
        self._pacer = pacer
        self._flight = flight
        self._threads = threads
        self._clock = clock
        self._monotonic = monotonic
        self._random = random
        self._log = logging.getLogger(__name__)
        self._jobs: dict[int, PictureJob] = {}
        self._busy: dict[int, Try] = {}
        """Scenes under way."""
        self._ended_at = -math.inf
        """When pictures were last sent, or failed (monotonic seconds)."""
        self._worked: Counter[str] = Counter()
        self._keeper = PictureKeeper(store)

    @property
    def busy(self) -> bool:
        """Whether any picture is under way."""
        return bool(self._busy)

    @property
    def is_full(self) -> bool:
        """Whether the texts are so far ahead that they should wait.

        Never where pictures fail or hang.
        """
        if len(self._jobs) < FULL or self._store.pictures.endpoints():
            return False
        began = [one.began for one in self._busy.values()]
        return not are_stuck(began, self._ended_at, self._monotonic())

    def add(self, job: Job, record: Record) -> None:
        """Have the pictures of a scene sent. Belongs to the transaction of the caller."""
        self._store.pictures.add(job.scene.id, job.scene.cover_tag)
        if len(self._jobs) < MAX_KEPT and record.rating_key == job.item.rating_key:
            followers = {one.item.rating_key: one.item for one in job.followers}
            self._jobs[job.scene.id] = PictureJob(job.scene, job.desired, job.item, followers)

    def is_sending(self, scene_id: int) -> bool:
        """Whether pictures of a scene are under way."""
        return scene_id in self._busy

    def is_waiting(self, scene: Scene) -> bool:
        """Whether the cover that a scene has now waits already."""
        waiting = self._store.pictures.get(scene.id)
        return waiting is not None and waiting.tag == scene.cover_tag

    # -- starting -------------------------------------------------------------------------

    def fill(self, *, single: bool) -> None:
        """Start what is due, as far as there is room. `single` lets one through at a time."""
        room = (1 if single else min(self._threads, self._pacer.limit)) - len(self._busy)
        if room <= 0:
            return
        firsts = self._store.pictures.first_due()
        if not firsts:
            # Every turn of a drain comes here, and mostly nothing waits.
            return
        shut = {state.name: state for state in self._store.pictures.endpoints() if state.is_shut}
        for name, state in shut.items():
            if state.next_try_at <= self._clock() and not self._tries(name):
                room -= self._start(self._probe(name), set(shut) - {name})
        if room > 0 and not is_blocked(shut):
            now = self._clock()
            for waits_for in [name for name in firsts if name not in shut and firsts[name] <= now]:
                due = self._store.pictures.due(waits_for, self._threads + len(self._busy))
                free = [one for one in due if one.scene_id not in self._busy]
                for waiting in free[: max(0, room)]:
                    room -= self._start(waiting, set(shut))

    def _tries(self, endpoint: str) -> bool:
        return any(endpoint in one.endpoints for one in self._busy.values())

    def _probe(self, endpoint: str) -> WaitingPicture | None:
        """Choose the pictures that an endpoint is tried with: those that were tried longest ago."""
        number = len(self._busy) + 1
        found = self._store.pictures.oldest(endpoint, number)
        found += self._store.pictures.oldest(FRESH, number)
        return next((one for one in found if one.scene_id not in self._busy), None)

    def _start(self, waiting: WaitingPicture | None, shut: Collection[str]) -> int:
        """Start to send pictures, but not to endpoints that are shut; returns how many began.

        Those that were begun when a process ended are sent alone, when nothing else is due.
        """
        if waiting is None or (waiting.begun and not self._is_alone()):
            return 0
        if waiting.begun >= MAX_BEGUN:
            self._give_up_ending(waiting)
            return 0
        if self._store.undo_marks.asked_of([waiting.scene_id]):
            with transaction(self._store.connection):
                self._store.pictures.keep_back(waiting.scene_id, KEPT_BACK)
            return 0
        record = self._store.records.get(waiting.scene_id)
        if record is None or not record.rating_key:
            self._requeue(waiting)
            return 0
        with transaction(self._store.connection):
            self._store.pictures.begin(waiting)
        tried = [name for name in ALL if name not in shut]
        self._busy[waiting.scene_id] = Try(tried, self._monotonic())
        before = dict(self._worked)
        job = self._jobs.pop(waiting.scene_id, None)
        if job is not None and job.scene.cover_tag != waiting.tag:
            job = None
        self._launch(waiting, job, record, shut, before)
        return 1

    def _is_alone(self) -> bool:
        """Whether an end of the process would cost nothing else."""
        counts = self._store.queue.counts()
        return not (self._busy or counts.pending or counts.in_progress)

    def _give_up_ending(self, waiting: WaitingPicture) -> None:
        error = f"The worker ended {waiting.begun} times while it sent the pictures."
        self._bury(waiting, self._title_of(waiting), "interrupted", error, waiting.attempts + 1)

    def _launch(
        self,
        waiting: WaitingPicture,
        job: PictureJob | None,
        record: Record,
        shut: Collection[str],
        before: Mapping[str, int],
    ) -> None:
        records = [record, *self._store.followers.of(waiting.scene_id).values()]
        held = self._store.undo_marks.held(waiting.scene_id).fields
        keys = [one.rating_key for one in records]
        known = {key: self._keeper.known_pictures(key) for key in keys}
        ours = [key for key in keys if self._keeper.has_uploads(key)]
        work = partial(
            send_for, waiting.scene_id, job, records, shut, self.session, known, held, ours
        )
        self._flight.start_picture(
            work,
            Step(
                partial(self._ended, waiting, shut, before),
                partial(self._broke, waiting),
            ),
        )

    # -- ends -----------------------------------------------------------------------------

    def _end(self, waiting: WaitingPicture) -> None:
        del self._busy[waiting.scene_id]
        self._ended_at = self._monotonic()

    def _broke(self, waiting: WaitingPicture, error: Exception) -> None:
        """Go on after the scene or its item could not be read: no endpoint of pictures failed."""
        self._end(waiting)
        if isinstance(error, (Unavailable, Refused)):
            # The clients have tried other scenes and items before they raised.
            self._server_failed(waiting, error)
        else:
            self._log_fault(error)
            self._item_failed(waiting, error, self._title_of(waiting))

    def _title_of(self, waiting: WaitingPicture) -> str:
        record = self._store.records.get(waiting.scene_id)
        title = str(record.written.get(Field.TITLE, "")) if record else ""
        return title or f"scene {waiting.scene_id}"

    def _ended(
        self,
        waiting: WaitingPicture,
        shut: Collection[str],
        before: Mapping[str, int],
        result: Result | Looked | str,
    ) -> None:
        record = self._store.records.get(waiting.scene_id)
        if isinstance(result, Looked) and record is not None:
            # Kept before anything is sent: a kill in between must not lose it.
            with transaction(self._store.connection):
                self._keeper.keep_pictures(result)
            self._launch(waiting, result.job, record, shut, before)
            return
        self._end(waiting)
        if result == MOVED:
            self._requeue(waiting)
        elif isinstance(result, Result):
            self._sent(waiting, before, result)
        else:
            with transaction(self._store.connection):
                self._store.pictures.finish(waiting)

    def _sent(self, waiting: WaitingPicture, before: Mapping[str, int], result: Result) -> None:
        job = result.job
        failed = {name: error for _, one in result.sent for name, error in one.failed.items()}
        left = [name for _, one in result.sent for name in one.left]
        for _, one in result.sent:
            for note in one.notes:
                self._log.warning(*note)
            self._store.meter.pictures(one.fields)
            self._count(one)
        with transaction(self._store.connection):
            for record, one in result.sent:
                after = _after(record, job.desired, one)
                if record.rating_key == job.item.rating_key:
                    self._store.records.put_pictures(after)
                else:
                    self._store.followers.put_pictures(after)
                item = job.followers.get(record.rating_key, job.item)
                self._keeper.pictures_sent(record, one, item)
            if not (failed or left):
                self._store.pictures.finish(waiting)
        if failed:
            # The pictures wait for the first endpoint; what is learnt of the other is kept.
            (endpoint, error), *others = failed.items()
            self._fail(waiting, endpoint, error, before, job.scene.label)
            for name, other_error in others:
                if not (_is_of_item(other_error) or _is_of_server(name, other_error)):
                    self._count_failure(name, other_error)
        elif left:
            self._wait_for(waiting, 0.0, left[0], waiting.attempts)

    def _count(self, sent: Sent) -> None:
        """Count the endpoints that worked, which may end their trouble."""
        worked = [] if COVERS in sent.failed else [COVERS]
        if worked:
            self._evidence.answered("stash")
        if sent.fields:
            self._evidence.answered("plex")
            worked += [ENDPOINTS[name] for name in sent.fields]
        known = {state.name: state for state in self._store.pictures.endpoints()}
        for name in worked:
            self._worked[name] += 1
            if name in known:
                self._store.pictures.endpoint_works(name)
                if known[name].is_shut:
                    took = span(self._clock() - known[name].since)
                    self._log.info("The %s go through again after %s.", name, took)

    def _fail(
        self,
        waiting: WaitingPicture,
        endpoint: str,
        error: Exception,
        before: Mapping[str, int],
        label: str,
    ) -> None:
        """Have pictures wait after a failure: for their server, their endpoint or themselves."""
        self._log_fault(error)
        if isinstance(error, ServerError) and _is_of_server(endpoint, error):
            self._server_failed(waiting, error)
        elif (
            not isinstance(error, ServerError)
            or isinstance(error, NotFound)
            or self._worked[endpoint] > before.get(endpoint, 0)
        ):
            self._item_failed(waiting, error, label)
        elif waiting.suspect:
            # Where the endpoint has just begun to fail, others will show it.
            self._count_failure(endpoint, error)
            self._item_failed(waiting, error, label)
        else:
            self._count_failure(endpoint, error)
            longest = min(MAX_WAIT, 5.0 * 2.0 ** min(waiting.failures, 16))
            delay = self._random.uniform(longest / 2, longest)
            self._put_off(waiting, delay, endpoint, waiting.attempts, error)

    def _log_fault(self, error: Exception) -> None:
        if not isinstance(error, Stash2PlexError):
            self._log.error("A fault in Stash2Plex:", exc_info=error)

    def _server_failed(self, waiting: WaitingPicture, error: ServerError) -> None:
        self._evidence.failed(error)
        delay = self._random.uniform(1.0, MAX_WAIT / 4)
        self._put_off(waiting, delay, FRESH, waiting.attempts, error)

    def _item_failed(self, waiting: WaitingPicture, error: Exception, label: str) -> None:
        attempts = waiting.attempts + 1
        if attempts < self.session.settings.max_retries:
            delay = retry_delay(waiting.attempts, self._random)
            self._put_off(waiting, delay, FRESH, attempts, error)
            return
        reason = error.reason if isinstance(error, Stash2PlexError) else "fault"
        what = (
            str(error)
            if isinstance(error, Stash2PlexError)
            else (f"{type(error).__name__}: “{error}”")
        )
        self._bury(waiting, label, reason, what, attempts)

    def _bury(
        self, waiting: WaitingPicture, label: str, reason: str, what: str, attempts: int
    ) -> None:
        with transaction(self._store.connection):
            self._store.pictures.finish(waiting)
            self._store.queue.bury_done(
                ("scene", waiting.scene_id),
                title=label,
                reason=reason,
                error=what,
                attempts=attempts,
            )
        self._log.error("Given up on the pictures of %s: %s", Private(label), what)

    def _count_failure(self, endpoint: str, error: Exception) -> None:
        known = {state.name: state for state in self._store.pictures.endpoints()}
        old = known.get(endpoint, EndpointState(endpoint))
        new = after_failure(old, self._clock(), str(error), self._random)
        self._store.pictures.set_endpoint(new)
        if new.is_shut and not old.is_shut:
            self._log.warning("%s The %s wait, the texts go on; nothing is lost.", error, endpoint)

    def _put_off(
        self,
        waiting: WaitingPicture,
        delay: float,
        waits_for: str,
        attempts: int,
        error: Exception,
    ) -> None:
        self._wait_for(waiting, delay, waits_for, attempts)
        self._log.debug(
            "The pictures of scene %s wait %s: %s", waiting.scene_id, span(delay), error
        )

    def _wait_for(
        self, waiting: WaitingPicture, delay: float, waits_for: str, attempts: int
    ) -> None:
        self._store.pictures.put_off(waiting, delay, waits_for=waits_for, attempts=attempts)

    def _requeue(self, waiting: WaitingPicture) -> None:
        """Have the scene itself looked at: its item is another one by now."""
        with transaction(self._store.connection):
            self._store.pictures.finish(waiting)
            self._store.records.invalidate([waiting.scene_id])
            self._store.queue.add_many([("scene", waiting.scene_id)], priority=BULK, take_up=False)


def _is_of_item(error: Exception) -> bool:
    """Whether a failure shows alone that it is about one item: it is gone, or the fault is ours."""
    return not isinstance(error, ServerError) or isinstance(error, NotFound)


def _is_of_server(endpoint: str, error: Exception) -> bool:
    """Whether a failure is about the whole server; a cover that fails alone is Transient."""
    if known_scope(error) == SERVER:
        return True
    return isinstance(error, Unavailable) and endpoint == COVERS


def _after(record: Record, desired: Desired, sent: Sent) -> Record:
    """Return a record with what is known of the pictures now."""
    settled = not (sent.failed or sent.left)
    hashes = {Field.POSTER: record.poster_hash, Field.BACKGROUND: record.background_hash}
    hashes.update(sent.hashes)
    return evolve(
        record,
        fingerprint=desired.fingerprint + (KEPT if sent.kept else ""),
        cover_tag=sent.tag if settled else record.cover_tag,
        cover_etag=sent.etag if settled else record.cover_etag,
        poster_hash=hashes[Field.POSTER],
        background_hash=hashes[Field.BACKGROUND],
    )
