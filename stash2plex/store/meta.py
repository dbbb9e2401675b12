"""The named rows of the table `meta`: every name, and what its value means.

The names that a save needs are in `db`, because the hook imports nothing from store/. A number that
cannot be read counts as missing.
"""

from __future__ import annotations

import math
import sqlite3

from stash2plex import db
from stash2plex.db import get_meta

BACKGROUND_WORKER = db.BACKGROUND_WORKER
"""The last known value of that setting: “auto”, or “off” and since when (epoch seconds)."""

SETTINGS_FILE = db.SETTINGS_FILE
"""The stamp and the path of Stash's settings file at the last reading."""

NOTIFIED_AT = db.NOTIFIED_AT
"""When the user was last notified (epoch seconds)."""

TROUBLE = db.TROUBLE
"""The message about an unusable setting that was not reported yet."""

TROUBLE_NOTIFIED = "trouble_told"
"""The same message, once it was reported."""

HOOK_COST = db.HOOK_COST
"""When a save measures its cost next (epoch seconds), and the samples as JSON."""

NO_COPY = db.NO_COPY
"""Why an update could not copy the database first, until that is in the log."""

STASH_LOGIN = db.STASH_LOGIN
"""Whether Stash had a password when the settings were last read: “password” or “none”."""

HOLD = db.HOLD
"""Who holds all sending back, “pause” or “set_up”, and since when (epoch seconds)."""

HEALTH_AT = "health_at"
"""When Health Check was last run (epoch seconds)."""

SET_UP_STEP = "set_up_step"
"""The step of the first run that the user has reached on the page."""

CONFIGURED = "configured"
"""“yes” or “no”: whether the last known settings name a Plex."""

PLEX_SEEN = "plex_seen"
"""What Plex answered last when it was asked who it is, as JSON."""

STASH_SEEN = "stash_seen"
"""The version of Stash, and when it gave the settings last (epoch seconds), as JSON."""

HANDOVER_KEY = db.HANDOVER_KEY
"""With a word that names it: the end (epoch seconds) of the validity of a key that masks a session,
and its hexadecimal digits."""

SETTINGS_SEEN = "settings_seen"
"""Two digests of the last known settings: of the connection to Plex, and of all."""

SETTINGS_OF_COMMAND_LINE = "settings_of_command_line"
"""The same for a command line with its own settings."""

TAG_LISTS = "tag_lists"
"""The tags that the settings mean, with their numbers, as JSON."""

TAG_LISTS_OF_COMMAND_LINE = "tag_lists_of_command_line"
"""The same for a command line with its own settings."""

SCENES_AS_OF = "scenes_as_of"
"""When the known scenes were last those of Stash (epoch seconds); a trigger writes it too."""

CLIENT_ID = "plex_client_id"
"""The id by which Plex knows this data folder."""

PSEUDONYM_KEY = "alias_key"
"""The key for the pseudonyms in logs, in hexadecimal digits."""

OBFUSCATE = "obfuscate"
"""“on” if the last known settings hide titles and paths in logs, else empty."""

MACHINE_ID = "plex_machine_id"
"""The Plex server of the listed files."""

CLEARED_MACHINE_ID = "plex_machine_id_cleared"
"""The Plex server whose files were deleted last."""

LEGACY_TAKEN = "legacy_taken"
"""The folder of version 1 whose unfinished scenes were queued."""

LISTING = "plex_listing"
"""How often Plex's files were read so far."""

LISTING_WOKEN = "plex_listing_woken"
"""The number of the last reading after which waiting keys were made due."""

LIBRARY_SCAN = "library_scan "
"""Followed by a library's id: when we last had the whole library scanned (epoch seconds)."""

LIBRARY_TROUBLE = "library_trouble "
"""Followed by a library's id: why Plex does not list it, as JSON."""

OTHER_LIBRARIES = "other_libraries"
"""The folders of the movie libraries that are not chosen, as JSON."""

SWEEP_MARKS = "upkeep"
"""The marks between two glances at Stash, as JSON."""

LOOK_ASKED = "look_asked"
"""A request to the draining process for a look: the run that asks, and a random word."""

RECONCILE_INTERVAL = "reconcile_interval"
"""The last known value of that setting, for readers that ask no server."""

COMPARED_AT = "compared_at"
"""When the interval of the comparison with Plex began (epoch seconds)."""

REBUILD = "rebuild"
"""The name of the damaged database that was set aside; kept until every scene is queued."""

WATCHED_SINCE = "watched_since"
"""Since when outages are recorded (epoch seconds); a migration writes it."""

COLLECTIONS_LEFT = "collections_left"
"""That items left collections which may be empty now."""

PUT_BACK_ASKED = "put_back_asked"
"""When “Put Plex Back” last showed what it would do (epoch seconds)."""

SURVEY = "survey "
"""Followed by the operation that returns it: the state of the last survey, as JSON."""

HISTORY_PRUNED = "history_pruned"
"""The id of the last write that pruning the history has looked at."""


def get_number(connection: sqlite3.Connection, name: str) -> float | None:
    """Read a number; None if there is none or it cannot be read."""
    text = get_meta(connection, name)
    try:
        number = math.nan if text is None else float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def keep_number(connection: sqlite3.Connection, name: str, value: float) -> None:
    """Store a number, in the caller's transaction if there is one."""
    with db.transaction(connection):
        db.set_meta(connection, name, f"{value:.3f}")
