"""Writes jobs to Plex in a thread without access to the database; equal changes share an edit."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from stash2plex.errors import FIELD, SERVER, NotFound, ServerError
from stash2plex.model import Change, Clock, Record
from stash2plex.rules.merge import (
    announcement,
    as_shared,
    plan_change,
    remember,
    remember_shown,
    share_key,
)
from stash2plex.rules.scopes import known_scope
from stash2plex.rules.traits import Traits
from stash2plex.servers.apart import ReadItems
from stash2plex.servers.plexedit import parted
from stash2plex.sync.apply import Applied, apply_scene
from stash2plex.sync.edits import send_edit, send_shared_edit, sends_missing
from stash2plex.sync.session import Job, Session

SHARED_LIMIT = 100
"""How many items one shared edit may change (plex.md §3.1)."""


def planned(job: Job, *, preserve: bool) -> tuple[Job, Record | None]:
    """Return a job with the change that others may share, and the record that it will leave.

    The record is None if nothing has to be written.
    """
    change = plan_change(job.desired, job.item, job.record, preserve=preserve)
    key = share_key(as_shared(change, job.item))
    job = evolve(job, shared=None if key is None else (job.item.section_id, *key))
    if not change.fields:
        return job, None
    announced = announcement(job.desired, job.item, change, job.record)
    return job, evolve(_expected(job, change), written=announced)


def can_be_parted(job: Job, *, preserve: bool) -> bool:
    """Whether the edit of a job has more than one part."""
    change = plan_change(job.desired, job.item, job.record, preserve=preserve)
    return len(parted(change)) > 1


def _expected(job: Job, change: Change) -> Record:
    """Return the record that a change will leave, before it is sent."""
    written, removed = remember(job.desired, job.item, change, job.record)
    return Record(
        scene_id=job.scene.id,
        rating_key=job.item.rating_key,
        section_id=job.item.section_id,
        plex_path=job.match.file.path,
        matched_by=job.match.matched_by,
        fingerprint="",
        written=written,
        removed=removed,
    )


def write_jobs(
    jobs: Sequence[Job], session: Session, traits: Traits, clock: Clock, monotonic: Clock
) -> list[Applied | Exception]:
    """Write jobs, and return one result for each.

    Jobs that want exactly the same change get it in one edit. Then the items are read back, and
    each job is applied as if it were alone: if the edit did everything, nothing more is written.
    Raises what the shared edit raises.
    """
    items = ReadItems({job.item.rating_key: job.item for job in jobs})
    if len(jobs) > 1:
        jobs, items = _edit_together(jobs, session, traits)
    elif jobs[0].parted:
        jobs, items = _edit_parts(jobs[0], session, traits)
    results: list[Applied | Exception] = []
    for job in jobs:
        try:
            results.append(_write(job, items, session, traits, clock, monotonic))
        except Exception as error:  # noqa: BLE001 - each job has an outcome of its own
            results.append(error)
    return results


def _edit_together(
    jobs: Sequence[Job], session: Session, traits: Traits
) -> tuple[Sequence[Job], ReadItems]:
    """Send the change of the first job for all, and read the items back.

    The jobs come back knowing what was written, so that each accepts how Plex spells it.
    """
    preserve, plex = session.settings.preserve_plex_edits, session.plex
    changes = [plan_change(job.desired, job.item, job.record, preserve=preserve) for job in jobs]
    first, keys = jobs[0].item, [job.item.rating_key for job in jobs]
    send_shared_edit(plex, first, keys, changes[0], traits)
    written = [
        evolve(job, record=_sent(job, change)) for job, change in zip(jobs, changes, strict=True)
    ]
    return written, plex.items(keys)


def _sent(job: Job, change: Change) -> Record:
    """Return the record of a change that was sent and not read back yet."""
    expected = _expected(job, change)
    shown, unread = remember_shown(job.desired, job.item, change, job.record, delta=True)
    return evolve(
        job.record or expected,
        written=expected.written,
        removed=expected.removed,
        fingerprint=job.desired.fingerprint,
        announced=(),
        shown=shown,
        unread=unread,
    )


def _edit_parts(job: Job, session: Session, traits: Traits) -> tuple[Sequence[Job], ReadItems]:
    """Send the change of a job field by field, and read the item back.

    The job comes back knowing what was written. Raises an error that names the fields that Plex did
    not accept, after all were tried.
    """
    plex, preserve = session.plex, session.settings.preserve_plex_edits
    change = plan_change(job.desired, job.item, job.record, preserve=preserve)
    lost: dict[str, ServerError] = {}
    parts = parted(change)
    for name, part in parts:
        delta = sends_missing(part, job.item, traits, preserve=preserve)
        try:
            send_edit(plex, job.item, part, traits, delta=delta)
        except ServerError as error:
            if isinstance(error, NotFound) or known_scope(error) == SERVER:
                raise
            lost[name or "locks"] = error
    if lost:
        raise _field_error(job, session, lost, all_lost=len(lost) == len(parts))
    return [evolve(job, record=_sent(job, change))], plex.items([job.item.rating_key])


def _field_error(
    job: Job, session: Session, lost: dict[str, ServerError], *, all_lost: bool
) -> ServerError:
    """Return an error that names the fields that Plex did not take.

    An edit of the same item that changes nothing shows that it was about them, and not about a
    server that went away meanwhile.
    """
    first = next(iter(lost.values()))
    if all_lost:
        return first
    try:
        session.plex.confirm_lock(job.item)
    except ServerError:
        return first
    names = " and ".join(sorted(lost))
    error = first.with_words(
        f"Plex does not take the {names} of “{job.scene.label}”: {first.what}",
        "Its other fields are in Plex. Change this one in Stash, or skip it in skip_fields.",
    )
    error.scope = FIELD
    return error


def _write(
    job: Job,
    items: ReadItems,
    session: Session,
    traits: Traits,
    clock: Clock,
    monotonic: Clock,
) -> Applied:
    if error := items.unreadable.get(job.item.rating_key):
        raise error
    item = items.get(job.item.rating_key)
    if item is None:
        raise NotFound("Plex", f"“{job.scene.label}” has moved in Plex; it is looked up again.")
    return apply_scene(
        job.scene,
        job.desired,
        job.match,
        item,
        job.record,
        settings=session.settings,
        traits=traits,
        plex=session.plex,
        clock=clock,
        monotonic=monotonic,
    )
