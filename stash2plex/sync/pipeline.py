"""The stages of a claimed key: read scenes, find their items, read those, write, record.

Requests run in threads; the database and every decision belong to the one thread that calls `fill`
and `collect`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from random import Random
from typing import TypeVar

from attrs import evolve

from stash2plex.errors import ITEM, ConfigError, NotFound, Unavailable
from stash2plex.model import Clock, Field
from stash2plex.rules.desired import desired_state, why_left_out, without_fields
from stash2plex.rules.pacing import Pacer
from stash2plex.rules.policy import MAX_INTERRUPTIONS, Decision, Verdict
from stash2plex.servers.apart import ReadItems, ReadScenes
from stash2plex.store.undo_marks import NOTHING_HELD
from stash2plex.sync.apply import Applied, are_texts_settled, is_settled
from stash2plex.sync.collections import Collections
from stash2plex.sync.evidence import EDITS, ENTITIES, ITEMS, Evidence
from stash2plex.sync.evidence import SCENES as READ_SCENES
from stash2plex.sync.failures import Claimed, Failures
from stash2plex.sync.finder import Failure, Finder, Found
from stash2plex.sync.in_flight import InFlight, Step, Writes
from stash2plex.sync.in_hand import InHand, KeysInHand
from stash2plex.sync.judge import Judge
from stash2plex.sync.keeping import Keeper
from stash2plex.sync.picture_lane import PictureLane
from stash2plex.sync.ready_jobs import ReadyJobs
from stash2plex.sync.recorder import Recorder
from stash2plex.sync.session import Job, Matched, Session, Store, Wanted
from stash2plex.sync.undoing import Undoing, UndoJob
from stash2plex.sync.unsent import Unsent
from stash2plex.sync.writes import planned, write_jobs
from stash2plex.workqueue import STOPPED, Claim

BATCH = 200
"""Keys per claim, and so scenes per GraphQL request and items per detail read."""

URGENT_BATCH = 50
"""Urgent keys claimed beyond a full batch, so that an edit does not wait behind a backlog."""

THREADS = 10
PICTURE_THREADS = 4

OUTAGE = Decision(Verdict.HOLD, 0.0, Unavailable.reason, "it is read again before it is written.")
"""The outcome of jobs that wait while nothing may be written: their scenes may change."""

STOP = Decision(Verdict.HOLD, 0.0, STOPPED, "its task was stopped.")

T = TypeVar("T")
P = TypeVar("P", bound=Claimed)


class Pipeline:
    """Works on claimed keys until `hand` finishes each of them with its outcome.

    `doubt` is called with a setting that no longer fits a server. Call `use` before the first
    `fill`.
    """

    _session: Session

    def __init__(
        self,
        store: Store,
        hand: KeysInHand,
        finder: Finder,
        evidence: Evidence,
        pacer: Pacer,
        doubt: Callable[[ConfigError], None],
        *,
        clock: Clock,
        monotonic: Clock,
        random: Random,
    ) -> None:
        self._store = store
        self._hand = hand
        self._finder = finder
        self._evidence = evidence
        self._pacer = pacer
        self._clock = clock
        self._monotonic = monotonic
        self._flight = InFlight(THREADS, PICTURE_THREADS)
        judge = Judge(store, evidence, self._flight, monotonic)
        self._lane = PictureLane(
            store,
            evidence,
            pacer,
            self._flight,
            threads=PICTURE_THREADS,
            clock=clock,
            monotonic=monotonic,
            random=random,
        )
        self._failures = Failures(store, hand, judge, self._lane, doubt, self._make_ready)
        self._recorder = Recorder(store, hand, evidence, self._lane)
        self._writing = Writes(self._flight, monotonic)
        self._ready = ReadyJobs()
        self._keeper = Keeper(store)
        self._collections = Collections(store, self._flight, monotonic)
        self._unsent = Unsent(store, hand, finder, clock)
        self._undoing = Undoing(store, hand, self._lane, self._collections, self._make_ready)

    # -- for the drain loop ---------------------------------------------------------------

    def use(self, session: Session) -> None:
        """Use this session's settings and clients. Call it only while no key is claimed."""
        self._session = self._finder.session = self._lane.session = session
        self._failures.use(session)

    @property
    def busy(self) -> bool:
        """Whether any key is in hand, any picture in flight, or empty collections looked for."""
        return self._hand.busy or self._lane.busy or self._collections.busy

    def fill(self, *, single: bool) -> None:
        """Claim keys and start their reads and writes, as far as there is room.

        `single` lets one key through at a time: the breaker is half open.
        """
        self._hand.renew_leases()
        while self._has_room(single=single):
            keys = [] if self._lane.is_full else self._hand.claim(1 if single else BATCH)
            if not keys:
                break
            self._begin(keys)
        else:
            urgent = self._hand.urgent
            alone = single or self._hand.interruptions > 0
            if not alone and urgent < URGENT_BATCH and self._store.queue.urgent_due():
                self._begin(self._hand.claim(URGENT_BATCH - urgent, urgent_only=True))
        while self._ready and self._writing.crowd() < (1 if single else self._pacer.limit):
            self._write(self._ready.take(single=single))
        self._lane.fill(single=single)
        if not single:
            self._collections.clean_up(self._session)

    def _has_room(self, *, single: bool) -> bool:
        """Return whether to claim more: a key that may end the worker has few beside it."""
        if interruptions := self._hand.interruptions:
            return len(self._hand) < (1 if single else BATCH >> interruptions)
        return len(self._hand) - len(self._writing) < (1 if single else BATCH)

    def collect(self, seconds: float) -> None:
        """Wait up to `seconds` for requests in flight, and handle those that have ended."""
        self._flight.collect(seconds)
        self._hand.renew_leases()

    def give_back(self) -> None:
        """Put the keys back that wait for their write."""
        for job in self._ready.take_all():
            self._hand.finish(job.claim, OUTAGE)

    def give_back_stopped(self) -> None:
        """Put the keys back whose run the user stopped; a write in flight finishes."""
        if self._hand.mark_stopped():
            self._make_all_ready(self._ready.take_all())

    def close(self) -> None:
        """Wait for requests in flight, then put back what is left."""
        try:
            while self._flight:
                self.give_back()
                self.collect(1.0)
            self.give_back()
        finally:
            self._flight.close()

    # -- requests -------------------------------------------------------------------------

    def _start_batch(
        self,
        deed: str,
        parts: Sequence[P],
        work: Callable[[], T],
        succeeded: Callable[[T], None],
        separate: Callable[[Sequence[P]], None],
    ) -> Future[T]:
        """Start a request for several keys; `separate` starts it again for some of them."""
        mark = self._evidence.mark(deed)
        failed = partial(self._failures.of_batch, deed, mark, parts, separate)
        return self._flight.start(work, Step(succeeded, failed))

    # -- claims ---------------------------------------------------------------------------

    def _begin(self, keys: Sequence[InHand]) -> None:
        scenes = []
        for key in keys:
            claim = key.claim
            if claim.interruptions >= MAX_INTERRUPTIONS:
                error = f"The worker ended {claim.interruptions} times while it worked on this."
                self._hand.finish(claim, Decision(Verdict.BURY, 0.0, "interrupted", error))
            elif claim.kind == "scene":
                scenes.append(key)
            else:
                self._start_batch(
                    ENTITIES,
                    [key],
                    partial(self._session.stash.scene_ids_showing, claim.kind, claim.id),
                    partial(self._fan_out, claim),
                    self._begin,
                )
        if scenes := self._undoing.take(scenes):
            self._read_scenes(scenes)

    def _fan_out(self, claim: Claim, showing: Sequence[int]) -> None:
        self._evidence.did(ENTITIES)
        self._unsent.fan_out(claim, showing)

    # -- scenes ---------------------------------------------------------------------------

    def _read_scenes(self, keys: Sequence[InHand]) -> None:
        self._start_batch(
            READ_SCENES,
            keys,
            partial(self._session.stash.scenes, [key.claim.id for key in keys]),
            partial(self._scenes_read, keys),
            self._read_scenes,
        )

    def _scenes_read(self, keys: Sequence[InHand], scenes: ReadScenes) -> None:
        self._evidence.did(READ_SCENES)
        settings = self._session.settings
        held = self._store.undo_marks.held_of([key.claim.id for key in keys])
        wanted: list[Wanted] = []
        for key in keys:
            claim, scene = key.claim, scenes.get(key.claim.id)
            record = self._store.records.get(claim.id)
            if failure := scenes.unreadable.get(claim.id):
                key.title = str(record.written.get(Field.TITLE, "")) if record else ""
                self._failures.of_keys([claim], failure, ITEM)
                continue
            if scene is None:
                self._unsent.gone(claim)
                continue
            key.describe(scene)
            kept_out = held.get(scene.id, NOTHING_HELD)
            desired = without_fields(desired_state(scene, settings), kept_out.fields)
            left_out = why_left_out(scene, settings, desired, is_undone=kept_out.whole)
            if left_out is not None:
                self._unsent.left_out(claim, scene, settings, left_out)
            elif (
                record is not None
                and (
                    is_settled(scene, desired, record)
                    or (are_texts_settled(scene, desired, record) and self._lane.is_waiting(scene))
                )
                and not self._finder.is_disputed(record)
            ):
                self._unsent.unchanged(claim)
            else:
                wanted.append(Wanted(claim, scene, desired, record, rounds=0))
        self._find(wanted)

    # -- items ----------------------------------------------------------------------------

    def _find(self, wanted: Sequence[Wanted]) -> None:
        """Find the items of scenes, and read them."""
        if not wanted:
            return
        found: Found = self._finder.find(wanted)
        for failure in found.failed:
            self._failures.of_keys([failure.wanted.claim], failure.error)
        for needless in found.needless:
            self._unsent.needless(needless)
        if found.matched:
            self._read_items(found.matched)

    def _find_again(self, wrong: Sequence[Wanted | Failure]) -> None:
        """Look up again the scenes whose item was the wrong one, except those that must wait."""
        for failure in wrong:
            if isinstance(failure, Failure):
                self._failures.of_keys([failure.wanted.claim], failure.error)
        self._find([scene for scene in wrong if isinstance(scene, Wanted)])

    def _read_items(self, matches: Sequence[Matched]) -> None:
        if self._collections.list_first(matches, self._session, partial(self._read_items, matches)):
            return
        keys = sorted(
            {
                file.rating_key
                for matched in matches
                for file in (matched.match.file, *matched.match.also)
            }
        )
        self._start_batch(
            ITEMS,
            matches,
            partial(self._session.plex.items, keys, self._store.plex_files.other_item(keys)),
            partial(self._items_read, matches),
            self._read_items,
        )

    def _items_read(self, matches: Sequence[Matched], items: ReadItems) -> None:
        self._evidence.did(ITEMS)
        verified = self._finder.verify(matches, items)
        preserve = self._session.settings.preserve_plex_edits
        traits = self._store.traits.known
        plans = [planned(job, traits, preserve=preserve) for job in verified.jobs]
        for plan in plans:
            self._make_ready(plan.job)
        self._keeper.announce(plans, self._collections, traits, preserve=preserve)
        self._find_again(verified.wrong)

    # -- writes ---------------------------------------------------------------------------

    def _make_ready(self, job: Job | UndoJob) -> None:
        """Queue a job for its write; urgent ones go before bulk ones."""
        if self._hand.is_stopped(job.claim):
            self._hand.finish(job.claim, STOP)
        else:
            self._ready.add(job)

    def _make_all_ready(self, jobs: Sequence[Job | UndoJob]) -> None:
        for job in jobs:
            self._make_ready(job)

    def _write(self, jobs: Sequence[Job | UndoJob]) -> None:
        if isinstance(jobs[0], UndoJob):
            self._put_back(jobs[0])
        else:
            self._write_jobs([job for job in jobs if isinstance(job, Job)])

    def _put_back(self, job: UndoJob) -> None:
        work = self._undoing.write(job, self._session)
        ended = partial(self._undoing.end, job)
        self._writing.add(self._start_batch(EDITS, [job], work, ended, self._make_all_ready))

    def _write_jobs(self, jobs: Sequence[Job]) -> None:
        writing = self._start_batch(
            EDITS,
            jobs,
            partial(
                write_jobs,
                jobs,
                self._session,
                self._store.traits.known,
                self._clock,
                self._monotonic,
            ),
            partial(self._written, jobs, self._evidence.mark(EDITS)),
            self._make_ready_alone,
        )
        self._writing.add(writing)

    def _make_ready_alone(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            self._make_ready(evolve(job, shared=None))

    def _written(
        self, jobs: Sequence[Job], mark: int, results: Sequence[Applied | Exception]
    ) -> None:
        for job, result in zip(jobs, results, strict=True):
            if isinstance(result, Applied):
                self._recorder.record(job, result)
                if result.later is not None:
                    self._failures.of_followers(job, *result.later)
            elif isinstance(result, NotFound):
                self._find_again([self._finder.learn_wrong(job, None)])
            else:
                self._failures.of_write(mark, job, result)
