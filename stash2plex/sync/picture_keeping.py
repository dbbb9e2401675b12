"""Keeps which pictures an item showed before ours, and which were sent.

It joins the transactions of the caller.
"""

from __future__ import annotations

from attrs import frozen

from stash2plex.model import IMAGE_FIELDS, Field, PlexItem, Record
from stash2plex.rules.first_state import Before, FirstState
from stash2plex.store.picture_checks import PictureCheck
from stash2plex.sync.picture_work import Looked
from stash2plex.sync.pictures import Sent
from stash2plex.sync.session import Store


@frozen
class PictureKeeper:
    """Keeps the way back of pictures in the database of a drain."""

    store: Store

    def known_pictures(self, rating_key: str) -> frozenset[Field]:
        """Return the pictures of an item of which it is kept, or lost, what was chosen first."""
        state = self.store.first_states.get(rating_key)
        if state is None or state.undone_at is not None:
            return frozenset()
        if state.before_history:
            return frozenset(IMAGE_FIELDS)
        return frozenset(name for name in IMAGE_FIELDS if name in state.fields)

    def has_uploads(self, rating_key: str) -> bool:
        """Whether pictures were sent to an item, also before it was put back."""
        state = self.store.first_states.get(rating_key)
        return state is not None and state.uploads > 0

    def keep_pictures(self, looked: Looked) -> None:
        """Keep which pictures are chosen before ours are sent."""
        states, job = self.store.first_states, looked.job
        for key, chosen in looked.chosen.items():
            item = job.followers.get(key, job.item)
            state = states.get(key) or FirstState(
                job.scene.id,
                key,
                states.server,
                item.section_id,
                item.paths[0] if item.paths else "",
                states.clock(),
            )
            states.keep(
                state,
                {name: Before(value, name in item.locked) for name, value in chosen.items()},
            )

    def pictures_sent(self, record: Record, sent: Sent, item: PlexItem) -> None:
        """Keep which pictures were sent to an item, or chosen among those that it has.

        `item` is the item as it was before.
        """
        for name in sent.accepted:
            shown = item.pictures.get(name, "") if name in item.locked else ""
            self.store.picture_checks.add(
                PictureCheck(record.rating_key, name, record.scene_id, sent.hashes[name], shown)
            )
        if not sent.fields:
            return
        state = self.store.first_states.get(record.rating_key)
        first = {name: kept.value for name, kept in state.fields.items()} if state else {}
        self.store.first_states.count_uploads(record.rating_key, sent.uploads)
        self.store.history.add_pictures(
            record.scene_id,
            record.rating_key,
            {
                str(name): (sent.before.get(name, first.get(name)), sent.hashes.get(name))
                for name in sent.fields
            },
        )
