"""Idempotent apply: makes one Plex item hold what Stash holds, and writes only what differs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from attrs import frozen

from stash2plex.config import Settings
from stash2plex.model import (
    Change,
    Clock,
    Desired,
    Field,
    Match,
    PlexItem,
    Record,
    Scene,
)
from stash2plex.rules.desired import what_was_cut
from stash2plex.rules.memory import base_of
from stash2plex.rules.merge import plan_change, remember, remember_shown
from stash2plex.rules.traits import Learnt, Traits
from stash2plex.servers.plex import Plex
from stash2plex.sync.edits import send_edit, sends_missing
from stash2plex.sync.pictures import cover_may_differ, is_cover_due
from stash2plex.text import LogLine


@frozen
class Applied:
    """What an apply did. `seconds` is how long Plex took for the edit, 0 without an edit.

    `kept` are fields that Stash would change but that stay as the user edited them. `is_cover_due`
    means that its pictures are to be looked at. `learnt` are traits of the server. `followers` are
    the records of the items that follow, `unsure` the keys of those whose edit failed: Plex may
    hold it or not. `later` is the failure of one and the library it is in.
    """

    record: Record
    fields: tuple[Field, ...]
    seconds: float
    notes: tuple[LogLine, ...] = ()
    kept: tuple[Field, ...] = ()
    is_cover_due: bool = False
    learnt: frozenset[Learnt] = frozenset()
    followers: tuple[Record, ...] = ()
    unsure: tuple[str, ...] = ()
    later: tuple[Exception, str] | None = None


KEPT = "+kept"
"""Ends the fingerprint of a record with kept edits: it counts while edits are preserved."""


def files_mark(scene: Scene) -> str:
    """Return a digest of a scene's files: another file may be in another Plex item.

    Stash moves, renames and reassigns files without changing the scene's time (stash.md §10).
    """
    listed = json.dumps([[file.path, file.size] for file in scene.files])
    return hashlib.sha256(listed.encode()).hexdigest()[:32]


def is_settled(scene: Scene, desired: Desired, record: Record | None) -> bool:
    """Return whether, by the record, Plex holds everything, so that no request is needed."""
    return (
        record is not None
        and are_texts_settled(scene, desired, record)
        and not cover_may_differ(scene, desired, record)
    )


def are_texts_settled(scene: Scene, desired: Desired, record: Record) -> bool:
    """Return whether, by the record, Plex holds everything except perhaps the pictures."""
    ending = KEPT if desired.preserves else ""
    return record.fingerprint in (
        desired.fingerprint,
        desired.fingerprint + ending,
    ) and record.files == files_mark(scene)


def record_of(item: PlexItem, record: Record | None) -> Record | None:
    """Return the record if it belongs to this item, else None.

    A file may have a new item, and after a rebuild of Plex an id may name another item. Then
    nothing that we wrote is there.
    """
    if record is None or record.rating_key != item.rating_key:
        return None
    base = base_of(record, item)
    carries = any(held and base.wrote(name, held) for name, held in item.texts.items())
    return record if record.plex_path in item.paths or carries else None


def apply_scene(
    scene: Scene,
    desired: Desired,
    match: Match,
    item: PlexItem,
    record: Record | None,
    *,
    settings: Settings,
    traits: Traits,
    plex: Plex,
    clock: Clock,
    monotonic: Clock,
) -> Applied:
    """Write the difference between what is wanted and what Plex holds, as its `traits` ask for.

    The record is returned for the caller to store. If the process ends before that, the next run
    finishes the work. Pictures are sent later: they hold up no text.
    """
    record = record_of(item, record)
    preserve = settings.preserve_plex_edits
    notes = what_was_cut(scene, desired, settings)
    change = plan_change(desired, item, record, preserve=preserve)
    delta = sends_missing(change, item, traits, preserve=preserve)
    seconds = 0.0
    if change.edits:
        start = monotonic()
        send_edit(plex, item, change, traits, delta=delta)
        seconds = monotonic() - start
    if change.clear_rating:
        plex.clear_rating(item.rating_key)
    written, removed = remember(desired, item, change, record)
    shown, unread = remember_shown(desired, item, change, record, delta=delta)
    kept = tuple(sorted(change.kept))
    new = Record(
        scene_id=scene.id,
        rating_key=item.rating_key,
        section_id=item.section_id,
        plex_path=match.file.path,
        matched_by=match.matched_by,
        fingerprint=desired.fingerprint + (KEPT if kept else ""),
        written=written,
        cover_tag=record.cover_tag if record else "",
        cover_etag=record.cover_etag if record else "",
        poster_hash=record.poster_hash if record else "",
        background_hash=record.background_hash if record else "",
        synced_at=clock(),
        removed=removed,
        files=files_mark(scene),
        shown=shown,
        unread=unread,
        verified=_sees_all(desired, written, record),
        tries=_tries(change, record),
    )
    return Applied(
        new,
        change.fields,
        seconds,
        tuple(notes),
        kept,
        is_cover_due=is_cover_due(scene, desired, record),
    )


def _sees_all(desired: Desired, written: Mapping[str, object], record: Record | None) -> bool:
    """Whether what is not to be read back was seen as it was written: it has been compared."""
    if record is None or record.verified:
        return True
    return set(written) <= {*desired.texts, *desired.lists, Field.RATING}


def _tries(change: Change, record: Record | None) -> int:
    """Count the writes in a row that Plex took and did not keep.

    A reading has counted the last one where the record has no fingerprint.
    """
    if record is None or not set(change.fields) & set(record.unread):
        return 0
    return record.tries + bool(record.fingerprint)
