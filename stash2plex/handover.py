"""Takes over the session of a save from the hooks' script, masked by a key that is good once.

Stash writes the arguments of an operation that fails into its debug log. So the script is given a
key by one operation, in an answer that no log shows, and hands the masked session over by another.
"""

import os

from stash2plex.db import connect, store_error, transaction
from stash2plex.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KEY_BYTES = 4_096
"""The longest session that can be handed over: Stash makes none that is longer."""

GOOD_SECONDS = 60.0
"""How long a key is good. The script uses it at once."""

NAME = "handover "
"""The start of the names of the rows in `meta`; `store.meta` lists what they hold."""


def offer_key(path: str, now: float) -> "dict[str, Any]":
    """Make a key and keep it in the database; returns it and the `nonce` that names it.

    `now` is in seconds since the epoch. Keys that nobody used in time are deleted. Raises
    StoreError.
    """
    nonce, key = os.urandom(8).hex(), os.urandom(KEY_BYTES)
    database = connect(path)
    try:
        with transaction(database):
            for name, value in list(database.execute(ROWS_SQL)):
                if not _is_good(value, now):
                    database.execute("DELETE FROM meta WHERE name = ?", (name,))
            database.execute(
                "INSERT INTO meta (name, value) VALUES (?, ?)",
                (NAME + nonce, f"{now + GOOD_SECONDS:.0f} {key.hex()}"),
            )
    except database.Error as error:
        raise store_error(error, path) from error
    return {"nonce": nonce, "key": list(key)}


def unmask(path: str, nonce: object, masked: object, now: float) -> str:
    """Return the session that was masked by the key that `nonce` names, and forget the key.

    Raises UsageError where there is no such key any more, or what it masks is no session, and
    StoreError.
    """
    database = connect(path)
    try:
        with transaction(database):
            named = (NAME + str(nonce),)
            row = database.execute("SELECT value FROM meta WHERE name = ?", named).fetchone()
            database.execute("DELETE FROM meta WHERE name = ?", named)
    except database.Error as error:
        raise store_error(error, path) from error
    if row is None or not _is_good(str(row[0]), now):
        raise UsageError("The session was handed over with a key that is not known.")
    key = bytes.fromhex(str(row[0]).partition(" ")[2])
    try:
        text = _plain(masked, key)
    except (TypeError, ValueError) as error:
        raise UsageError("The session was handed over in a form that is not known.") from error
    return text


def _plain(masked: object, key: bytes) -> str:
    """Return what a list of numbers holds under a key. Raises ValueError or TypeError."""
    if not isinstance(masked, list) or len(masked) > len(key):
        raise ValueError
    # Refuses what is no byte; under another key hardly anything is plain text.
    hidden = bytes(masked)
    text = bytes(one ^ other for one, other in zip(hidden, key, strict=False)).decode("ascii")
    if not text.isprintable():
        raise ValueError
    return text


def _is_good(value: str, now: float) -> bool:
    """Return whether a key may still be used; a time far ahead is from before a clock was set."""
    until = value.partition(" ")[0]
    return until.isdigit() and 0 <= int(until) - now <= GOOD_SECONDS + 1


ROWS_SQL = "SELECT name, value FROM meta WHERE name >= 'handover ' AND name < 'handover!'"
"""Every key; a blank is the letter before the exclamation mark."""
