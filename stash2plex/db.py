"""Connections, transactions and migrations of the one SQLite file.

Nothing heavier than `sqlite3` is imported here: the hook pays for every import.
"""

import errno
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from types import TracebackType

from stash2plex.datadir import give_to_owner
from stash2plex.errors import StoreDamaged, StoreError, StoreTooNew, StoreUnavailable

SCHEMA_NUMBER = 17
MAX_INTEGER = 2**63 - 1
"""The largest whole number that SQLite holds."""
MAX_DIGITS = 19
"""How many digits the largest id has."""
BUSY_SECONDS = 10.0
WAL_PAGES = 8_000
"""Pages (32 MiB) that a worker collects before they are copied into the database."""
NO_SHARED_MEMORY = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PROTOCOL)
"""SQLite's codes for a place where WAL cannot work."""
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
"""SQLite's codes for a file that is not a readable database."""
PRIMARY_CODE = 0xFF
"""The bits of an extended result code that hold the primary one."""

HELD_FIX = "Another program has locked it; try again in a minute."
FULL_FIX = "Free some disk space; nothing that was stored is lost."
RIGHTS_FIX = "Make it writable for the user that runs Stash."
SQLITE_FIXES = {
    sqlite3.SQLITE_BUSY: HELD_FIX,
    sqlite3.SQLITE_LOCKED: HELD_FIX,
    sqlite3.SQLITE_FULL: FULL_FIX,
    sqlite3.SQLITE_READONLY: RIGHTS_FIX,
    sqlite3.SQLITE_CANTOPEN: "Make its folder writable for the user that runs Stash.",
}
SYSTEM_FIXES = {
    errno.ENOSPC: FULL_FIX,
    errno.EDQUOT: FULL_FIX,
    errno.EACCES: RIGHTS_FIX,
    errno.EPERM: RIGHTS_FIX,
    errno.EROFS: RIGHTS_FIX,
}
CACHE_KIB = 32_768
"""Page cache of a worker. With SQLite's 2 MiB, indexing 100,000 files costs 1.7 times as much per
file as indexing 10,000."""


def connect(path: str, *, relaxed: bool = False) -> sqlite3.Connection:
    """Open the database; create or migrate it if needed.

    `relaxed` skips the flush to disk at each commit. That is right for a worker, whose lost commit
    costs one repeated run after a power cut. It is wrong for a hook, whose commit is the only trace
    of an edit.

    Raises StoreUnavailable, StoreDamaged or StoreTooNew.
    """
    give_up = time.monotonic() + BUSY_SECONDS
    wal = True
    while True:
        try:
            _make_private(path)
            return _open(path, relaxed=relaxed, wal=wal)
        except (OSError, sqlite3.Error) as error:
            code = sqlite_code(error)
            if wal and code in NO_SHARED_MEMORY:
                wal = False
                continue
            # While another process switches a new file to WAL, SQLite refuses the same switch at
            # once, whatever the time-out.
            if code != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise store_error(error, path) from error
            wal = True
            time.sleep(0.02)


def _open(path: str, *, relaxed: bool, wal: bool) -> sqlite3.Connection:
    """Open the database. Without `wal` it gets a rollback journal, which works everywhere."""
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        if not wal:
            # On a network file system, processes may not share the memory that WAL needs. With an
            # exclusive lock SQLite reads the log without it, if the lock comes first.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
            connection.execute("PRAGMA journal_mode = DELETE").fetchall()
            connection.execute("PRAGMA locking_mode = NORMAL").fetchall()
        number = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if number > SCHEMA_NUMBER:
            raise StoreTooNew(
                f"“{path}” was written by a newer Stash2Plex (schema {number}, this one knows "
                f"{SCHEMA_NUMBER}).",
                "Update the plugin: the file is left as it is, and what waits in it is sent then. "
                "To stay with this version, take back the copy from before the update: "
                "“stash2plex restore”.",
            )
        if number < SCHEMA_NUMBER:
            _migrate(connection, path, wal=wal)
        if relaxed:
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIB:d}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES:d}").fetchall()
    except (sqlite3.Error, StoreError):
        connection.close()
        raise
    return connection


def uses_wal(connection: sqlite3.Connection) -> bool:
    """Return whether the database is in WAL mode, as it is on every local disk."""
    return bool(connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal")


def _make_private(path: str) -> None:
    """Create the file with mode 0600, before SQLite creates it with the user's umask.

    The -wal and -shm files get the mode of the database.
    """
    if not os.path.exists(path):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        give_to_owner(path)


def _migrate(connection: sqlite3.Connection, path: str, *, wal: bool) -> None:
    """Apply the missing migrations; each commits together with its number.

    The first one copies the database before, unless it is new.
    """
    if wal:
        # Read to its end: an answer that is not read is a write in progress for PyPy, which closes
        # cursors late, and no transaction can commit beside it.
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
    kept = False
    for number, statements in _migrations():
        with transaction(connection):
            # Another process may have been faster while this one waited for the lock.
            known = int(connection.execute("PRAGMA user_version").fetchone()[0])
            if known >= number:
                continue
            if known and not kept:
                from stash2plex.copies import keep_copy  # noqa: PLC0415 - for an update, not a save

                if failure := keep_copy(path, known, time.time()):
                    set_meta(connection, NO_COPY, failure)
            kept = True
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number:d}")


def _migrations() -> Iterator[tuple[int, list[str]]]:
    folder = os.path.join(os.path.dirname(__file__), "migrations")
    for name in sorted(os.listdir(folder)):
        if match := re.fullmatch(r"(\d{4})_\w+\.sql", name):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                text = re.sub(r"--[^\n]*", "", file.read())
            yield int(match[1]), _statements(text)


def _statements(text: str) -> list[str]:
    """Part a migration; the statements of a trigger belong together."""
    statements = [""]
    for part in text.split(";"):
        statements[-1] += f"{part};"
        if sqlite3.complete_statement(statements[-1]):
            statements.append("")
    return [statement for statement in statements if statement.strip("; \n")]


class transaction:  # noqa: N801 - reads as the statement it is; contextlib costs the hook a millisecond
    """`with transaction(connection):` is one decision and one commit.

    It takes the write lock at once, so that another writer cannot make it fail half-way. Inside
    another transaction it joins that one: the outermost commits.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._outermost = True

    def __enter__(self) -> sqlite3.Connection:
        self._outermost = not self._connection.in_transaction
        if self._outermost:
            self._connection.execute("BEGIN IMMEDIATE")
        return self._connection

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._outermost:
            return
        if kind is None:
            self._connection.execute("COMMIT")
        elif self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


def sqlite_code(error: Exception) -> int | None:
    """Return SQLite's primary result code; None for an error that SQLite did not report."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & PRIMARY_CODE


def store_error(error: OSError | sqlite3.Error, path: str) -> StoreError:
    """Map an error of SQLite or the file system to our tree. Nothing else does that."""
    code = sqlite_code(error)
    if code in DAMAGED:
        return StoreDamaged(f"“{path}” is damaged ({error}).")
    text, fix = str(error), SQLITE_FIXES.get(code or 0)
    if isinstance(error, OSError):
        text, fix = error.strerror or text, SYSTEM_FIXES.get(error.errno or 0)
    return StoreUnavailable(
        f"“{path}” cannot be used: {text}.", fix or "Check the disk and the folder's permissions."
    )


# Named values that a save needs. `store.meta` lists all names and what each holds.
BACKGROUND_WORKER = "background_worker"
HOOK_COST = "hook_cost"
SETTINGS_FILE = "settings_file"
NOTIFIED_AT = "told_at"
TROUBLE = "trouble"
STASH_LOGIN = "stash_login"
HANDOVER_KEY = "handover "
HOLD = "hold"
NO_COPY = "no_copy"
NO_LOGIN = "none"
"""The value of `STASH_LOGIN` while whoever asks is let in."""


def read_id(value: object) -> int | None:
    """Return an id of Stash given as a number or as digits; None for anything else."""
    if type(value) is str and len(value) <= MAX_DIGITS and value.isascii() and value.isdigit():
        value = int(value)
    return value if type(value) is int and 0 < value <= MAX_INTEGER else None


def get_meta(connection: sqlite3.Connection, name: str) -> str | None:
    """Read one named value; None if there is none."""
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def set_meta(connection: sqlite3.Connection, name: str, value: str) -> None:
    """Store one named value."""
    connection.execute(
        "INSERT INTO meta (name, value) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


def meta_beginning(connection: sqlite3.Connection, prefix: str) -> list[tuple[str, str]]:
    """List the names that begin with `prefix`, a plain text, and their values."""
    return connection.execute(
        "SELECT name, value FROM meta WHERE name GLOB ? || '*' ORDER BY name", (prefix,)
    ).fetchall()


def drop_meta(connection: sqlite3.Connection, *names: str) -> None:
    """Delete named values, in the caller's transaction if there is one."""
    with transaction(connection):
        connection.executemany("DELETE FROM meta WHERE name = ?", [(name,) for name in names])
