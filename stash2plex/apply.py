"""Idempotent apply: make one Plex item hold what Stash holds, and write nothing that is right."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from attrs import evolve, frozen

from stash2plex.config import Settings
from stash2plex.desired import clean_text
from stash2plex.errors import Rejected, TooLarge
from stash2plex.model import (
    Change,
    Clock,
    Desired,
    Field,
    Image,
    ListChange,
    Match,
    PlexItem,
    PlexPort,
    Record,
    Scene,
    StashPort,
)

HASH_NAMES = {Field.POSTER: "poster_hash", Field.BACKGROUND: "background_hash"}


@frozen
class Applied:
    """What an apply did. `seconds` is how long Plex took for the edit, 0 where there was none."""

    record: Record
    fields: tuple[Field, ...]
    seconds: float
    notes: tuple[str, ...] = ()


def is_settled(scene: Scene, desired: Desired, record: Record | None) -> bool:
    """Whether the record says that Plex holds all of it, so that nothing need be asked."""
    return (
        record is not None
        and record.fingerprint == desired.fingerprint
        and not _cover_may_differ(scene, desired, record)
    )


def record_of(item: PlexItem, record: Record | None) -> Record | None:
    """Return the record if it is of this item, else None: what was written is not there.

    A file may have a new item, and after Plex was rebuilt an id may name another one; then neither
    the file nor anything that we wrote is there.
    """
    if record is None or record.rating_key != item.rating_key:
        return None
    carries = any(held and record.written.get(name) == held for name, held in item.texts.items())
    return record if record.plex_path in item.paths or carries else None


def apply_scene(
    scene: Scene,
    desired: Desired,
    match: Match,
    item: PlexItem,
    record: Record | None,
    *,
    settings: Settings,
    stash: StashPort,
    plex: PlexPort,
    clock: Clock,
    monotonic: Clock,
) -> Applied:
    """Write the difference between what is wanted and what Plex holds.

    The edit goes before the pictures, and the record is returned for the caller to keep; an end at
    any point between leaves a state from which the next run finishes.
    """
    record = record_of(item, record)
    notes = []
    try:
        images, cover_tag, etag = _changed_images(scene, desired, record, stash)
    except TooLarge:
        notes.append(f"The cover of “{scene.label}” is too large for Plex; it was not sent.")
        images, cover_tag, etag = {}, cover_tag_of(scene), ""
    change = plan_change(desired, item, record, preserve=settings.preserve_plex_edits)
    if change.edits and images:
        change = evolve(change, locks=change.locks | set(images))
    seconds = 0.0
    if change.edits:
        start = monotonic()
        plex.edit(item.section_id, [item.rating_key], change)
        seconds = monotonic() - start
    if change.clear_rating:
        plex.clear_rating(item.rating_key)
    hashes = (
        dict.fromkeys(HASH_NAMES, "")
        if record is None
        else {name: getattr(record, attribute) for name, attribute in HASH_NAMES.items()}
    )
    for name, image in sorted(images.items()):
        try:
            plex.upload(item.rating_key, name, image)
        except Rejected as error:
            notes.append(f"The {name} of “{scene.label}” was not taken: {error}")
        hashes[name] = image_hash(image)
    new = Record(
        scene_id=scene.id,
        rating_key=item.rating_key,
        section_id=item.section_id,
        plex_path=match.file.path,
        matched_by=match.matched_by,
        fingerprint=desired.fingerprint,
        written=written_values(desired, change, record),
        cover_tag=cover_tag,
        cover_etag=etag,
        poster_hash=hashes[Field.POSTER],
        background_hash=hashes[Field.BACKGROUND],
        synced_at=clock(),
    )
    return Applied(new, (*change.fields, *sorted(images)), seconds, tuple(notes))


# -- pictures -----------------------------------------------------------------------------


def image_hash(image: Image) -> str:
    """Hash picture bytes the way Plex names uploads (plex.md §4.2)."""
    return hashlib.sha1(image.data or b"", usedforsecurity=False).hexdigest()


def cover_tag_of(scene: Scene) -> str:
    """Return what changes in the cover's address with each edit of the scene."""
    return scene.screenshot.rpartition("?")[2]


def _cover_may_differ(scene: Scene, desired: Desired, record: Record) -> bool:
    return bool(desired.images) and cover_tag_of(scene) != record.cover_tag


def _changed_images(
    scene: Scene, desired: Desired, record: Record | None, stash: StashPort
) -> tuple[dict[Field, Image], str, str]:
    """Return the pictures to send, and the cover's tag and ETag to remember.

    The tag (`t=` in the address) changes with each edit of the scene, the ETag with the bytes
    (stash.md §5.6); an equal tag asks nothing, an equal ETag fetches nothing.
    """
    tag = cover_tag_of(scene)
    if not desired.images or not scene.screenshot:
        return {}, record.cover_tag if record else "", record.cover_etag if record else ""
    if record and tag == record.cover_tag and _has_hashes(desired, record):
        return {}, tag, record.cover_etag
    known = record.cover_etag if record and _has_hashes(desired, record) else ""
    cover = stash.cover(scene, known)
    if cover is None:
        return {}, tag, ""
    if cover.data is None:
        return {}, tag, cover.etag
    new = image_hash(cover)
    changed = {
        name: cover
        for name in desired.images
        if record is None or getattr(record, HASH_NAMES[name]) != new
    }
    return changed, tag, cover.etag


def _has_hashes(desired: Desired, record: Record) -> bool:
    return all(getattr(record, HASH_NAMES[name]) for name in desired.images)


# -- the difference -----------------------------------------------------------------------


def plan_change(
    desired: Desired, item: PlexItem, record: Record | None, *, preserve: bool
) -> Change:
    """Compare wanted and held, with what we last wrote between them.

    An empty value of Stash clears only what we wrote. With `preserve`, a value that differs from
    what we wrote is a person's and stays; without it Stash wins. A scene that holds nothing at all
    changes nothing.
    """
    if desired.empty:
        return Change({}, {})
    written = record.written if record else {}
    texts: dict[Field, str] = {}
    locks: set[Field] = set()
    kept: set[Field] = set()
    for name, wanted in desired.texts.items():
        held = clean_text(item.texts.get(name, ""), 1_000_000)
        ours = written.get(name)
        target = _text_target(name, wanted, held, ours, desired, item, preserve=preserve)
        if target is None:
            kept.add(name)
            continue
        if target != held:
            texts[name] = target
        elif target and name not in item.locked:
            locks.add(name)
    lists: dict[Field, ListChange] = {}
    for name, wanted_list in desired.lists.items():
        held_list = item.lists.get(name, ())
        target_list = _list_target(
            name, wanted_list, held_list, _ours(written, name), preserve=preserve
        )
        if set(target_list) != set(held_list):
            stale = tuple(value for value in held_list if value not in target_list)
            lists[name] = ListChange(target_list, stale)
        elif wanted_list and name not in item.locked:
            locks.add(name)
    rating, clear, keeps = _rating_change(
        desired, item, written.get(Field.RATING), preserve=preserve
    )
    if keeps:
        kept.add(Field.RATING)
    return Change(texts, lists, rating, clear, frozenset(locks), frozenset(kept))


def as_shared(change: Change, item: PlexItem) -> Change:
    """Say a change so that it fits every item that lacks and holds the same.

    An edit of several items adds to their lists (plex.md §3.6), so only what is missing goes out.
    """
    lists = {
        name: ListChange(
            tuple(value for value in one.wanted if value not in item.lists.get(name, ())),
            one.stale,
        )
        for name, one in change.lists.items()
    }
    return evolve(change, lists=lists)


def share_key(change: Change) -> tuple[object, ...] | None:
    """Return what is equal for changes that one edit can carry; None for one that goes alone."""
    if not change.edits or change.clear_rating:
        return None
    return (
        tuple(sorted(change.texts.items())),
        tuple(sorted((name, one.wanted, one.stale) for name, one in change.lists.items())),
        change.rating,
        change.locks,
    )


def _text_target(
    name: Field,
    wanted: str,
    held: str,
    ours: object,
    desired: Desired,
    item: PlexItem,
    *,
    preserve: bool,
) -> str | None:
    """Return what the text should become, or None where it is left alone."""
    if not wanted:
        if not ours or held != ours:
            return None
        return desired.fallback_title or None if name is Field.TITLE else ""
    if preserve and held and held != wanted:
        by_person = held != ours if ours else name in item.locked
        if by_person:
            return None
    return wanted


def _list_target(
    name: Field,
    wanted: tuple[str, ...],
    held: tuple[str, ...],
    ours: tuple[str, ...],
    *,
    preserve: bool,
) -> tuple[str, ...]:
    """Return what the list should become.

    Collections are shared with a person's own: only the one that we put there goes. With
    `preserve` the same holds for every list, and what a person removed stays away.
    """
    if name is Field.COLLECTION or preserve or not wanted:
        kept = [value for value in held if value in wanted or value not in ours]
        removed = {value for value in ours if value not in held} if preserve else set()
        added = [value for value in wanted if value not in held and value not in removed]
        return tuple(kept + added)
    return wanted


def _rating_change(
    desired: Desired, item: PlexItem, ours: object, *, preserve: bool
) -> tuple[float | None, bool, bool]:
    """Return the rating to set, whether to clear it, and whether it is a person's and stays."""
    if not desired.rates:
        return None, False, False
    held = item.rating
    if desired.rating is None:
        clears = ours is not None and _same_rating(held, ours)
        return None, clears, False
    if _same_rating(held, desired.rating):
        return None, False, False
    if preserve and held and not _same_rating(held, ours):
        return None, False, True
    return desired.rating, False, False


def _same_rating(left: object, right: object) -> bool:
    if not isinstance(left, (int, float)) or not isinstance(right, (int, float)):
        return False
    return abs(left - right) < 0.05  # noqa: PLR2004 - half of Stash's smallest step


def _ours(written: Mapping[str, object], name: Field) -> tuple[str, ...]:
    value = written.get(name)
    return tuple(str(one) for one in value) if isinstance(value, (list, tuple)) else ()


def written_values(desired: Desired, change: Change, record: Record | None) -> dict[str, object]:
    """Work out what Plex holds of ours after the change: the base of the next comparison."""
    if desired.empty:
        return dict(record.written) if record else {}
    written: dict[str, object] = dict(record.written) if record else {}
    for name, text in desired.texts.items():
        if not text:
            written.pop(name, None)
        elif name not in change.kept:
            written[name] = text
    for name, values in desired.lists.items():
        written[name] = list(values)
    if desired.rates and Field.RATING not in change.kept:
        if desired.rating is None:
            written.pop(Field.RATING, None)
        else:
            written[Field.RATING] = desired.rating
    return written
