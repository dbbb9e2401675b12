"""Decides which polls and sweeps are due by comparing two glances at Stash.

If something moved, a glance differs from the marks of the last one. What moved is polled by its
time of change. What no time shows is left to a full sweep, which the clock, a job in Stash, a
restored backup, a changed setting or a new database makes due.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from attrs import Factory, evolve, frozen

from stash2plex.config import Settings, plain
from stash2plex.errors import Transient
from stash2plex.model import Glance, StashJob
from stash2plex.text import DAY

LOOK_SECONDS = 60.0
"""Seconds between two glances of a process that drains."""

WAKE_SECONDS = 600.0
"""Age of the last glance, in seconds, at which opening Stash's page starts a worker."""

OVERLAP = timedelta(hours=2)
"""How far before its watermark a poll begins: the end of summer time takes an hour, and a slow
operation appears late with the time of its start (stash.md §5.2)."""

BACK_SECONDS = 3600.0
"""Seconds between two full sweeps whose only cause is that the newest scene is gone."""

INTERVALS = {"hourly": 3_600.0, "daily": DAY, "weekly": 7 * DAY}

ENTITIES = ("performer", "studio", "tag", "group")

SWEPT_AFTER = ("Scanning", "Cleaning", "Importing")
"""Jobs that change scenes without a trace in any `updated_at` (stash.md §10)."""

WATCHED = (*SWEPT_AFTER, "Auto-tagging", "Identifying", "Generating", "Batch stash-box")
"""Jobs of Stash that change what scenes show, by the start of their description."""

SETTINGS_CAUSE = "a setting has changed"

SHOWING = (
    "skip_fields",
    "only_organized",
    "exclude_tags",
    "ignore_tags",
    "max_tags",
    "preserve_plex_edits",
)
MATCHING = ("plex_library", "path_map", "loose_matching")
"""Settings that affect scenes: what they show, and whether they are found in Plex."""


@frozen
class KindMark:
    """What the last glance saw of a kind. `floor` is the newest time at the very first glance.

    What is not newer than the floor was there before Stash2Plex, so no poll asks for it. `again`
    means that something moved at that time, so the next look polls once more: there can be more
    than one change in a second.
    """

    newest: str
    count: int
    floor: str = ""
    again: bool = False


@frozen
class Marks:
    """What is stored between two glances; times are epoch seconds.

    `swept_at` is when the last full sweep began, or the very first glance. `sweep_at` is when the
    next one is due for a `cause`; only a complete sweep clears it. `jobs` are the watched jobs that
    were not over, by number.
    """

    looked_at: float
    swept_at: float
    kinds: Mapping[str, KindMark] = Factory(dict)
    sweep_at: float | None = None
    cause: str = ""
    back_at: float = 0.0
    last_job: int = 0
    jobs: Mapping[int, str] = Factory(dict)
    settings: str = ""


@frozen
class Look:
    """What a glance means. `marks` are stored when everything else in it is done.

    `polls` maps kinds to the text that a time of change must be greater than. Something of each
    kind in `vanished` is gone. `renumbered` means that Stash was restarted: the next glance asks
    for jobs from number 1 on.
    """

    marks: Marks
    polls: Mapping[str, str]
    vanished: tuple[str, ...] = ()
    renumbered: bool = False


# -- stored -------------------------------------------------------------------------------


# -- decided ------------------------------------------------------------------------------


def settings_digest(settings: Settings) -> str:
    """Return a digest that is equal for settings that affect scenes in the same way."""
    values = []
    for name in (*SHOWING, *MATCHING):
        value = getattr(settings, name)
        values.append(plain(value))
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def first_look(glance: Glance, now: float, digest: str) -> Look:
    """Handle the very first glance: set the marks and ask for nothing.

    The user did not ask for the whole library yet; the interval of the full sweep counts from now.
    """
    kinds = {
        kind: KindMark(mark.newest, mark.count, floor=mark.newest)
        for kind, mark in glance.marks.items()
    }
    last_job, jobs = _jobs(glance)
    marks = Marks(now, now, kinds, last_job=last_job, jobs=jobs, settings=digest)
    return Look(marks, {})


def look(marks: Marks, glance: Glance, now: float, digest: str) -> Look:
    """Compare a glance with the marks of the last one."""
    ended, renumbered = _ended_jobs(marks, glance)
    kinds: dict[str, KindMark] = {}
    polls: dict[str, str] = {}
    vanished: list[str] = []
    restored = fewer = False
    for kind, new in glance.marks.items():
        old = marks.kinds.get(kind, KindMark("", 0))
        moved = (new.newest, new.count) != (old.newest, old.count)
        kinds[kind] = KindMark(new.newest, new.count, old.floor, again=moved)
        if moved or old.again:
            polls[kind] = poll_start(min(old.newest, new.newest), old.floor)
        if kind in ENTITIES and new.count < old.count:
            vanished.append(kind)
        if new.newest < old.newest:
            restored = restored or new.count >= old.count
            fewer = fewer or kind == "scene"
    last_job, jobs = _jobs(glance)
    new_marks = evolve(
        marks, looked_at=now, kinds=kinds, last_job=last_job, jobs=jobs, settings=digest
    )
    if digest != marks.settings:
        # This cause goes before any other: it alone queues dead letters again.
        new_marks = evolve(new_marks, sweep_at=now, cause=SETTINGS_CAUSE)
    elif restored or (fewer and not 0 <= now - marks.back_at < BACK_SECONDS):
        new_marks = evolve(new_marks, back_at=now)
        new_marks = ask_for_sweep(new_marks, now, "Stash shows an older state than before")
    elif any(name.startswith(SWEPT_AFTER) for name in ended):
        new_marks = ask_for_sweep(new_marks, now, "a scan, a clean or an import of Stash has ended")
    elif fewer:
        new_marks = ask_for_sweep(new_marks, marks.back_at + BACK_SECONDS, "a scene is gone")
    return Look(new_marks, polls, tuple(vanished), renumbered)


def ask_for_sweep(marks: Marks, moment: float, cause: str) -> Marks:
    """Make a full sweep due at a moment, unless one is due before; the first cause is kept."""
    if marks.sweep_at is not None and marks.sweep_at <= moment:
        return marks
    return evolve(marks, sweep_at=moment, cause=cause)


def sweep_cause(marks: Marks, interval: str, now: float, *, by_clock: bool) -> str | None:
    """Return why a full sweep is due now; None if it is not. `by_clock` includes the interval."""
    if marks.sweep_at is not None and marks.sweep_at <= now:
        return marks.cause
    seconds = INTERVALS.get(interval)
    # A clock that was set back by more than the interval must not delay the sweep by as much.
    if by_clock and seconds is not None and abs(now - marks.swept_at) >= seconds:
        return f"that is done {interval}"
    return None


def next_sweep(marks: Marks, interval: str) -> float | None:
    """Return when the next full sweep is due, by the interval too; None if none is planned."""
    moments = [] if marks.sweep_at is None else [marks.sweep_at]
    if interval in INTERVALS:
        moments.append(marks.swept_at + INTERVALS[interval])
    return min(moments, default=None)


def swept(marks: Marks, began: float) -> Marks:
    """Record that the full sweep that began at `began` saw everything."""
    if marks.sweep_at is not None and marks.sweep_at > began:
        return evolve(marks, swept_at=began)
    return evolve(marks, swept_at=began, sweep_at=None, cause="")


def is_stale(marks: Marks | None, now: float) -> bool:
    """Return whether the last glance is so old that a worker should be started for a new one."""
    return marks is None or not 0 <= now - marks.looked_at < WAKE_SECONDS


# -- the watermark ------------------------------------------------------------------------


def poll_start(newest: str, floor: str) -> str:
    """Return the text that a time of change must be greater than to be polled.

    Stash compares times as text: local, whole seconds, with the offset at the end (stash.md §5.2).
    A time without offset sorts before the same second with one, so that second is included. The
    floor keeps its offset, so its own second is left out. Raises Transient for a text that is not a
    time.
    """
    if not newest:
        return floor
    try:
        moment = datetime.fromisoformat(newest[:19])
        start = (moment - OVERLAP).strftime("%Y-%m-%dT%H:%M:%S")
    except (ValueError, OverflowError) as error:
        raise Transient(
            "Stash", f"Stash sent a time that cannot be read: {newest[:40]!r}."
        ) from error
    return max(start, floor)


# -- jobs ---------------------------------------------------------------------------------


def _jobs(glance: Glance) -> tuple[int, dict[int, str]]:
    last = max((job.id for job in glance.jobs), default=0)
    return last, {job.id: job.description for job in glance.jobs if _is_watched(job)}


def _is_watched(job: StashJob) -> bool:
    return not job.ended and job.description.startswith(WATCHED)


def _ended_jobs(marks: Marks, glance: Glance) -> tuple[list[str], bool]:
    """Return the jobs that ended since, and whether the numbers started over."""
    known = {job.id: job for job in glance.jobs}
    anew = marks.last_job > 0 and (
        max(known, default=0) < marks.last_job
        or any(
            not job.ended
            and job.id <= marks.last_job
            and job.id not in marks.jobs
            and _is_watched(job)
            for job in glance.jobs
        )
    )
    ended = [
        description
        for number, description in marks.jobs.items()
        if number not in known or known[number].ended
    ]
    if not anew:
        ended += [
            job.description
            for job in glance.jobs
            if job.ended and job.id > marks.last_job and job.description.startswith(WATCHED)
        ]
    return ended, anew
