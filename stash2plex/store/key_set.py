"""A set of ids or rating keys as large as a library, kept out of memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator

CREATE = (
    "CREATE TEMP TABLE IF NOT EXISTS key_set (name TEXT NOT NULL, key, PRIMARY KEY (name, key))"
    " WITHOUT ROWID"
)


class KeySet:
    """A named set in a temporary table of a connection. Close it when done.

    A set of the same name that was left behind is emptied.
    """

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        self._db = connection
        self.name = name
        self._db.execute(CREATE)
        self.close()

    def __contains__(self, key: object) -> bool:
        row = self._db.execute(
            "SELECT 1 FROM temp.key_set WHERE name = ? AND key = ?", (self.name, key)
        ).fetchone()
        return row is not None

    def __len__(self) -> int:
        row = self._db.execute(
            "SELECT count(*) FROM temp.key_set WHERE name = ?", (self.name,)
        ).fetchone()
        return int(row[0])

    def update(self, keys: Collection[int] | Collection[str]) -> None:
        """Add keys."""
        # Deferred: a write to a temporary table takes no lock that a hook would wait for.
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT OR IGNORE INTO temp.key_set (name, key) VALUES (?, ?)",
            [(self.name, key) for key in keys],
        )
        self._db.execute("COMMIT")

    def batches(self, size: int) -> Iterator[list[int]]:
        """Yield lists of up to `size` numbers above 0, in growing order."""
        last = 0
        while True:
            rows = self._db.execute(
                "SELECT key FROM temp.key_set WHERE name = ? AND key > ? ORDER BY key LIMIT ?",
                (self.name, last, size),
            ).fetchall()
            if not rows:
                return
            yield [int(row[0]) for row in rows]
            last = rows[-1][0]

    def close(self) -> None:
        """Empty the set."""
        self._db.execute("DELETE FROM temp.key_set WHERE name = ?", (self.name,))
