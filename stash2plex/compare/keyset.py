"""A set of ids or rating keys that may be as large as a library, kept outside of memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator


class KeySet:
    """A set in a temporary table of a connection. Close it when done.

    `name` is an identifier; a set of the same name that is left over is emptied.
    """

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        if not name.isidentifier():
            raise AssertionError("the name goes into SQL as it is")
        self._db = connection
        self.table = f"temp.{name}"
        self._db.execute(f"DROP TABLE IF EXISTS {self.table}")
        self._db.execute(f"CREATE TABLE {self.table} (key PRIMARY KEY) WITHOUT ROWID")

    def __contains__(self, key: object) -> bool:
        found = self._db.execute(
            f"SELECT 1 FROM {self.table} WHERE key = ?",  # noqa: S608 - a checked name
            (key,),
        ).fetchone()
        return found is not None

    def __len__(self) -> int:
        row = self._db.execute(f"SELECT count(*) FROM {self.table}").fetchone()  # noqa: S608
        return int(row[0])

    def update(self, keys: Collection[int] | Collection[str]) -> None:
        """Add keys."""
        # Deferred: a write to a temporary table takes no lock that a hook would wait for.
        self._db.execute("BEGIN")
        self._db.executemany(
            f"INSERT OR IGNORE INTO {self.table} (key) VALUES (?)",  # noqa: S608
            [(key,) for key in keys],
        )
        self._db.execute("COMMIT")

    def batches(self, size: int) -> Iterator[list[int]]:
        """Page through a set of numbers that are above 0, by growing number."""
        last = 0
        while True:
            rows = self._db.execute(
                f"SELECT key FROM {self.table} WHERE key > ? ORDER BY key LIMIT ?",  # noqa: S608
                (last, size),
            ).fetchall()
            if not rows:
                return
            yield [int(row[0]) for row in rows]
            last = rows[-1][0]

    def close(self) -> None:
        """Forget the set."""
        self._db.execute(f"DROP TABLE IF EXISTS {self.table}")
