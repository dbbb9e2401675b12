"""Plans which pictures an item gets: new bytes, unless the user chose another picture.

Plex stores each upload under the hash of its bytes and never deletes one (plex.md §4.2), so bytes
that it has are selected, not sent again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping

from attrs import Factory, evolve, frozen

from stash2plex.errors import Rejected, ServerError, TooLarge, Transient, Unavailable
from stash2plex.model import (
    IMAGE_FIELDS,
    Desired,
    Field,
    Image,
    PlexItem,
    Record,
    Scene,
)
from stash2plex.rules.endpoints import COVERS, ENDPOINTS
from stash2plex.servers.plex import Plex
from stash2plex.servers.stash import Stash
from stash2plex.text import LogLine, Private


@frozen
class PicturePlan:
    """What to send and what to select, by field, and what the record keeps of it.

    `kept` are pictures that the user chose and that stay. `hashes` are those of the bytes last
    sent, empty if Plex shows something else. `before` are the keys of those that were chosen, as
    far as Plex was asked.
    """

    uploads: Mapping[Field, Image]
    choices: Mapping[Field, str]
    kept: frozenset[Field]
    hashes: Mapping[Field, str]
    notes: tuple[LogLine, ...] = ()
    before: Mapping[Field, str] = Factory(dict)

    @property
    def fields(self) -> tuple[Field, ...]:
        """The pictures that change."""
        return tuple(sorted((*self.uploads, *self.choices)))


@frozen
class Sent:
    """What became of the pictures of a scene.

    `hashes` holds those of the pictures that are settled now, `fields` those that changed. `failed`
    are the errors of endpoints, `left` the endpoints that were not asked. `tag` and `etag` are
    those of the cover. `uploads` counts the pictures that were sent, `before` are the keys of those
    that were chosen, as far as Plex was asked. `accepted` are the fields that Plex accepted and of
    which it is not known whether it shows them.
    """

    hashes: Mapping[Field, str]
    fields: tuple[Field, ...]
    kept: frozenset[Field]
    tag: str
    etag: str
    notes: tuple[LogLine, ...] = ()
    failed: Mapping[str, Exception] = Factory(dict)
    left: tuple[str, ...] = ()
    uploads: int = 0
    before: Mapping[Field, str] = Factory(dict)
    accepted: tuple[Field, ...] = ()


def is_cover_due(scene: Scene, desired: Desired, record: Record | None) -> bool:
    """Whether the cover must be looked at. `record` is that of this item, or None.

    The cover's tag changes with each edit of the scene, its ETag with the bytes (stash.md §5.6): an
    equal tag asks nobody, unless a picture lags behind that was skipped for a while.
    """
    if not desired.images or not scene.screenshot:
        return False
    if record is None or scene.cover_tag != record.cover_tag:
        return True
    return bool(record.cover_etag) and not _known_etag(desired, record)


def _hashes(record: Record | None) -> dict[Field, str]:
    return {
        Field.POSTER: record.poster_hash if record else "",
        Field.BACKGROUND: record.background_hash if record else "",
    }


def _known_etag(desired: Desired, record: Record | None) -> str:
    """Return the ETag of what Plex surely has in each place that a cover goes to."""
    hashes = _hashes(record)
    current = {hashes[name] for name in desired.images}
    return record.cover_etag if record and len(current) == 1 and "" not in current else ""


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

    Nobody is asked if the cover is known, and Plex only if it is new and the field is locked, as it
    is after an upload or the user's choice. A cover that cannot be fetched now counts as known.
    Raises what Plex answers instead.
    """
    hashes = _hashes(record)
    plan = PicturePlan({}, {}, frozenset(), hashes)
    if not is_cover_due(scene, desired, record):
        return plan
    try:
        cover = stash.cover(scene, _known_etag(desired, record))
    except (TooLarge, Rejected) as error:
        return evolve(plan, notes=(_cover_note(scene, error),))
    except (Unavailable, Transient):
        return plan
    if cover is None or cover.data is None:
        return plan
    for name in IMAGE_FIELDS:
        if name in desired.images and hashes[name] != image_hash(cover):
            plan = _plan_one(plan, name, cover, item, preserve=preserve, plex=plex)
    return plan


def _plan_one(
    plan: PicturePlan,
    name: Field,
    cover: Image,
    item: PlexItem,
    *,
    preserve: bool,
    plex: Plex,
    had_ours: bool = False,
) -> PicturePlan:
    """Add to a plan what becomes of a cover in one of its places.

    `had_ours`: the item has pictures of ours from before it was put back. Plex would not choose
    those if they were sent again.
    """
    new, ours = image_hash(cover), plan.hashes[name]
    looks = had_ours or name in item.locked
    there = plex.pictures(item.rating_key, name) if looks else ()
    chosen = next((picture.key for picture in there if picture.selected), "")
    if chosen.endswith(new):
        return evolve(plan, hashes={**plan.hashes, name: new})
    if preserve and name in item.locked and not (ours and chosen.endswith(ours)):
        return evolve(plan, kept=plan.kept | {name}, hashes={**plan.hashes, name: ""})
    before = {**plan.before, name: chosen} if looks else plan.before
    plan = evolve(plan, hashes={**plan.hashes, name: new}, before=before)
    earlier = [picture.key for picture in there if picture.key.endswith(new)]
    if earlier:
        return evolve(plan, choices={**plan.choices, name: earlier[0]})
    return evolve(plan, uploads={**plan.uploads, name: cover})


def _cover_note(scene: Scene, error: TooLarge | Rejected) -> LogLine:
    if isinstance(error, TooLarge):
        return "The cover of %s is too large for Plex; it was not sent.", Private(scene.label)
    return "The cover of %s was not sent: %s", Private(scene.label), error


def send_pictures(
    scene: Scene,
    desired: Desired,
    item: PlexItem,
    record: Record | None,
    *,
    shut: Collection[str],
    preserve: bool,
    stash: Stash,
    plex: Plex,
    had_ours: bool = False,
) -> Sent:
    """Send the cover to each of its places, but not to endpoints that are `shut`.

    An endpoint that fails holds up no other one. `had_ours`: pictures of ours are there already.
    """
    hashes = _hashes(record)
    settled = Sent({}, (), frozenset(), scene.cover_tag, record.cover_etag if record else "")
    try:
        cover = stash.cover(scene, _known_etag(desired, record))
    except (TooLarge, Rejected) as error:
        return evolve(settled, etag="", notes=(_cover_note(scene, error),))
    except ServerError as error:
        return evolve(settled, failed={COVERS: error})
    if cover is None or cover.data is None:
        return evolve(settled, etag=cover.etag if cover else "")
    sent = evolve(settled, etag=cover.etag)
    for name in IMAGE_FIELDS:
        if name not in desired.images or hashes[name] == image_hash(cover):
            continue
        if ENDPOINTS[name] in shut:
            sent = evolve(sent, left=(*sent.left, ENDPOINTS[name]))
            continue
        try:
            plan = _plan_one(
                PicturePlan({}, {}, frozenset(), hashes),
                name,
                cover,
                item,
                preserve=preserve,
                plex=plex,
                had_ours=had_ours,
            )
            notes = _carry_out(plan, name, scene, item, plex)
        except Exception as error:  # noqa: BLE001 - each picture has an outcome of its own
            sent = evolve(sent, failed={**sent.failed, ENDPOINTS[name]: error})
        else:
            sent = evolve(
                sent,
                hashes={**sent.hashes, name: plan.hashes[name]},
                fields=(*sent.fields, *plan.fields),
                kept=sent.kept | plan.kept,
                notes=(*sent.notes, *notes),
                uploads=sent.uploads + len(plan.uploads),
                before={**sent.before, **plan.before},
                accepted=sent.accepted if notes else (*sent.accepted, *plan.fields),
            )
    return sent


def _carry_out(
    plan: PicturePlan, name: Field, scene: Scene, item: PlexItem, plex: Plex
) -> tuple[LogLine, ...]:
    """Do what is planned for one picture; returns what the log records of it."""
    if name in plan.choices:
        plex.choose_picture(item.rating_key, name, plan.choices[name])
    elif name in plan.uploads:
        try:
            plex.upload(item.rating_key, name, plan.uploads[name])
        except Rejected as error:
            return (("The %s of %s was not taken: %s", name, Private(scene.label), error),)
    return ()


def cover_may_differ(scene: Scene, desired: Desired, record: Record) -> bool:
    """Return whether the cover must be checked."""
    return bool(desired.images) and scene.cover_tag != record.cover_tag


def image_hash(image: Image) -> str:
    """Hash picture bytes the way Plex names uploads (plex.md §4.2)."""
    return hashlib.sha1(image.data or b"", usedforsecurity=False).hexdigest()
