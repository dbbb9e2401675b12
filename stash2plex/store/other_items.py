"""Items of Plex that nothing is wrong with, as far as is known: witnesses of what Plex can do."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

IN_SYNC = (
    "SELECT rating_key FROM scene_record WHERE rating_key <> '' AND synced_at > 0"
    " AND NOT EXISTS (SELECT 1 FROM queue WHERE kind = 'scene' AND id = scene_id)"
    " AND NOT EXISTS (SELECT 1 FROM dead_letter WHERE kind = 'scene' AND id = scene_id)"
    " ORDER BY synced_at DESC LIMIT ?"
)
LISTED = (
    "SELECT DISTINCT rating_key FROM plex_file WHERE rating_key NOT IN"
    " (SELECT rating_key FROM scene_record"
    " WHERE EXISTS (SELECT 1 FROM queue WHERE kind = 'scene' AND id = scene_id)"
    " OR EXISTS (SELECT 1 FROM dead_letter WHERE kind = 'scene' AND id = scene_id)) LIMIT ?"
)


def other_items(connection: sqlite3.Connection, besides: Collection[str], number: int) -> list[str]:
    """Return rating keys of up to `number` items, those that were synced last first.

    None of `besides`, and none of a scene that is queued or was given up: it may be the trouble.
    Items that were only listed fill up where too few were synced.
    """
    keys: list[str] = []
    for sql in (IN_SYNC, LISTED):
        if len(keys) < number:
            rows = connection.execute(sql, (number + len(besides) + len(keys),))
            keys += [key for (key,) in rows if key not in besides and key not in keys]
    return keys[:number]
