"""Pure: decides from an error and a key's counters what happens to the key."""

from __future__ import annotations

from enum import StrEnum
from random import Random

from attrs import frozen

from stash2plex.config import Settings
from stash2plex.errors import (
    Ambiguous,
    ConfigError,
    LibraryUnread,
    NotInPlexYet,
    Refused,
    Rejected,
    Stash2PlexError,
    Unavailable,
)
from stash2plex.rules.scene_states import NOT_IN_PLEX
from stash2plex.workqueue import Claim

RETRY_BASE, RETRY_CAP = 5.0, 600.0
SNOOZE_BASE, SNOOZE_CAP, SNOOZES = 30.0, 600.0, 12
"""Seconds, and how often a scene missing in Plex is looked up again (about 80 minutes)."""

LIBRARY_SECONDS = 300.0
"""Between two looks for a scene whose library Plex does not list. Its list wakes it sooner."""

MAX_INTERRUPTIONS = 20
"""After this many runs that were killed, a key counts as the cause."""


class Verdict(StrEnum):
    """What happens to a key that is not done; each verdict is one way to end a claim."""

    HOLD = "hold"
    AWAIT = "await"
    RETRY = "retry"
    SNOOZE = "snooze"
    BURY = "bury"


@frozen
class Done:
    """Nothing is left to do for a key. `why` is for the log.

    `standing` is its scene's standing now, by `rules.scene_states`; None if unknown.
    """

    why: str
    standing: str | None = None


@frozen
class Decision:
    """A verdict, the seconds until the next try, and the words for the history.

    `aside` lets every other due key go first.
    """

    verdict: Verdict
    delay: float
    reason: str
    message: str
    aside: bool = False


Outcome = Done | Decision
"""How a claim ends."""


def decide(
    error: Exception,
    claim: Claim,
    settings: Settings,
    random: Random,
    *,
    server_works: bool,
    alone: bool = False,
) -> Outcome:
    """Decide about one key that failed.

    `server_works` means that the failure reaches no further than this key, which counts it. If not,
    the server is the cause, and the key keeps its attempts. `alone` means that it was the one key
    that a half-open breaker let through: other keys go first next time, in case this one is the
    cause after all.
    """
    reason = error.reason if isinstance(error, Stash2PlexError) else "fault"
    message = (
        str(error) if isinstance(error, Stash2PlexError) else f"{type(error).__name__}: “{error}”"
    )
    if isinstance(error, (Refused, ConfigError)):
        # The gate waits for the user; the key is not to blame.
        return Decision(Verdict.HOLD, 0.0, reason, message)
    if isinstance(error, Unavailable) and not server_works:
        return Decision(Verdict.HOLD, 0.0, reason, message, aside=alone)
    if isinstance(error, LibraryUnread):
        return Decision(Verdict.AWAIT, LIBRARY_SECONDS, reason, message)
    if isinstance(error, NotInPlexYet):
        if settings.skip_not_found:
            return Done(message, NOT_IN_PLEX)
        if claim.snoozes + 1 >= SNOOZES:
            return Decision(Verdict.BURY, 0.0, reason, message)
        return Decision(Verdict.SNOOZE, snooze_delay(claim.snoozes, random), reason, message)
    if isinstance(error, (Ambiguous, Rejected)) or claim.attempts + 1 >= settings.max_retries:
        return Decision(Verdict.BURY, 0.0, reason, message)
    delay = retry_delay(claim.attempts, random)
    if isinstance(error, Unavailable) and error.retry_after:
        delay = max(delay, error.retry_after)
    return Decision(Verdict.RETRY, delay, reason, message)


def retry_delay(attempts: int, random: Random) -> float:
    """Back off with full jitter: uniform from 0 to min(cap, base * 2^attempts) seconds."""
    return random.uniform(0.0, _grown(RETRY_BASE, attempts, RETRY_CAP))


def snooze_delay(snoozes: int, random: Random) -> float:
    """Wait 30 s at first, 10 min at last; the upper half is jitter."""
    longest = _grown(SNOOZE_BASE, snoozes, SNOOZE_CAP)
    return random.uniform(max(SNOOZE_BASE, longest / 2), longest)


def _grown(base: float, times: int, cap: float) -> float:
    # 2.0**1024 would overflow; 32 doublings are past any cap.
    return min(cap, base * 2.0 ** min(times, 32))
