"""The named rows of the table `meta`: every name, and what its value is.

The names that a save needs are in `db`, because the hook imports nothing of store/. A number that
cannot be read counts as one that is not there.
"""

from __future__ import annotations

import math
import sqlite3

from stash2plex import db
from stash2plex.db import get_meta, transaction

BACKGROUND_WORKER = db.BACKGROUND_WORKER
"""What was last read of that setting: “auto”, or “off” and since when (epoch seconds)."""

SETTINGS_FILE = db.SETTINGS_FILE
"""The stamp and the path of Stash's settings file, as of the last reading."""

NOTIFIED_AT = db.NOTIFIED_AT
"""When the user was last notified (epoch seconds)."""

TROUBLE = db.TROUBLE
"""A setting that cannot be used and that the user was not told of yet, in words."""

TROUBLE_NOTIFIED = "trouble_told"
"""The same, once the user was told."""

HOOK_COST = db.HOOK_COST
"""When a save measures itself next (epoch seconds), and the samples as JSON."""

SETTINGS_SEEN = "settings_seen"
"""Two digests of the settings that were read last: of the connection to Plex, and of all."""

SETTINGS_OF_COMMAND_LINE = "settings_of_command_line"
"""The same for a command line with settings of its own."""

TAG_LISTS = "tag_lists"
"""The tags that the settings mean, with their numbers, as JSON."""

TAG_LISTS_OF_COMMAND_LINE = "tag_lists_of_command_line"
"""The same for a command line with settings of its own."""

SCENES_AS_OF = "scenes_as_of"
"""When the known scenes were those of Stash (epoch seconds); a trigger writes it too."""

CLIENT_ID = "plex_client_id"
"""The identity that Plex knows this data folder by."""

ALIAS_KEY = "alias_key"
"""The key of the aliases in logs, in hexadecimal digits."""

OBFUSCATE = "obfuscate"
"""“on” where the settings that were read last hide titles and paths in logs, else empty."""

MACHINE_ID = "plex_machine_id"
"""The Plex server that the listed files are of."""

CLEARED_MACHINE_ID = "plex_machine_id_cleared"
"""The Plex server whose files were forgotten last."""

LISTING = "plex_listing"
"""The number of readings of Plex's files so far."""

LISTING_WOKEN = "plex_listing_woken"
"""The number of the last reading that keys were woken for."""

LIBRARY_SCAN = "library_scan "
"""With the id of a library: when we last had it scanned as a whole (epoch seconds)."""

UPKEEP = "upkeep"
"""The marks between two glances at Stash, as JSON."""

LOOK_ASKED = "look_asked"
"""That one process asks the one that drains for a look: the run that asks, and a random word."""

COMPARED_AT = "compared_at"
"""From when the interval of the comparison with Plex counts (epoch seconds)."""

REBUILD = "rebuild"
"""The name of the damaged database that was set aside, until every scene is queued."""

WATCHED_SINCE = "watched_since"
"""Since when outages are watched (epoch seconds); a migration writes it."""


def get_number(connection: sqlite3.Connection, name: str) -> float | None:
    """Read a number; None where there is none, or something else."""
    text = get_meta(connection, name)
    try:
        number = math.nan if text is None else float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def drop_meta(connection: sqlite3.Connection, *names: str) -> None:
    """Delete named values, in the transaction of the caller if there is one."""
    with transaction(connection):
        connection.executemany("DELETE FROM meta WHERE name = ?", [(name,) for name in names])
