"""Pure: how long an endpoint that fails is left alone, while all else goes on."""

from __future__ import annotations

from collections.abc import Collection
from random import Random

from attrs import frozen

from stash2plex.model import Field

COVERS, POSTERS, BACKGROUNDS = "covers", "posters", "backgrounds"
"""The endpoints of pictures: Stash gives covers, Plex takes the other two."""

ALL = (COVERS, POSTERS, BACKGROUNDS)
PLEX_ENDPOINTS = (POSTERS, BACKGROUNDS)

ENDPOINTS = {Field.POSTER: POSTERS, Field.BACKGROUND: BACKGROUNDS}

FAILURES = 3
"""Failures in a row, of different scenes if there are several, after which it counts as failing."""

TRY_BASE, TRY_CAP = 2.0, 60.0
"""Seconds until it is tried again at first, and in the long run."""


HANGING = 1.0
"""Seconds without an end after which the pictures under way count as hanging."""


@frozen
class EndpointState:
    """What is known of an endpoint that failed last. `since` and `next_try_at` are epoch seconds.

    `probes` counts the failures since it was left alone, `reason` is the last error's sentence.
    """

    name: str
    failures: int = 0
    since: float = 0.0
    probes: int = 0
    next_try_at: float = 0.0
    reason: str = ""

    @property
    def is_shut(self) -> bool:
        """Whether it is left alone until `next_try_at`, but for one request at a time."""
        return self.failures >= FAILURES


def after_failure(old: EndpointState, now: float, reason: str, random: Random) -> EndpointState:
    """Return what is known of an endpoint after one more failure in a row."""
    failures = old.failures + 1
    probes = old.probes + 1 if failures >= FAILURES else 0
    longest = min(TRY_CAP, TRY_BASE * 2.0 ** min(max(0, probes - 1), 16))
    return EndpointState(
        old.name,
        failures,
        old.since if old.failures else now,
        probes,
        now + longest * random.uniform(0.8, 1.0) if probes else now,
        reason,
    )


def are_stuck(began: Collection[float], last_end: float, now: float) -> bool:
    """Return whether pictures hang: none has ended for a second, though some began before that.

    A single one that takes long does not show it: each waits for Plex's one writer, behind texts.
    All are in seconds of one clock; `began` is when those under way began.
    """
    return bool(began) and now - max(last_end, min(began)) >= HANGING


def is_blocked(shut: Collection[str]) -> bool:
    """Whether no picture at all can be sent while some endpoints are shut."""
    return COVERS in shut or all(name in shut for name in PLEX_ENDPOINTS)
