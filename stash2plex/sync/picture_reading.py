"""Looks whether Plex shows the pictures that it accepted: a 200 does not show that.

The items that are read back show it as a rule: Plex locks the field of an upload and gives its
picture another address (plex.md §4.3). Only a few that show neither are asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from attrs import evolve, frozen

from stash2plex.errors import NotFound
from stash2plex.model import Field, Record
from stash2plex.rules.read_back import shows_picture
from stash2plex.rules.traits import Trait
from stash2plex.servers.apart import ReadItems
from stash2plex.servers.plex import Plex
from stash2plex.store.picture_checks import LOST, SENT_AGAIN, PictureCheck
from stash2plex.sync.session import Store
from stash2plex.text import Private

ASKED = 3
"""How many doubtful pictures of a kind are asked for at a time."""

FOR_AN_ENDPOINT = 2
"""How many items must have lost a picture before the server counts as the cause."""


@frozen
class PictureReading:
    """What was seen of pictures.

    `kept` are shown. `lost` are not, though Plex accepted them. `again` were there, but not shown,
    and were chosen. `gone` are on items that are no longer there.
    """

    kept: tuple[PictureCheck, ...] = ()
    lost: tuple[PictureCheck, ...] = ()
    again: tuple[PictureCheck, ...] = ()
    gone: tuple[PictureCheck, ...] = ()

    def __add__(self, other: PictureReading) -> PictureReading:
        """Return both together."""
        return PictureReading(
            (*self.kept, *other.kept),
            (*self.lost, *other.lost),
            (*self.again, *other.again),
            (*self.gone, *other.gone),
        )


def look_at_pictures(
    checks: Sequence[PictureCheck], items: ReadItems, plex: Plex, *, spared: bool
) -> PictureReading:
    """Sort pictures by what their items show; asks Plex only about a few. Raises what Plex raises.

    Those on items that cannot be read are left out. `spared`: another picture that is chosen by now
    is the user's, and stays.
    """
    found = PictureReading()
    for name in sorted({check.field for check in checks}):
        of_kind = [check for check in checks if check.field is name]
        gone = [
            one
            for one in of_kind
            if one.rating_key not in items and one.rating_key not in items.unreadable
        ]
        there = [check for check in of_kind if check.rating_key in items]
        kept = [one for one in there if shows_picture(one.field, one.shown, items[one.rating_key])]
        doubtful = [one for one in there if one not in kept]
        asked = PictureReading(tuple(kept), gone=tuple(gone))
        for check in doubtful[:ASKED]:
            asked += _ask(check, plex, spared=spared)
        rest = tuple(doubtful[ASKED:])
        all_lost = asked.lost and not asked.kept
        found += asked + (PictureReading(lost=rest) if all_lost else PictureReading(kept=rest))
    return found


def _ask(check: PictureCheck, plex: Plex, *, spared: bool) -> PictureReading:
    try:
        pictures = plex.pictures(check.rating_key, check.field)
        ours = [one for one in pictures if one.key.endswith(check.hash)]
        if any(one.selected for one in (pictures if ours and spared else ours)):
            return PictureReading(kept=(check,))
        if ours and not check.tries:
            plex.choose_picture(check.rating_key, check.field, ours[0].key)
            return PictureReading(again=(check,))
    except NotFound:
        return PictureReading(gone=(check,))
    return PictureReading(lost=(check,))


@frozen
class PictureReader:
    """Acts on what was seen, in the thread of the database and in the transaction of the caller."""

    store: Store

    def take_in(self, reading: PictureReading) -> list[Field]:
        """Store what was seen; returns the kinds of pictures that Plex turns out not to keep."""
        checks = self.store.picture_checks
        checks.end((*reading.kept, *reading.gone))
        for check in reading.again:
            checks.add(evolve(check, tries=check.tries + 1))
        kept = {check.field for check in reading.kept}
        for name in sorted(kept):
            self._works(name)
        new = []
        for name in sorted({check.field for check in reading.lost}):
            lost = [check for check in reading.lost if check.field is name]
            if self._is_lost(name, lost, works=name in kept):
                new.append(name)
        return new

    def _works(self, name: Field) -> None:
        """Act on a picture that Plex shows: what it lost before is sent once more."""
        lost = self.store.picture_checks.lost(name)
        if len(lost) >= FOR_AN_ENDPOINT:
            for check in lost:
                self._send_again(check)
        else:
            self.store.picture_checks.end(lost)
        self.store.traits.learn((), {(Trait.LOSES, name)})

    def _send_again(self, check: PictureCheck) -> None:
        self.store.picture_checks.mark(check, SENT_AGAIN)
        own = self.store.records.get(check.scene_id)
        record = own
        if own is None or own.rating_key != check.rating_key:
            record = self.store.followers.of(check.scene_id).get(check.rating_key)
        if own is None or record is None:
            self.store.picture_checks.end([check])
            return
        forgotten = _without_hash(record, check.field)
        if record is own:
            self.store.records.put_pictures(forgotten)
        else:
            self.store.followers.put_pictures(forgotten)
        self.store.pictures.add(check.scene_id, own.cover_tag)

    def _is_lost(self, name: Field, lost: Sequence[PictureCheck], *, works: bool) -> bool:
        """Store lost pictures; returns whether that shows something new about the server.

        Where it keeps those of other items, or lost one again, this is about these items alone.
        """
        checks = self.store.picture_checks
        alone = [check for check in lost if works or check.lost == SENT_AGAIN]
        checks.end(alone)
        others = [check for check in lost if check not in alone]
        for check in others:
            checks.mark(check, LOST)
        is_endpoint = bool(others) and len(checks.lost(name)) >= FOR_AN_ENDPOINT
        for check in alone if is_endpoint else lost:
            self._name(check)
        return is_endpoint and bool(self.store.traits.learn({(Trait.LOSES, name)}))

    def _name(self, check: PictureCheck) -> None:
        record = self.store.records.get(check.scene_id)
        title = str(record.written.get(Field.TITLE, "")) if record else ""
        logging.getLogger(__name__).warning(
            "Plex accepted the %s of %s but does not keep it. Choose one in Plex, or save another"
            " cover.",
            check.field,
            Private(title or f"scene {check.scene_id}"),
        )


def _without_hash(record: Record, name: Field) -> Record:
    if name is Field.POSTER:
        return evolve(record, poster_hash="")
    return evolve(record, background_hash="")
