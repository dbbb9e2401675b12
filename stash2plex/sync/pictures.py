"""Plans which pictures an item gets: new bytes, unless the user chose another picture.

Plex stores each upload under the hash of its bytes and never deletes one (plex.md §4.2), so bytes
that it has are selected, not sent again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from attrs import evolve, frozen

from stash2plex.errors import Rejected, TooLarge, Transient, Unavailable
from stash2plex.model import (
    IMAGE_FIELDS,
    Desired,
    Field,
    Image,
    PlexItem,
    Record,
    Scene,
)
from stash2plex.servers.plex import Plex
from stash2plex.servers.stash import Stash
from stash2plex.text import LogLine, Private


@frozen
class PicturePlan:
    """What to send and what to select, by field, and what the record keeps of it.

    `kept` are pictures that the user chose and that stay. `hashes` are those of the bytes last
    sent, empty if Plex shows something else.
    """

    uploads: Mapping[Field, Image]
    choices: Mapping[Field, str]
    kept: frozenset[Field]
    hashes: Mapping[Field, str]
    cover_tag: str
    cover_etag: str
    notes: tuple[LogLine, ...] = ()
    later: Unavailable | Transient | None = None
    """Why the cover could not be fetched now."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """The pictures that change."""
        return tuple(sorted((*self.uploads, *self.choices)))


def plan_pictures(
    scene: Scene,
    desired: Desired,
    item: PlexItem,
    record: Record | None,
    *,
    preserve: bool,
    stash: Stash,
    plex: Plex,
) -> PicturePlan:
    """Compare the cover with what was last sent. `record` belongs to this item, or is None.

    The cover's tag changes with each edit of the scene, its ETag with the bytes (stash.md §5.6). An
    equal tag costs no request, an equal ETag no download. Plex is asked only if the cover is new
    and the field is locked, as it is after an upload or a choice of the user.
    """
    hashes = {
        Field.POSTER: record.poster_hash if record else "",
        Field.BACKGROUND: record.background_hash if record else "",
    }

    def nothing(tag: str, etag: str, *notes: LogLine) -> PicturePlan:
        return PicturePlan({}, {}, frozenset(), hashes, tag, etag, notes)

    tag = scene.cover_tag
    if not desired.images or not scene.screenshot:
        return nothing(record.cover_tag if record else "", record.cover_etag if record else "")
    # A picture that was skipped for a while may be older than the other.
    current = {hashes[name] for name in desired.images}
    known = record.cover_etag if record and len(current) == 1 and "" not in current else ""
    if record and tag == record.cover_tag and (known or not record.cover_etag):
        return nothing(tag, record.cover_etag)
    try:
        cover = stash.cover(scene, known)
    except TooLarge:
        words = "The cover of %s is too large for Plex; it was not sent."
        return nothing(tag, "", (words, Private(scene.label)))
    except Rejected as error:
        return nothing(tag, "", ("The cover of %s was not sent: %s", Private(scene.label), error))
    except (Unavailable, Transient) as error:
        return evolve(nothing(tag, ""), later=error)
    if cover is None or cover.data is None:
        return nothing(tag, cover.etag if cover else "")
    new = image_hash(cover)
    uploads: dict[Field, Image] = {}
    choices: dict[Field, str] = {}
    kept: set[Field] = set()
    for name in IMAGE_FIELDS:
        if name not in desired.images or hashes[name] == new:
            continue
        there = plex.pictures(item.rating_key, name) if name in item.locked else ()
        chosen = next((picture.key for picture in there if picture.selected), "")
        ours = hashes[name]
        if chosen.endswith(new):
            hashes[name] = new
        elif preserve and name in item.locked and not (ours and chosen.endswith(ours)):
            kept.add(name)
            hashes[name] = ""
        else:
            earlier = [picture.key for picture in there if picture.key.endswith(new)]
            if earlier:
                choices[name] = earlier[0]
            else:
                uploads[name] = cover
            hashes[name] = new
    return PicturePlan(uploads, choices, frozenset(kept), hashes, tag, cover.etag)


def cover_may_differ(scene: Scene, desired: Desired, record: Record) -> bool:
    """Return whether the cover must be checked."""
    return bool(desired.images) and scene.cover_tag != record.cover_tag


def image_hash(image: Image) -> str:
    """Hash picture bytes the way Plex names uploads (plex.md §4.2)."""
    return hashlib.sha1(image.data or b"", usedforsecurity=False).hexdigest()
