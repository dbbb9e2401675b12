"""Keeps the keys that this process has claimed, and ends each of them in one place."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from random import Random

from attrs import define, frozen

from stash2plex.config import Settings
from stash2plex.db import transaction
from stash2plex.errors import SERVER, Refused, Stash2PlexError, Unavailable
from stash2plex.model import Clock, Scene
from stash2plex.rules.policy import Decision, Done, Outcome, Verdict, decide
from stash2plex.rules.scopes import costs_attempt
from stash2plex.store.item_claims import Claimant
from stash2plex.store.metrics import DEAD, PUT_OFF, RETRIED
from stash2plex.store.progress import Tally
from stash2plex.sync.evidence import Evidence
from stash2plex.sync.session import Store
from stash2plex.text import span
from stash2plex.workqueue import URGENT, Claim, Key

LEASE_SECONDS = 120.0
LEASE_RENEWAL = 30.0


@frozen
class ItemWish:
    """The Plex item that a scene wants to write to, and its claim on it."""

    rating_key: str
    claimant: Claimant


@define
class InHand:
    """A claimed key, and what is known about it.

    `title` and `path` are those of its scene, once that was read; `wish` is the Plex item of the
    scene, once that was found. `is_stopped`: the user stopped its run.
    """

    claim: Claim
    title: str = ""
    path: str = ""
    wish: ItemWish | None = None
    is_stopped: bool = False

    def describe(self, scene: Scene) -> None:
        """Copy title and path from the scene."""
        self.title = scene.label
        self.path = scene.files[0].path if scene.files else ""


class KeysInHand:
    """Claims keys, keeps their leases, and ends each of them: `finish` is the only end.

    Belongs to the one thread that owns the database.
    """

    def __init__(
        self,
        store: Store,
        tally: Tally,
        evidence: Evidence,
        *,
        clock: Clock,
        monotonic: Clock,
        random: Random,
    ) -> None:
        self._store = store
        self._tally = tally
        self._evidence = evidence
        self._clock = clock
        self._monotonic = monotonic
        self._random = random
        self._log = logging.getLogger(__name__)
        self._keys: dict[Key, InHand] = {}
        self._renewed_at = monotonic()
        self._renewed_wall = clock()

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def busy(self) -> bool:
        """Whether any key is claimed."""
        return bool(self._keys)

    @property
    def urgent(self) -> int:
        """How many of the claimed keys are urgent."""
        return sum(key.claim.priority == URGENT for key in self._keys.values())

    def holds(self, key: Key) -> bool:
        """Whether a key is in hand."""
        return key in self._keys

    # -- claims ---------------------------------------------------------------------------

    def claim(self, limit: int, *, urgent_only: bool = False) -> list[InHand]:
        """Claim up to `limit` keys that are due, fewer where one of them may end the worker."""
        claims = self._store.queue.claim(
            limit, LEASE_SECONDS, urgent_only=urgent_only, careful=True, beside=self.busy
        )
        keys = [InHand(claim) for claim in claims]
        self._keys.update((key.claim.key, key) for key in keys)
        return keys

    @property
    def interruptions(self) -> int:
        """How often a worker ended while it had one of the claimed keys: the most of any."""
        return max((key.claim.interruptions for key in self._keys.values()), default=0)

    def renew_leases(self) -> None:
        """Renew leases in time, and at once if the clock was set: a claim frees expired leases."""
        since = self._clock() - self._renewed_wall
        if self._monotonic() - self._renewed_at >= LEASE_RENEWAL or not 0 <= since < LEASE_RENEWAL:
            self._renewed_at = self._monotonic()
            self._renewed_wall = self._clock()
            for lease_id in {key.claim.lease_id for key in self._keys.values()}:
                self._store.queue.extend(lease_id, LEASE_SECONDS)

    def mark_stopped(self) -> bool:
        """Mark the keys whose run the user stopped; returns whether there are any."""
        if not self._keys:
            return False
        stopped = self._store.runs.held_in_hand()
        for key in self._keys.values():
            key.is_stopped = key.claim.key in stopped
        return any(key.is_stopped for key in self._keys.values())

    def is_stopped(self, claim: Claim) -> bool:
        """Return whether the user stopped the run of a key."""
        return self._known(claim).is_stopped

    def _known(self, claim: Claim) -> InHand:
        """Return what is known about a claim: nothing if its lease was lost to a later one."""
        key = self._keys.get(claim.key)
        return key if key and key.claim is claim else InHand(claim)

    # -- items ----------------------------------------------------------------------------

    def take_item(self, claim: Claim, rating_key: str, claimant: Claimant) -> None:
        """Record which Plex item the scene of a key wants."""
        self._known(claim).wish = ItemWish(rating_key, claimant)

    def leave_item(self, claim: Claim) -> None:
        """Drop the wish of a key's scene for a Plex item that it does not get."""
        self._known(claim).wish = None

    def item_wishes(self) -> list[ItemWish]:
        """List the Plex items that claimed scenes want."""
        return [key.wish for key in self._keys.values() if key.wish is not None]

    # -- ends -----------------------------------------------------------------------------

    def fail(
        self, claims: Sequence[Claim], error: Exception, settings: Settings, scope: str
    ) -> None:
        """End keys that failed together, as the policy decides. Nothing else asks the policy.

        `scope` is how far the failure reaches.
        """
        alone = False
        if isinstance(error, (Unavailable, Refused)) and scope == SERVER:
            was_half_open = self._evidence.breaker(error).read().state == "half_open"
            alone = was_half_open and isinstance(error, Unavailable)
            self._evidence.failed(error)
        elif isinstance(error, Unavailable) and any(not claim.attempts for claim in claims):
            self._evidence.slowed()
        for claim in claims:
            outcome = decide(
                error,
                claim,
                settings,
                self._random,
                server_works=costs_attempt(scope),
                alone=alone,
            )
            if not isinstance(error, Stash2PlexError):
                self._log.error("A fault in Stash2Plex:", exc_info=error)
            self.finish(claim, outcome)

    def finish(self, claim: Claim, outcome: Outcome) -> None:
        """End a claim: in the queue, in memory, in the counts and in the log.

        It joins the caller's transaction, if there is one. If the lease was lost, the queue stays
        as it is.
        """
        key = self._known(claim)
        self._end_claim(key, outcome)
        if self._keys.get(claim.key) is key:
            del self._keys[claim.key]
        self._count(claim, outcome)
        self._log_end(claim, outcome)

    def _end_claim(self, key: InHand, outcome: Outcome) -> None:
        queue, claim = self._store.queue, key.claim
        if isinstance(outcome, Done):
            with transaction(self._store.connection):
                if not queue.ack(claim):
                    self._log.warning(
                        "%s:%s was taken over by another worker.", claim.kind, claim.id
                    )
                elif outcome.standing is not None:
                    self._store.scenes.stand(claim.id, outcome.standing)
            return
        reason, error = outcome.reason, outcome.message
        match outcome.verdict:
            case Verdict.HOLD:
                queue.release(claim, reason=reason, aside=outcome.aside)
            case Verdict.RETRY:
                queue.nack(claim, delay=outcome.delay, reason=reason, error=error, title=key.title)
            case Verdict.SNOOZE | Verdict.AWAIT:
                queue.snooze(
                    claim,
                    delay=outcome.delay,
                    reason=reason,
                    error=error,
                    title=key.title,
                    counted=outcome.verdict is Verdict.SNOOZE,
                )
            case Verdict.BURY:  # pragma: no branch - there is no other verdict
                queue.bury(claim, title=key.title, reason=reason, error=error, path=key.path)

    def _count(self, claim: Claim, outcome: Outcome) -> None:
        if isinstance(outcome, Done):
            if claim.kind == "scene" and claim.finished:
                self._tally.done()
            return
        meter = self._store.meter
        match outcome.verdict:
            case Verdict.HOLD:
                pass
            case Verdict.RETRY:
                meter.add(RETRIED, outcome.reason)
            case Verdict.SNOOZE | Verdict.AWAIT:
                meter.add(PUT_OFF, outcome.reason)
                self._tally.later()
            case Verdict.BURY:  # pragma: no branch - there is no other verdict
                if claim.finished:
                    meter.add(DEAD, outcome.reason)
                    self._tally.failed()

    def _log_end(self, claim: Claim, outcome: Outcome) -> None:
        match outcome:
            case Done():
                words = f": {outcome.why}"
            case Decision(verdict=Verdict.HOLD):
                words = f" goes back uncounted: {outcome.message}"
            case Decision(verdict=Verdict.RETRY):
                words = f" is tried again in {span(outcome.delay)}: {outcome.message}"
            case Decision(verdict=Verdict.SNOOZE | Verdict.AWAIT):
                words = f" waits {span(outcome.delay)}: {outcome.message}"
            case _ if claim.finished:
                self._log.error("Given up on %s:%s: %s", claim.kind, claim.id, outcome.message)
                return
            case _:
                words = f" was added meanwhile: {outcome.message}"
        self._log.debug("%s:%s%s", claim.kind, claim.id, words)
