"""Takes over the session of a save from the hooks' script, masked by a key that is valid once.

Stash writes the arguments of an operation that fails into its debug log. So one operation gives the
script a key, in an answer that no log shows, and another takes the masked session.
"""

import os

from stash2plex.db import (
    HANDOVER_KEY,
    connect,
    drop_meta,
    get_meta,
    meta_beginning,
    set_meta,
    store_error,
    transaction,
)
from stash2plex.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KEY_BYTES = 4_096
"""The longest session that can be handed over: Stash makes no longer one."""

GOOD_SECONDS = 60.0
"""How long a key is valid. The script uses it at once."""


def offer_key(path: str, now: float) -> "dict[str, Any]":
    """Create a key and store it in the database; returns it and the `nonce` that names it.

    `now` is in seconds since the epoch. Keys that were not used in time are deleted. Raises
    StoreError.
    """
    nonce, key = os.urandom(8).hex(), os.urandom(KEY_BYTES)
    database = connect(path)
    try:
        with transaction(database):
            known = meta_beginning(database, HANDOVER_KEY)
            drop_meta(database, *(name for name, value in known if not _is_good(value, now)))
            set_meta(database, HANDOVER_KEY + nonce, f"{now + GOOD_SECONDS:.0f} {key.hex()}")
    except database.Error as error:
        raise store_error(error, path) from error
    return {"nonce": nonce, "key": list(key)}


def unmask(path: str, nonce: object, masked: object, now: float) -> str:
    """Return the session that was masked by the key that `nonce` names, and delete the key.

    Raises UsageError if there is no such key any more or if it does not unmask a session, and
    StoreError.
    """
    database = connect(path)
    try:
        with transaction(database):
            value = get_meta(database, HANDOVER_KEY + str(nonce))
            drop_meta(database, HANDOVER_KEY + str(nonce))
    except database.Error as error:
        raise store_error(error, path) from error
    if value is None or not _is_good(value, now):
        raise UsageError("The session was handed over with an unknown key.")
    key = bytes.fromhex(value.partition(" ")[2])
    try:
        text = _plain(masked, key)
    except (TypeError, ValueError) as error:
        raise UsageError("The session was handed over in an unknown form.") from error
    return text


def _plain(masked: object, key: bytes) -> str:
    """Unmask a list of numbers with a key. Raises ValueError or TypeError."""
    if not isinstance(masked, list) or len(masked) > len(key):
        raise ValueError
    # Refuses what is not a byte; with a wrong key the result is hardly ever plain text.
    hidden = bytes(masked)
    text = bytes(one ^ other for one, other in zip(hidden, key, strict=False)).decode("ascii")
    if not text.isprintable():
        raise ValueError
    return text


def _is_good(value: str, now: float) -> bool:
    """Return whether a key is still valid; a time far ahead means that a clock was set back."""
    until = value.partition(" ")[0]
    return until.isdigit() and 0 <= int(until) - now <= GOOD_SECONDS + 1
