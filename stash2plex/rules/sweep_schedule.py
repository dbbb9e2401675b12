"""What is due of looking after the library, decided from two glances; and the marks between them.

A glance differs from the marks of the last one where something moved. What moved is polled by its
time of change; what no time tells of is left to a full sweep, which the clock, a job of Stash, a
restored backup, a changed setting or a fresh database make due.
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

LOOK_SECONDS = 60.0
"""Between two glances of a process that drains."""

WAKE_SECONDS = 600.0
"""Age of the last glance at which opening Stash's page starts a worker."""

OVERLAP = timedelta(hours=2)
"""How far before its watermark a poll begins: an hour goes with the end of summer time, and a slow
operation shows up late with the time of its start (stash.md §5.2)."""

BACK_SECONDS = 3600.0
"""Between two full sweeps that have no better reason than that the newest scene is gone."""

INTERVALS = {"hourly": 3_600.0, "daily": 86_400.0, "weekly": 604_800.0}

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
"""Settings whose change touches scenes: what they show, and whether they are found in Plex."""


@frozen
class KindMark:
    """What the last glance saw of a kind. `floor` is the newest time at the first glance ever.

    What is not newer than the floor was there before Stash2Plex: no poll asks for it. `again` says
    that something moved then, so that the next look polls once more: a second has room for more
    than one change.
    """

    newest: str
    count: int
    floor: str = ""
    again: bool = False


@frozen
class Marks:
    """What is remembered between two glances; times are epoch seconds.

    `swept_at` is when the last full sweep began, or the first glance ever. `sweep_at` is when the
    next one is due for a `cause`; it is cleared by a complete one only. `jobs` are the watched
    jobs that were not over, by number.
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
    """What a glance means. `marks` are true once the rest of it is done, and stored then.

    `polls` maps kinds to the text that a time of change must be greater than. Of the kinds in
    `vanished` something is gone. `renumbered` says that Stash was started anew: the jobs have to
    be asked for from one on.
    """

    marks: Marks
    polls: Mapping[str, str]
    vanished: tuple[str, ...] = ()
    renumbered: bool = False


# -- stored -------------------------------------------------------------------------------


# -- decided ------------------------------------------------------------------------------


def settings_digest(settings: Settings) -> str:
    """Return what is equal for settings under which scenes look and match the same."""
    values = []
    for name in (*SHOWING, *MATCHING):
        value = getattr(settings, name)
        values.append(plain(value))
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def first_look(glance: Glance, now: float, digest: str) -> Look:
    """Take the first glance ever: set the marks and ask for nothing.

    Nobody asked for the whole library; the interval of the full sweep counts from now.
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
    found = evolve(marks, looked_at=now, kinds=kinds, last_job=last_job, jobs=jobs, settings=digest)
    if digest != marks.settings:
        # Told before any other cause: it alone brings dead letters back.
        found = evolve(found, sweep_at=now, cause=SETTINGS_CAUSE)
    elif restored or (fewer and not 0 <= now - marks.back_at < BACK_SECONDS):
        found = evolve(found, back_at=now)
        found = ask_for_sweep(found, now, "Stash shows an older state than before")
    elif any(name.startswith(SWEPT_AFTER) for name in ended):
        found = ask_for_sweep(found, now, "a scan, a clean or an import of Stash has ended")
    elif fewer:
        found = ask_for_sweep(found, marks.back_at + BACK_SECONDS, "a scene is gone")
    return Look(found, polls, tuple(vanished), renumbered)


def ask_for_sweep(marks: Marks, moment: float, cause: str) -> Marks:
    """Make a full sweep due at a moment, unless one is due before; the first cause is told."""
    if marks.sweep_at is not None and marks.sweep_at <= moment:
        return marks
    return evolve(marks, sweep_at=moment, cause=cause)


def sweep_cause(marks: Marks, interval: str, now: float, *, by_clock: bool) -> str | None:
    """Return why a full sweep is due now, or None. `by_clock` lets the interval count."""
    if marks.sweep_at is not None and marks.sweep_at <= now:
        return marks.cause
    seconds = INTERVALS.get(interval)
    # A clock that was set back by more than the interval must not put it off for as long.
    if by_clock and seconds is not None and abs(now - marks.swept_at) >= seconds:
        return f"that is done {interval}"
    return None


def swept(marks: Marks, began: float) -> Marks:
    """Note that a full sweep which began at a moment saw everything."""
    if marks.sweep_at is not None and marks.sweep_at > began:
        return evolve(marks, swept_at=began)
    return evolve(marks, swept_at=began, sweep_at=None, cause="")


def is_stale(marks: Marks | None, now: float) -> bool:
    """Whether the last glance is so old that a worker should be started for one."""
    return marks is None or not 0 <= now - marks.looked_at < WAKE_SECONDS


# -- the watermark ------------------------------------------------------------------------


def poll_start(newest: str, floor: str) -> str:
    """Return the text that a time of change must be greater than, to be polled for.

    Stash compares times as text: local, whole seconds, with the offset at the end (stash.md §5.2).
    A time without offset sorts before the same second with one, so that second is included. The
    floor keeps its offset and so leaves its own second out. Raises Transient for a text that is no
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
    """List the jobs that ended since, and say whether the numbers have started anew."""
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
