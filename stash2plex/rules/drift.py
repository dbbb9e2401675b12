"""Pure: finds how a scene, its record and its Plex item differ, as a kind and by field."""

from __future__ import annotations

from enum import StrEnum

from stash2plex.model import Desired, Field, PlexItem, Record, Scene
from stash2plex.rules.merge import plan_change
from stash2plex.rules.spelling import folds


class Kind(StrEnum):
    """What a reconcile finds. A scene has at most one kind."""

    MISSING = "missing_in_plex"
    STALE = "stale"
    DRIFTED = "drifted"
    EMPTY = "empty"
    AMBIGUOUS = "ambiguous"
    ORPHAN = "orphan_in_plex"

    @property
    def words(self) -> str:
        """The kind in words for the user."""
        return self.value.replace("_", " ").replace("plex", "Plex")


MEANINGS = {
    Kind.MISSING: "no file in Plex fits",
    Kind.STALE: "Stash holds something that was not written yet",
    Kind.DRIFTED: "Plex no longer holds what was written",
    Kind.EMPTY: "Plex shows nothing but a title",
    Kind.AMBIGUOUS: "several Plex items fit equally well",
    Kind.ORPHAN: "no scene has a file of the Plex item",
}
"""What each kind means, in words for the user."""


def find_drift(
    scene: Scene, desired: Desired, item: PlexItem, record: Record | None, *, preserve: bool
) -> tuple[Kind, tuple[Field, ...]] | None:
    """Return what a comparison of the three finds, and which fields differ; None if all agree.

    `record` must belong to this item. Values are compared, locks are not: a correct value needs no
    repair. Pictures are listed if Stash's cover may have changed since; what Plex shows would cost
    too much to read (plex.md §2.3). With `preserve`, the user's edits in Plex do not differ.
    """
    fields = plan_change(desired, item, record, preserve=preserve).fields
    if record is None:
        return (Kind.EMPTY if _fills(item, fields) else Kind.STALE), fields
    covers: tuple[Field, ...] = ()
    if scene.cover_tag != record.cover_tag:
        covers = tuple(sorted(desired.images))
    if not (fields or covers):
        return None
    if _fills(item, fields):
        return Kind.EMPTY, fields
    if not covers and all(_was_written(name, desired, record) for name in fields):
        return Kind.DRIFTED, fields
    return Kind.STALE, fields + covers


def _fills(item: PlexItem, fields: tuple[Field, ...]) -> bool:
    return is_bare(item) and bool(set(fields) - OF_THE_FILE)


def _was_written(name: Field, desired: Desired, record: Record) -> bool:
    """Return whether what was last written is what Stash holds now."""
    value = record.written.get(name)
    if name is Field.RATING:
        return value == desired.rating
    if name in desired.lists:
        known = value if isinstance(value, (list, tuple)) else ()
        return folds(known) == folds(desired.lists[name])
    return (value or "") == desired.texts[name]


def is_bare(item: PlexItem) -> bool:
    """Return whether an item shows nothing but what Plex derives from the file."""
    filled = any(text for name, text in item.texts.items() if name not in OF_THE_FILE)
    return not (filled or item.rating or any(item.lists.values()))


OF_THE_FILE = frozenset({Field.TITLE, Field.DATE})
"""Fields that Plex fills in from the file: its name and time."""
