"""The tags that the settings mean, remembered by id because Stash may rename them."""

from __future__ import annotations

import json
import sqlite3

from attrs import asdict, evolve

from stash2plex.config import Settings
from stash2plex.db import get_meta, set_meta, transaction
from stash2plex.model import Entity
from stash2plex.rules.tag_lists import EXCLUDE, TagLists, learn_tag
from stash2plex.store.meta import TAG_LISTS, TAG_LISTS_OF_COMMAND_LINE
from stash2plex.store.stored_json import load_shape


def load_tag_lists(database: sqlite3.Connection, *, own: bool) -> TagLists:
    """Read what the lists last meant; `own` for a command line with its own settings."""
    name = _name(own=own)
    lists = load_shape(get_meta(database, name), TagLists) or TagLists()
    # An earlier version may have folded names in another way.
    return evolve(lists, lists={key: read_list.folded() for key, read_list in lists.lists.items()})


def keep_tag_lists(database: sqlite3.Connection, lists: TagLists, *, own: bool) -> None:
    """Store what the lists mean."""
    if lists != load_tag_lists(database, own=own):
        with transaction(database):
            name = _name(own=own)
            set_meta(database, name, json.dumps(asdict(lists)))


def learn_excluding_tag(
    database: sqlite3.Connection, tag: Entity | None, settings: Settings
) -> None:
    """Remember a tag that only its name kept out of Plex: it may be renamed soon."""
    if tag is None or tag.id in settings.exclude_tags.ids:
        return
    for own in (False, True):
        lists = load_tag_lists(database, own=own)
        known = lists.lists.get(EXCLUDE)
        if known is not None:
            learnt = learn_tag(known, tag)
            keep_tag_lists(database, TagLists("", {**lists.lists, EXCLUDE: learnt}), own=own)


def _name(*, own: bool) -> str:
    return TAG_LISTS_OF_COMMAND_LINE if own else TAG_LISTS
