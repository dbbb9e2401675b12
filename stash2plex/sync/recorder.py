"""Records a write that Plex accepted: what the scene's items hold now, and the end of its key."""

from __future__ import annotations

import logging

from stash2plex.db import transaction
from stash2plex.rules.policy import Done
from stash2plex.rules.scene_states import IN_SYNC
from stash2plex.store.records import with_pictures
from stash2plex.sync.apply import Applied
from stash2plex.sync.evidence import Evidence
from stash2plex.sync.in_hand import KeysInHand
from stash2plex.sync.keeping import Keeper
from stash2plex.sync.picture_lane import PictureLane
from stash2plex.sync.session import Job, Store


class Recorder:
    """Stores what each accepted write left in Plex. The pictures are recorded by `PictureLane`.

    Belongs to the thread of the database.
    """

    def __init__(
        self, store: Store, hand: KeysInHand, evidence: Evidence, lane: PictureLane
    ) -> None:
        self._store = store
        self._hand = hand
        self._evidence = evidence
        self._lane = lane
        self._keeper = Keeper(store)
        self._log = logging.getLogger(__name__)

    def record(self, job: Job, applied: Applied) -> None:
        """Store what was written and remove the key from the queue, in one commit.

        The key stays if an item that follows could not be written (`applied.later`).
        """
        self._evidence.wrote(applied.seconds, edited=bool(applied.fields))
        self._store.meter.applied(applied.fields, applied.seconds)
        for note in applied.notes:
            self._log.warning(*note)
        with transaction(self._store.connection):
            self._store_written(job, applied)
            if applied.later is None:
                self._hand.finish(job.claim, Done(_words(job, applied), IN_SYNC))
            else:
                self._store.records.invalidate([job.scene.id])

    def _store_written(self, job: Job, applied: Applied) -> None:
        self._store.traits.learn(applied.learnt)
        record = applied.record
        if job.record is not None:
            # Pictures of an earlier save may have gone out meanwhile.
            record = with_pictures(record, self._store.records.get(record.scene_id))
        self._store.records.put(record, job.scene)
        self._store.followers.put(job.scene.id, applied.followers, applied.unsure)
        self._keeper.written(job, applied)
        if applied.is_cover_due:
            self._lane.add(job, applied.record)


def _words(job: Job, applied: Applied) -> str:
    """Return what was written to which item, for the debug log."""
    written = ", ".join(applied.fields) or "nothing more to write"
    if applied.kept:
        written += f"; kept as you edited them in Plex: {', '.join(applied.kept)}"
    how = f"is “{job.match.file.path}” in Plex by {job.match.matched_by}"
    return f"“{job.scene.label}” {how}: {written}"
