"""A Plex that holds all of Stash, with the records to match: as if a drain had ended long ago."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from stash2plex.db import transaction
from stash2plex.model import Field, Record
from stash2plex.rules.desired import desired_state
from stash2plex.servers.plexedit import TAGS, TEXTS
from stash2plex.sync.apply import files_mark

if TYPE_CHECKING:
    from stash2plex.app import App
    from stash2plex.model import Desired
    from stash2plex_testing.plex import Item
    from stash2plex_testing.world import World

LONG_AGO = 1_600_000_000
SECONDS_BETWEEN = 10
"""Seconds between the writes of two items."""


def make_synced(world: World, app: App) -> int:
    """Write what a drain would have written; returns how many scenes it was. Pictures are left."""
    items = {item.parts[0].path: item for item in world.plex.all_items()}
    for number, item in enumerate(items.values()):
        item.updated_at = LONG_AGO + number * SECONDS_BETWEEN
    settings = app.settings()
    synced = 0
    for page in app.stash.all_scenes():
        with transaction(app.store.connection):
            for scene in page.scenes:
                desired = desired_state(scene, settings)
                if desired.empty or not scene.files:
                    continue
                path = scene.files[0].path.replace("/data", "/media/library", 1)
                written = fill(items[path], desired)
                record = Record(
                    scene_id=scene.id,
                    rating_key=str(items[path].rating_key),
                    section_id=str(items[path].section.id),
                    plex_path=path,
                    matched_by="the end of the path",
                    fingerprint=desired.fingerprint,
                    written=written,
                    cover_tag=scene.cover_tag,
                    synced_at=float(LONG_AGO),
                    files=files_mark(scene),
                    verified=True,
                )
                app.store.records.put(record, scene)
                synced += 1
    return synced


def fill(item: Item, desired: Desired) -> dict[str, object]:
    """Have an item hold what is wanted; returns it as a record has it."""
    written: dict[str, object] = {name: text for name, text in desired.texts.items() if text}
    for name, text in desired.texts.items():
        if name is Field.TITLE:
            item.title = text or os.path.splitext(os.path.basename(item.parts[0].path))[0]
        elif name is Field.DATE:
            item.originally_available_at = text
        elif text:
            item.texts[TEXTS[name]] = text
        item.locked.add(TEXTS[name])
    for name, values in desired.lists.items():
        item.tags[TAGS[name]] = list(values)
        item.locked.add(TAGS[name])
        written[name] = list(values)
    if desired.rating is not None:
        item.floats["userRating"] = desired.rating
        written[Field.RATING] = desired.rating
    return written
