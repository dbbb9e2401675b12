"""Ends the keys that send nothing: what is gone, left out or unchanged, and each entity."""

from __future__ import annotations

from collections.abc import Sequence

from stash2plex.config import Settings
from stash2plex.db import transaction
from stash2plex.model import Clock, Scene
from stash2plex.rules.desired import LeftOut, excluding_tag
from stash2plex.rules.policy import Done
from stash2plex.rules.scene_states import IN_SYNC
from stash2plex.store.metrics import SCENES
from stash2plex.store.tag_lists import learn_excluding_tag
from stash2plex.sync.finder import Finder, Needless
from stash2plex.sync.in_hand import KeysInHand
from stash2plex.sync.session import Store
from stash2plex.workqueue import URGENT, Claim


class Unsent:
    """Belongs to the thread of the database."""

    def __init__(self, store: Store, hand: KeysInHand, finder: Finder, clock: Clock) -> None:
        self._store = store
        self._hand = hand
        self._finder = finder
        self._clock = clock

    def fan_out(self, claim: Claim, showing: Sequence[int]) -> None:
        """Queue the scenes that show an entity now, or did when they were last synced."""
        ids = {*showing, *self._store.records.scenes_showing(claim.kind, claim.id)}
        with transaction(self._store.connection):
            self._store.queue.enqueue(
                [("scene", id_) for id_ in sorted(ids)],
                priority=claim.priority,
                take_up=claim.priority == URGENT,
                run_id=claim.run_id,
                after_run=claim.after_run,
            )
            self._hand.finish(claim, Done(f"{len(ids)} scenes show it"))

    def gone(self, claim: Claim) -> None:
        """End the key of a scene that Stash no longer has."""
        self._store.meter.add(SCENES, "gone")
        with transaction(self._store.connection):
            self._finder.leave_out(claim.id)
            self._store.records.forget(claim.id, self._clock())
            self._hand.finish(claim, Done("gone from Stash; Plex keeps what it has"))
            if claim.finished:
                self._store.scenes.forget([claim.id])

    def left_out(self, claim: Claim, scene: Scene, settings: Settings, why: LeftOut) -> None:
        """End the key of a scene that the settings or the user leave out."""
        self._finder.leave_out(scene.id)
        learn_excluding_tag(self._store.connection, excluding_tag(scene, settings), settings)
        self._skip(claim, why.why, why.standing)

    def unchanged(self, claim: Claim) -> None:
        """End the key of a scene that Plex shows already."""
        self._skip(claim, "nothing has changed", IN_SYNC)

    def needless(self, needless: Needless) -> None:
        """End the key of a scene for which the finder needs no item."""
        self._hand.finish(needless.wanted.claim, Done(needless.why, needless.standing))

    def _skip(self, claim: Claim, why: str, standing: str | None) -> None:
        self._store.meter.add(SCENES, "skipped")
        self._hand.finish(claim, Done(why, standing))
