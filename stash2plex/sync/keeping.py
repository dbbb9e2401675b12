"""Keeps the way back of each write: what the item showed first, and what each run changed.

It joins the transactions in which the drain announces a write and records it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import evolve, frozen

from stash2plex.db import transaction
from stash2plex.model import Change, Field, PlexItem, Record
from stash2plex.rules.first_state import FirstState, value_of, values_before
from stash2plex.rules.matching import split_path
from stash2plex.rules.traits import Traits
from stash2plex.store.history import COMPARISON, SAVE
from stash2plex.sync.apply import Applied
from stash2plex.sync.collections import Collections
from stash2plex.sync.pictures import is_cover_due
from stash2plex.sync.session import Job, Store
from stash2plex.sync.writes import Plan, planned
from stash2plex.workqueue import URGENT, Claim


@frozen
class Keeper:
    """Keeps the way back in the database of a drain."""

    store: Store

    def announce(
        self,
        plans: Sequence[Plan],
        collections: Collections,
        traits: Traits,
        *,
        preserve: bool,
    ) -> None:
        """Keep what is about to be sent, and what the items show before it, in one commit."""
        following = [
            planned(follower, traits, preserve=preserve)
            for plan in plans
            for follower in plan.job.of_followers()
        ]
        with transaction(self.store.connection):
            self._keep([*plans, *following])
            collections.announce([*plans, *following])
            self.store.records.announce(_records(plans))
            self.store.followers.announce(_records(following))

    def _keep(self, plans: Iterable[Plan]) -> None:
        for plan in plans:
            change = plan.change
            if not (change.fields or change.locks):
                continue
            self._keep_first(plan.job, change)
            if change.fields:
                self.store.history.announce(
                    self._run_of(plan.job.claim),
                    plan.job.scene.id,
                    plan.job.item.rating_key,
                    sent_by(change, plan.job.item),
                )

    def written(self, job: Job, applied: Applied) -> None:
        """Record that the writes of a scene have reached Plex."""
        for record in (applied.record, *applied.followers):
            self.store.history.end(job.scene.id, record.rating_key)

    def read_back(self, before: Record, after: Record) -> None:
        """Record what Plex made of a write."""
        shown = {
            str(name): after.shown[name]
            for name in before.unread
            if name in after.shown and after.shown[name] != before.shown.get(name)
        }
        if shown:
            self.store.history.note_shown(before.scene_id, before.rating_key, shown)

    def _keep_first(self, job: Job, change: Change) -> None:
        item = job.item
        known = self.first_state(item, job.match.file.path)
        is_due = is_cover_due(job.scene, job.desired, job.record)
        new = values_before(
            item,
            change,
            job.record.written if job.record else {},
            known,
            job.desired.images if is_due else frozenset(),
        )
        state = known or FirstState(
            job.scene.id,
            item.rating_key,
            self.store.first_states.server,
            item.section_id,
            job.match.file.path,
            self.store.first_states.clock(),
        )
        if new or known is None or known.scene_id != job.scene.id:
            self.store.first_states.keep(
                evolve(state, scene_id=job.scene.id, path=job.match.file.path), new
            )

    def first_state(self, item: PlexItem, path: str) -> FirstState | None:
        """Return the first state of an item; None if none is kept of this item and this file.

        After a rebuild of Plex, a key may name another item.
        """
        known = self.store.first_states.get(item.rating_key)
        if known is None or not known.path:
            return known
        held = [split_path(item_path) for item_path in item.paths]
        return known if split_path(known.path) in held or known.path == path else None

    def _run_of(self, claim: Claim) -> int:
        history = self.store.history
        if claim.run_id:
            return history.task_run(claim.run_id)
        cause = SAVE if claim.priority == URGENT else COMPARISON
        return history.loose_run(cause, claim.added_at)


def sent_by(change: Change, item: PlexItem) -> dict[str, tuple[object, object]]:
    """Return for each field that a change writes what is there before, and what is sent."""
    sent: dict[Field, object] = dict(change.texts)
    sent.update({name: list(list_change.wanted) for name, list_change in change.lists.items()})
    if change.rating is not None or change.clear_rating:
        sent[Field.RATING] = change.rating
    return {str(name): (value_of(item, name), value) for name, value in sent.items()}


def _records(plans: Sequence[Plan]) -> list[Record]:
    """Return the records that plans leave, of those that write anything."""
    return [plan.record for plan in plans if plan.record is not None]
