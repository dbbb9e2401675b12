"""Reads back what was written, because Plex's 200 does not show what it kept.

Writes are collected in the database until a batch is full or there is nothing else to do. So a
reading costs one request for up to 200 writes and delays none. If a process is killed, the next one
reads them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial

from attrs import frozen

from stash2plex.db import transaction
from stash2plex.errors import ServerError, Stash2PlexError
from stash2plex.model import Clock, Field, PlexItem, Record
from stash2plex.rules.matching import split_path
from stash2plex.rules.read_back import Reading, read_back
from stash2plex.rules.traits import Learnt, Trait
from stash2plex.servers.apart import ReadItems
from stash2plex.servers.plex import Plex
from stash2plex.store.picture_checks import PictureCheck
from stash2plex.sync.in_hand import KeysInHand
from stash2plex.sync.keeping import Keeper
from stash2plex.sync.picture_reading import PictureReader, PictureReading, look_at_pictures
from stash2plex.sync.session import Session, Store
from stash2plex.workqueue import BULK

BATCHES = (10, 50, 200)
"""How many writes the first readings of a drain cover, and all others. The first are small, so that
most writes profit from what is learnt about the server."""

LOOK_SECONDS = 0.5
"""Seconds between two checks whether a batch is full, while writes go on."""

TROUBLE_SECONDS = 60.0
"""Seconds after a reading that failed; the writes themselves show whether Plex is down."""


@frozen
class _Read:
    """What a batch showed. `pictures` is None if they could not be asked for."""

    items: ReadItems
    pictures: PictureReading | None


@frozen
class _Batch:
    records: Sequence[Record]
    read: Future[_Read]


class ReadBack:
    """Reads written items back, one batch at a time, and queues what Plex did not keep.

    Belongs to the thread that owns the database; only the request runs in another thread.
    `monotonic` returns seconds since an arbitrary time.
    """

    def __init__(self, store: Store, hand: KeysInHand, *, monotonic: Clock) -> None:
        self._store = store
        self._hand = hand
        self._monotonic = monotonic
        self._keeper = Keeper(store)
        self._pictures = PictureReader(store)
        self._log = logging.getLogger(__name__)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="read-back")
        self._batch: _Batch | None = None
        self._batches = 0
        self._not_before = self._looks_at = monotonic()

    def step(self, session: Session, *, idle: bool, sending: bool, seconds: float) -> bool:
        """Do the next step; returns whether there was anything to do.

        With `idle` no text is on its way: then even a small batch is read back, and the answer gets
        up to `seconds`. While pictures are still `sending`, theirs waits until it is full.
        """
        if self._batch is not None:
            if idle:
                wait([self._batch.read], timeout=seconds)
            self._end_batch(self._batch)
            return True
        now = self._monotonic()
        if now < self._not_before or not (idle or now >= self._looks_at):
            return False
        self._looks_at = now + LOOK_SECONDS
        size = BATCHES[min(self._batches, len(BATCHES) - 1)]
        scene_ids = self._free_scenes(BATCHES[-1])
        pictures = self._free_pictures(BATCHES[-1])
        is_full = max(len(scene_ids), len(pictures)) >= size
        is_last = idle and bool(scene_ids or (pictures and not sending))
        if not (is_full or is_last):
            return False
        records = self._read_records(scene_ids)
        self._batches += 1
        keys = [record.rating_key for record in records]
        others = dict.fromkeys(one.rating_key for one in pictures if one.rating_key not in keys)
        keys += list(others)[: BATCHES[-1] - len(keys)]
        pictures = [one for one in pictures if one.rating_key in keys]
        witness = self._store.plex_files.other_item(keys)
        spared = session.settings.preserve_plex_edits
        read = partial(_read, session.plex, keys, witness, pictures, spared=spared)
        self._batch = _Batch(records, self._pool.submit(read))
        return True

    def close(self) -> None:
        """Let a request in flight end; the next drain reads its items again."""
        self._pool.shutdown(cancel_futures=True)

    def _free_scenes(self, limit: int) -> list[int]:
        """List scenes to read back, without claimed ones, which are read anyway."""
        ids = self._store.records.unread_ids(limit + len(self._hand))
        return [id_ for id_ in ids if not self._hand.holds(("scene", id_))][:limit]

    def _free_pictures(self, limit: int) -> list[PictureCheck]:
        """List pictures to look at, without those of scenes that may get others now."""
        checks = self._store.picture_checks.due(limit)
        asked_back = self._store.undo_marks.asked_of([check.scene_id for check in checks])
        return [
            check
            for check in checks
            if check.scene_id not in asked_back and not self._hand.holds(("scene", check.scene_id))
        ]

    def _read_records(self, scene_ids: Sequence[int]) -> list[Record]:
        """Read the records of scenes; a damaged one has nothing to compare with."""
        records = []
        for scene_id in scene_ids:
            record = self._store.records.get(scene_id)
            if record is None:
                self._store.records.drop_unread(scene_id)
            else:
                records.append(record)
        return records

    def _end_batch(self, batch: _Batch) -> None:
        """Handle an answer, if it has arrived."""
        if not batch.read.done():
            return
        self._batch = None
        try:
            read = batch.read.result()
        except Stash2PlexError as error:
            self._log.debug("What was written could not be read back: %s", error)
            self._not_before = self._monotonic() + TROUBLE_SECONDS
            return
        with transaction(self._store.connection):
            for record in batch.records:
                self._take_in(record, read.items.get(record.rating_key))
            lost = self._pictures.take_in(read.pictures) if read.pictures else []
        if read.pictures is None:
            self._not_before = self._monotonic() + TROUBLE_SECONDS
        for name in lost:
            self._log.warning("%s", lost_sentence(name))

    def _take_in(self, record: Record, item: PlexItem | None) -> None:
        key = ("scene", record.scene_id)
        if self._hand.holds(key):
            return
        reading = read_back(record, _still(item, record), self._store.traits.known)
        if not self._store.records.keep_reading(record, reading.record):
            return
        self._keeper.read_back(record, reading.record)
        new = self._store.traits.learn(reading.learnt, reading.forgotten)
        self._report(new, reading)
        if reading.again:
            # Held keys stay on hold, and dead letters stay dead.
            self._store.queue.add_many([key], priority=BULK, revive=False, take_up=False)

    def _report(self, new: Sequence[Learnt], reading: Reading) -> None:
        for trait, name in new:
            if trait is Trait.LOSES:
                self._log.warning("%s", lost_sentence(name))
            else:
                about = f" {name}" if name else ""
                self._log.info("Learnt about this Plex server: %s%s.", trait.words, about)
        for name in sorted(reading.again):
            self._log.debug(
                "scene:%s is written again: Plex did not keep the %s.",
                reading.record.scene_id,
                name,
            )


def _read(
    plex: Plex,
    keys: list[str],
    witness: str,
    pictures: Sequence[PictureCheck],
    *,
    spared: bool,
) -> _Read:
    """Read items, in a thread, and look at pictures that were sent to some of them.

    `spared`: what the user chose in Plex stays.
    """
    items = plex.items(keys, witness)
    try:
        return _Read(items, look_at_pictures(pictures, items, plex, spared=spared))
    except ServerError:
        return _Read(items, None)


def lost_sentence(name: Field | None) -> str:
    """Return what to do about a field that Plex accepts but does not keep."""
    return f"Plex accepts the {name} but does not keep it. Everything else reaches Plex."


def _still(item: PlexItem | None, record: Record) -> PlexItem | None:
    """Return the item if it still holds the file that was written to."""
    if item is None or item.trashed:
        return None
    path = split_path(record.plex_path)
    return item if any(split_path(held) == path for held in item.paths) else None
