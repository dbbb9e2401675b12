"""The stages between a claim and its end: read scenes, match, read items, write, settle.

Servers are talked to in threads; the database and every decision belong to the one thread that
calls `fill` and `collect`.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from random import Random
from typing import Any

from attrs import evolve

from stash2plex.db import transaction
from stash2plex.errors import (
    ConfigError,
    NotFound,
    Refused,
    ServerError,
    Stash2PlexError,
    Unavailable,
)
from stash2plex.model import Change, Clock, PlexItem, Record, Scene
from stash2plex.rules.desired import desired_state, reason_to_skip
from stash2plex.rules.merge import as_shared, plan_change, remember, share_key
from stash2plex.rules.pacing import Pacer
from stash2plex.rules.policy import MAX_INTERRUPTIONS, Done, Outcome, Verdict, decide
from stash2plex.store.metrics import DEAD, PUT_OFF, RETRIED, SCENES
from stash2plex.store.progress import Tally
from stash2plex.sync.apply import Applied, apply_scene, is_settled
from stash2plex.sync.finder import Finder, Found
from stash2plex.sync.session import Job, Session, Store, Wanted
from stash2plex.text import span
from stash2plex.workqueue import STOPPED, URGENT, Claim, Key

BATCH = 200
"""Keys of one claim, so scenes of one GraphQL request and items of one detail read."""

URGENT_BATCH = 50
"""Urgent keys taken on top of a full hand: an edit does not wait behind a backlog."""

LEASE_SECONDS = 120.0
LEASE_RENEWAL = 30.0
THREADS = 8
SHARED_MOST = 100
"""Items of one edit that carries the same change for all (plex.md §3.1)."""

FAILURES_KEPT = 10_000
"""Keys whose last failure is remembered, to tell whether the server worked since."""


class Pipeline:
    """Works on claimed keys until each is acked, nacked, snoozed, buried or given back."""

    def __init__(
        self,
        store: Store,
        session: Session,
        tally: Tally,
        pacer: Pacer,
        *,
        clock: Clock,
        monotonic: Clock,
        random: Random,
    ) -> None:
        self._store = store
        self._session = session
        self._tally = tally
        self._pacer = pacer
        self._clock = clock
        self._monotonic = monotonic
        self._random = random
        self._log = logging.getLogger(__name__)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="drain")
        self._steps: dict[Future[Any], Callable[[Future[Any]], None]] = {}
        self._in_hand: dict[Key, Claim] = {}
        self._paths: dict[Key, str] = {}
        self._writes = 0
        self._writes_at_claim: dict[Key, int] = {}
        self._writes_at_failure: dict[Key, int] = {}
        self._ready: deque[Job] = deque()
        self._stopped: set[Key] = set()
        self._writing = 0
        self._renewed_at = monotonic()
        self._renewed_wall = clock()
        self._finder = Finder(store, session, clock, monotonic)
        self.answered_at = monotonic()
        """When a server last did what it was asked for."""
        self.config_error: ConfigError | None = None
        """A setting that a server does not bear out any more; the drain takes it from here."""

    # -- for the drain loop ---------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether any key is in hand."""
        return bool(self._in_hand)

    def use(self, session: Session, tally: Tally) -> None:
        """Go on with other settings or for another burst."""
        self._session = self._finder.session = session
        self._tally = tally

    def fill(self, *, single: bool) -> None:
        """Claim keys and start their reads and writes, as far as there is room.

        `single` lets one key through at a time: the breaker is half open.
        """
        self._renew_leases()
        queue = self._store.queue
        room = 1 if single else BATCH
        while len(self._in_hand) - self._writing < room:
            claims = queue.claim(room, LEASE_SECONDS)
            if not claims:
                break
            self._take(claims)
        else:
            urgent = sum(claim.priority == URGENT for claim in self._in_hand.values())
            if not single and urgent < URGENT_BATCH and queue.urgent_due():
                self._take(queue.claim(URGENT_BATCH - urgent, LEASE_SECONDS, urgent_only=True))
        while self._ready and self._writing < (1 if single else self._pacer.limit):
            jobs = self._next_jobs(single=single)
            self._writing += 1
            self._start(partial(self._write, jobs), partial(self._written, jobs))

    def collect(self, seconds: float) -> None:
        """Wait for the next ends of reads and writes, at most so long, and act on them."""
        if self._steps:
            done, _ = wait(self._steps, timeout=seconds, return_when=FIRST_COMPLETED)
            for future in done:
                self._steps.pop(future)(future)
        self._renew_leases()

    def _renew_leases(self) -> None:
        """Renew in time, and at once when the clock was set: a claim ends what looks overdue."""
        since = self._clock() - self._renewed_wall
        if self._monotonic() - self._renewed_at >= LEASE_RENEWAL or not 0 <= since < LEASE_RENEWAL:
            self._renewed_at = self._monotonic()
            self._renewed_wall = self._clock()
            for lease_id in {claim.lease_id for claim in self._in_hand.values()}:
                self._store.queue.extend(lease_id, LEASE_SECONDS)

    def give_back(self) -> None:
        """Give back what waits for its write: after an outage it is read afresh."""
        while self._ready:
            self._release(self._ready.popleft().claim, "unavailable")

    def give_back_held(self) -> None:
        """Give back keys in hand whose run was stopped; a write that is under way ends."""
        if not self._in_hand:
            return
        self._stopped = self._store.runs.held_in_hand() & self._in_hand.keys()
        if self._stopped:
            jobs, self._ready = self._ready, deque()
            for job in jobs:
                self._make_ready(job)

    def close(self) -> None:
        """Wait for what is under way, then give back what is left."""
        try:
            while self._steps:
                self.give_back()
                self.collect(1.0)
            self.give_back()
        finally:
            self._pool.shutdown(cancel_futures=True)

    def _next_jobs(self, *, single: bool) -> list[Job]:
        """Take the next job, with all that wait for the very same change."""
        first = self._ready.popleft()
        if first.shared is None or single:
            return [first]
        others = [job for job in self._ready if job.shared == first.shared][: SHARED_MOST - 1]
        if others:
            taken = {job.claim.key for job in others}
            self._ready = deque(job for job in self._ready if job.claim.key not in taken)
        return [first, *others]

    # -- claims ---------------------------------------------------------------------------

    def _take(self, claims: list[Claim]) -> None:
        scenes = []
        for claim in claims:
            self._in_hand[claim.key] = claim
            self._writes_at_claim[claim.key] = self._writes
            if claim.interruptions >= MAX_INTERRUPTIONS:
                error = f"The worker ended {claim.interruptions} times while it worked on this."
                self._bury(claim, "", "interrupted", error)
            elif claim.kind == "scene":
                scenes.append(claim)
            else:
                self._start(
                    partial(self._session.stash.scene_ids_showing, claim.kind, claim.id),
                    partial(self._fanned_out, claim),
                )
        self._read_scenes(scenes)

    def _start(self, work: Callable[[], Any], then: Callable[[Future[Any]], None]) -> None:
        self._steps[self._pool.submit(work)] = then

    def _end(self, claim: Claim) -> None:
        self._in_hand.pop(claim.key, None)
        self._paths.pop(claim.key, None)
        self._stopped.discard(claim.key)
        if claim.kind == "scene":
            self._finder.ended(claim.id)
        self._writes_at_claim.pop(claim.key, None)

    def _release(self, claim: Claim, reason: str, *, aside: bool = False) -> None:
        self._store.queue.release(claim, reason=reason, aside=aside)
        self._end(claim)

    def _ack(self, claim: Claim, why: str) -> None:
        if not self._store.queue.ack(claim):
            self._log.warning("%s:%s was taken over by another worker.", claim.kind, claim.id)
        self._end(claim)
        self._writes_at_failure.pop(claim.key, None)
        if claim.kind == "scene":
            self._tally.done()
        self._log.debug("%s:%s: %s", claim.kind, claim.id, why)

    def _bury(self, claim: Claim, title: str, reason: str, error: str) -> None:
        path = self._paths.get(claim.key, "")
        self._store.queue.bury(claim, title=title, reason=reason, error=error, path=path)
        self._end(claim)
        self._writes_at_failure.pop(claim.key, None)
        self._tally.failed()
        self._store.meter.add(DEAD, reason)
        self._log.error("Given up on %s:%s: %s", claim.kind, claim.id, error)

    # -- entities -------------------------------------------------------------------------

    def _fanned_out(self, claim: Claim, future: Future[Any]) -> None:
        """Add the scenes that show the entity now or did when they were last synced."""
        try:
            ids = set(future.result())
        except Exception as error:  # noqa: BLE001 - the worker's outer edge: decided below
            self._failed([claim], "", error)
            return
        self._answered("stash")
        ids.update(self._store.records.scenes_showing(claim.kind, claim.id))
        with transaction(self._store.connection):
            self._store.queue.enqueue(
                [("scene", id_) for id_ in sorted(ids)],
                priority=claim.priority,
                take_up=claim.priority == URGENT,
                run_id=claim.run_id,
                after_run=claim.after_run,
            )
            self._ack(claim, f"{len(ids)} scenes show it")

    # -- scenes ---------------------------------------------------------------------------

    def _read_scenes(self, claims: list[Claim]) -> None:
        if claims:
            ids = [claim.id for claim in claims]
            self._start(
                partial(self._session.stash.scenes, ids), partial(self._scenes_read, claims)
            )

    def _scenes_read(self, claims: list[Claim], future: Future[Any]) -> None:
        try:
            scenes: dict[int, Scene] = future.result()
        except Exception as error:  # noqa: BLE001 - the worker's outer edge: decided below
            if len(claims) > 1 and not isinstance(error, (Unavailable, Refused)):
                # One scene spoils the request; find out which.
                for claim in claims:
                    self._read_scenes([claim])
            else:
                self._failed(claims, "", error)
            return
        self._answered("stash")
        wanted: list[Wanted] = []
        for claim in claims:
            scene = scenes.get(claim.id)
            if scene is None:
                self._store.meter.add(SCENES, "gone")
                with transaction(self._store.connection):
                    self._finder.gone(claim.id)
                    self._store.records.forget(claim.id, self._clock())
                    self._ack(claim, "gone from Stash; Plex keeps what it has")
                continue
            self._paths[claim.key] = scene.files[0].path if scene.files else ""
            desired = desired_state(scene, self._session.settings)
            record = self._store.records.get(claim.id)
            why = reason_to_skip(scene, self._session.settings) or (
                "it has no metadata yet" if desired.empty else None
            )
            if why is not None:
                self._finder.gone(claim.id)
            elif (
                record is not None
                and is_settled(scene, desired, record)
                and not self._finder.is_disputed(record)
            ):
                why = "nothing has changed"
            if why is not None:
                self._store.meter.add(SCENES, "skipped")
                self._ack(claim, why)
            else:
                wanted.append(Wanted(claim, scene, desired, record, rounds=0))
        self._find(wanted)

    def _find(self, wanted: list[Wanted]) -> None:
        """Look for the items, and read the ones that were found."""
        if wanted:
            self._go_on(self._finder.find(wanted))

    def _go_on(self, found: Found) -> None:
        """Act on what the finder says of scenes."""
        for one, error in found.failed:
            self._failed([one.claim], one.scene.label, error)
        for one, why in found.done:
            self._ack(one.claim, why)
        self._read_items(found.jobs)

    # -- items ----------------------------------------------------------------------------

    def _read_items(self, jobs: list[Job]) -> None:
        if jobs:
            keys = sorted({job.match.file.rating_key for job in jobs})
            self._start(partial(self._session.plex.items, keys), partial(self._items_read, jobs))

    def _items_read(self, jobs: list[Job], future: Future[Any]) -> None:
        try:
            items: dict[str, PlexItem] = future.result()
        except Exception as error:  # noqa: BLE001 - the worker's outer edge: decided below
            if len(jobs) > 1 and not isinstance(error, (Unavailable, Refused)):
                for job in jobs:
                    self._read_items([job])
            else:
                for job in jobs:
                    self._failed([job.claim], job.scene.label, error)
            return
        found = self._finder.verify(jobs, items)
        announced: list[Record] = []
        preserve = self._session.settings.preserve_plex_edits
        for job in found.jobs:
            item = job.item
            assert item is not None
            change = plan_change(job.desired, item, job.record, preserve=preserve)
            if change.fields:
                announced.append(_expected(job, item, change))
            self._make_ready(evolve(job, shared=_share_key(change, item)))
        self._store.records.announce(announced)
        self._go_on(evolve(found, jobs=[]))
        self._find(found.again)

    def _make_ready(self, job: Job) -> None:
        """Queue a job for its write; one that the user waits for goes before bulk ones."""
        if job.claim.key in self._stopped:
            self._release(job.claim, STOPPED)
        elif job.claim.priority == URGENT:
            place = sum(waiting.claim.priority == URGENT for waiting in self._ready)
            self._ready.insert(place, job)
        else:
            self._ready.append(job)

    # -- writes ---------------------------------------------------------------------------

    def _write(self, jobs: list[Job]) -> list[Applied | Exception]:
        """Talk to the servers, in a thread; touch nothing of ours. One result a job.

        Jobs that want the very same change get it in one edit; the items are then read back, and
        each job is applied as if it were alone: where the edit did all, that writes nothing more.
        """
        settings, plex = self._session.settings, self._session.plex
        items = {job.match.file.rating_key: job.item for job in jobs}
        if len(jobs) > 1:
            first = jobs[0].item
            assert first is not None
            change = plan_change(
                jobs[0].desired, first, jobs[0].record, preserve=settings.preserve_plex_edits
            )
            plex.edit(first.section_id, list(items), as_shared(change, first))
            items = dict(plex.items(list(items)))
        results: list[Applied | Exception] = []
        for job in jobs:
            try:
                results.append(self._apply(job, items.get(job.match.file.rating_key)))
            except Exception as error:  # noqa: BLE001 - decided by _failed, job by job
                results.append(error)
        return results

    def _apply(self, job: Job, item: PlexItem | None) -> Applied:
        if item is None:
            raise NotFound("Plex", f"“{job.scene.label}” has moved in Plex; it is looked up again.")
        return apply_scene(
            job.scene,
            job.desired,
            job.match,
            item,
            job.record,
            settings=self._session.settings,
            stash=self._session.stash,
            plex=self._session.plex,
            clock=self._clock,
            monotonic=self._monotonic,
        )

    def _written(self, jobs: list[Job], future: Future[Any]) -> None:
        self._writing -= 1
        try:
            results: list[Applied | Exception] = future.result()
        except Exception as error:  # noqa: BLE001 - the worker's outer edge: decided below
            if len(jobs) > 1 and not isinstance(error, (Unavailable, Refused)):
                # One of them may be the trouble; each gets an edit of its own.
                for job in jobs:
                    self._make_ready(evolve(job, shared=None))
            else:
                self._failed([job.claim for job in jobs], jobs[0].scene.label, error)
            return
        for job, result in zip(jobs, results, strict=True):
            if isinstance(result, Applied):
                self._record(job, result)
            elif isinstance(result, NotFound):
                found = Found()
                self._finder.went_wrong(job, None, found)
                self._go_on(found)
                self._find(found.again)
            else:
                self._failed([job.claim], job.scene.label, result)

    def _record(self, job: Job, applied: Applied) -> None:
        """Keep what was written and take the key out of the queue, in one commit."""
        # Only this counts as Plex working: it may read well and fail every write.
        self._writes += 1
        self._answered("plex")
        self._pacer.succeeded(applied.seconds)
        self._store.meter.applied(applied.fields, applied.seconds)
        for note in applied.notes:
            self._log.warning("%s", note)
        written = ", ".join(applied.fields) or "nothing more to write"
        if applied.kept:
            written += f"; kept as a person made them in Plex: {', '.join(applied.kept)}"
        with transaction(self._store.connection):
            self._store.records.put(applied.record, job.scene)
            how = f"is “{job.match.file.path}” in Plex by {job.match.matched_by}"
            self._ack(job.claim, f"“{job.scene.label}” {how}: {written}")

    # -- ends -----------------------------------------------------------------------------

    def _answered(self, server: str) -> None:
        """Note a real success of a server, which may end an outage."""
        self.answered_at = self._monotonic()
        breaker = self._store.breakers[server]
        state = breaker.read()
        if breaker.succeeded():
            words = "lets us in again" if state.refused else "is back"
            took = span(self._clock() - state.since)
            self._log.info("%s %s after %s.", server.capitalize(), words, took)

    def _failed(self, claims: list[Claim], title: str, error: Exception) -> None:
        """Decide what becomes of keys that failed together: the only place that does."""
        alone = isinstance(error, Unavailable) and self._trouble(error)
        if isinstance(error, Refused):
            self._trouble(error)
        if isinstance(error, ConfigError):
            self.config_error = error
        for claim in claims:
            works = self._writes > min(
                self._writes_at_claim.get(claim.key, self._writes),
                self._writes_at_failure.get(claim.key, self._writes),
            )
            decision = decide(
                error, claim, self._session.settings, self._random, server_works=works, alone=alone
            )
            if len(self._writes_at_failure) < FAILURES_KEPT:
                self._writes_at_failure[claim.key] = self._writes
            if not isinstance(error, Stash2PlexError):
                self._log.error("A fault of Stash2Plex itself:", exc_info=error)
            self._settle(claim, title, decision)

    def _settle(self, claim: Claim, title: str, decision: Outcome) -> None:
        if isinstance(decision, Done):
            self._ack(claim, decision.why)
            return
        queue = self._store.queue
        words = {"reason": decision.reason, "error": decision.message}
        match decision.verdict:
            case Verdict.HOLD:
                self._release(claim, decision.reason, aside=decision.aside)
                self._log.debug(
                    "%s:%s goes back uncounted: %s", claim.kind, claim.id, decision.message
                )
            case Verdict.RETRY:
                queue.nack(claim, delay=decision.delay, title=title, **words)
                self._end(claim)
                self._store.meter.add(RETRIED, decision.reason)
                self._log.debug(
                    "%s:%s is tried again in %s: %s",
                    claim.kind,
                    claim.id,
                    span(decision.delay),
                    decision.message,
                )
            case Verdict.SNOOZE:
                queue.snooze(claim, delay=decision.delay, title=title, **words)
                self._end(claim)
                self._store.meter.add(PUT_OFF, decision.reason)
                self._tally.later()
                self._log.debug(
                    "%s:%s waits %s: %s",
                    claim.kind,
                    claim.id,
                    span(decision.delay),
                    decision.message,
                )
            case Verdict.BURY:
                self._bury(claim, title, decision.reason, decision.message)

    def _trouble(self, error: ServerError) -> bool:
        """Tell the breaker. True when the key was the one that a half-open breaker let through."""
        breaker = self._store.breakers[error.server.lower()]
        before = breaker.read().state
        was_open = before != "closed"
        counts = self._store.queue.counts()
        after = breaker.failed(error, counts.pending + counts.in_progress)
        self._pacer.failed()
        if after.state == "open" and not was_open:
            self._log.warning("%s Waiting for %s; nothing is lost.", error, error.server)
        return before == "half_open"


def _share_key(change: Change, item: PlexItem) -> tuple[object, ...] | None:
    key = share_key(as_shared(change, item))
    return None if key is None else (item.section_id, *key)


def _expected(job: Job, item: PlexItem, change: Change) -> Record:
    """Say what the record will hold of a change that is about to be sent."""
    written, removed = remember(job.desired, item, change, job.record)
    return Record(
        scene_id=job.scene.id,
        rating_key=item.rating_key,
        section_id=item.section_id,
        plex_path=job.match.file.path,
        matched_by=job.match.matched_by,
        fingerprint="",
        written=written,
        removed=removed,
    )
