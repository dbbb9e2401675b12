"""Pure: how a scene, its record and its Plex item differ, in one word and by field."""

from __future__ import annotations

from enum import StrEnum

from stash2plex.apply import cover_tag_of, plan_change, written_values
from stash2plex.model import Desired, Field, PlexItem, Record, Scene


class Kind(StrEnum):
    """What a reconcile finds. A scene is of one kind at most."""

    MISSING = "missing_in_plex"
    STALE = "stale"
    DRIFTED = "drifted"
    EMPTY = "empty"
    AMBIGUOUS = "ambiguous"
    ORPHAN = "orphan_in_plex"


MEANINGS = {
    Kind.MISSING: "no file in Plex fits",
    Kind.STALE: "Stash says something that was not written yet",
    Kind.DRIFTED: "Plex no longer holds what was written",
    Kind.EMPTY: "Plex shows nothing but a title",
    Kind.AMBIGUOUS: "several Plex items fit equally well",
    Kind.ORPHAN: "no scene has a file of the Plex item",
}
"""What each kind means, in words for a person."""


def find_drift(
    scene: Scene, desired: Desired, item: PlexItem, record: Record | None, *, preserve: bool
) -> tuple[Kind, tuple[Field, ...]] | None:
    """Say what a comparison of the three shows, and which fields differ; None where all is well.

    `record` is that of this very item. Values are compared, locks are not: a value that is right
    needs no mending. Pictures are named where Stash's cover may have changed since; what Plex shows
    cannot be told cheaply (plex.md §2.3). With `preserve`, what a person changed in Plex is well.
    """
    change = plan_change(desired, item, record, preserve=preserve)
    fields = change.fields
    written = record is not None and written_values(desired, change, record) == record.written
    covers: tuple[Field, ...] = ()
    if record is not None and cover_tag_of(scene) != record.cover_tag:
        covers = tuple(sorted(desired.images))
    if is_bare(item) and set(fields) - OF_THE_FILE:
        return Kind.EMPTY, fields
    if written and not covers:
        return (Kind.DRIFTED, fields) if fields else None
    return Kind.STALE, fields + covers


def is_bare(item: PlexItem) -> bool:
    """Whether an item shows nothing but what Plex makes up from the file."""
    filled = any(text for name, text in item.texts.items() if name not in OF_THE_FILE)
    return not (filled or item.rating or any(item.lists.values()))


OF_THE_FILE = frozenset({Field.TITLE, Field.DATE})
"""Fields that Plex fills in by itself: the file's name and time."""
