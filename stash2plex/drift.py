"""Pure: how a scene, its record and its Plex item differ, in one word and by field."""

from __future__ import annotations

from enum import StrEnum

from stash2plex.apply import cover_tag_of, is_settled, plan_change
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
    fields = plan_change(desired, item, record, preserve=preserve).fields
    settled = is_settled(scene, desired, record)
    if settled and not fields:
        return None
    if fields and is_bare(item):
        return Kind.EMPTY, fields
    if settled:
        return Kind.DRIFTED, fields
    if record is not None and cover_tag_of(scene) != record.cover_tag:
        fields += tuple(sorted(desired.images))
    return Kind.STALE, fields


def is_bare(item: PlexItem) -> bool:
    """Whether an item shows nothing but a title and a date: Plex makes both up from the file."""
    filled = any(text for name, text in item.texts.items() if name not in (Field.TITLE, Field.DATE))
    return not (filled or item.rating or any(item.lists.values()))
