"""Writes jobs to Plex in a thread without access to the database; equal changes share an edit."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, frozen

from stash2plex.errors import FIELD, SERVER, NotFound, ServerError
from stash2plex.model import Change, Clock, PlexItem, Record
from stash2plex.rules.edit_parts import to_mend
from stash2plex.rules.merge import (
    announcement,
    as_shared,
    plan_change,
    remember,
    remember_shown,
    share_key,
)
from stash2plex.rules.read_back import read_back
from stash2plex.rules.scopes import known_scope
from stash2plex.rules.traits import Learnt, Trait, Traits
from stash2plex.servers.apart import ReadItems
from stash2plex.servers.plexedit import parted
from stash2plex.sync.apply import Applied, apply_scene
from stash2plex.sync.edits import send_edit, send_shared_edit, sends_missing
from stash2plex.sync.pictures import is_cover_due
from stash2plex.sync.session import Job, Session

SHARED_LIMIT = 100
"""How many items one shared edit may change (plex.md §3.1)."""


@frozen
class Plan:
    """A job with the change that others may share, the change, and the record that it will leave.

    The record is None if no value has to be written.
    """

    job: Job
    change: Change
    record: Record | None


def planned(job: Job, traits: Traits, *, preserve: bool) -> Plan:
    """Plan the write of a job."""
    change = plan_change(job.desired, job.item, job.record, preserve=preserve)
    key = share_key(as_shared(change, job.item))
    if change.lists and traits.has(Trait.REPLACES_SETS):
        key = None
    job = evolve(job, shared=None if key is None else (job.item.section_id, *key))
    if not change.fields:
        return Plan(job, change, None)
    announced = announcement(job.desired, job.item, change, job.record)
    return Plan(job, change, evolve(_expected(job, change), written=announced))


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
    learnt: frozenset[Learnt] = frozenset()
    if len(jobs) > 1:
        jobs, items, learnt = _edit_together(jobs, session, traits)
    elif jobs[0].parted:
        jobs, items = _edit_parts(jobs[0], session, traits)
    results: list[Applied | Exception] = []
    for job in jobs:
        try:
            applied = _write(job, items, session, traits, clock, monotonic)
            results.append(evolve(applied, learnt=learnt))
        except Exception as error:  # noqa: BLE001 - each job has an outcome of its own
            results.append(error)
    return results


def _edit_together(
    jobs: Sequence[Job], session: Session, traits: Traits
) -> tuple[Sequence[Job], ReadItems, frozenset[Learnt]]:
    """Send the change of the first job for all, and read the items back.

    The returned jobs know what was written, so that each accepts Plex's spelling. Lists that were
    replaced although they held values of the user's are sent again whole.
    """
    preserve, plex = session.settings.preserve_plex_edits, session.plex
    changes = [plan_change(job.desired, job.item, job.record, preserve=preserve) for job in jobs]
    first, keys = jobs[0].item, [job.item.rating_key for job in jobs]
    send_shared_edit(plex, first, keys, changes[0], traits)
    written = [
        evolve(job, record=_sent(job, change)) for job, change in zip(jobs, changes, strict=True)
    ]
    items, mended = plex.items(keys), []
    for job, change in zip(jobs, changes, strict=True):
        after = items.get(job.item.rating_key)
        mending = to_mend(change, job.item, after) if after else None
        if mending is not None:
            plex.edit(first.section_id, [job.item.rating_key], mending)
            mended.append(job.item.rating_key)
    if not mended:
        return written, items, frozenset()
    items.add(plex.items(mended))
    return written, items, frozenset({(Trait.REPLACES_SETS, None)})


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
    applied = _apply(job, item, session, traits, clock, monotonic)
    return _write_followers(job, applied, session, traits, clock, monotonic)


def _write_followers(
    job: Job,
    applied: Applied,
    session: Session,
    traits: Traits,
    clock: Clock,
    monotonic: Clock,
) -> Applied:
    """Write the items that follow, each with its own record; one that fails stops no other."""
    records: list[Record] = []
    unsure: list[str] = []
    for follower in job.of_followers():
        try:
            records.append(_follow(follower, session, traits, clock, monotonic))
        except Exception as error:  # noqa: BLE001 - the scene's own item is written; it is kept
            applied = evolve(applied, later=applied.later or (error, follower.item.section_id))
            unsure.append(follower.item.rating_key)
    is_due = any(is_cover_due(job.scene, job.desired, record) for record in records)
    return evolve(
        applied,
        followers=tuple(records),
        unsure=tuple(unsure),
        is_cover_due=applied.is_cover_due or is_due,
    )


def _follow(job: Job, session: Session, traits: Traits, clock: Clock, monotonic: Clock) -> Record:
    """Write one item that follows and read it back, until Plex shows what it can show of it."""
    item = job.item
    while True:
        record = _apply(job, item, session, traits, clock, monotonic).record
        if not record.unread:
            return record
        items = session.plex.items([item.rating_key])
        if error := items.unreadable.get(item.rating_key):
            raise error
        reading = read_back(record, items.get(item.rating_key), traits)
        if not reading.again:
            return reading.record
        job, item = evolve(job, record=reading.record), items[item.rating_key]


def _apply(
    job: Job,
    item: PlexItem,
    session: Session,
    traits: Traits,
    clock: Clock,
    monotonic: Clock,
) -> Applied:
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
