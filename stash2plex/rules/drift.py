"""Pure: how a scene, its record and its Plex item differ, in one word and by field."""

from __future__ import annotations

from enum import StrEnum

from stash2plex.model import Desired, Field, PlexItem, Record, Scene
from stash2plex.rules.merge import plan_change
from stash2plex.rules.spelling import folds


class Kind(StrEnum):
    """What a reconcile finds. A scene is of one kind at most."""

    MISSING = "missing_in_plex"
    STALE = "stale"
    DRIFTED = "drifted"
    EMPTY = "empty"
    AMBIGUOUS = "ambiguous"
    ORPHAN = "orphan_in_plex"

    @property
    def words(self) -> str:
        """Say it to a person."""
        return self.value.replace("_", " ").replace("plex", "Plex")


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
    """Whether what was last written is what Stash says now."""
    value = record.written.get(name)
    if name is Field.RATING:
        return value == desired.rating
    if name in desired.lists:
        known = value if isinstance(value, (list, tuple)) else ()
        return folds(known) == folds(desired.lists[name])
    return (value or "") == desired.texts[name]


def is_bare(item: PlexItem) -> bool:
    """Whether an item shows nothing but what Plex makes up from the file."""
    filled = any(text for name, text in item.texts.items() if name not in OF_THE_FILE)
    return not (filled or item.rating or any(item.lists.values()))


OF_THE_FILE = frozenset({Field.TITLE, Field.DATE})
"""Fields that Plex fills in by itself: the file's name and time."""
