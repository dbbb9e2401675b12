"""Queues folders for Plex to scan: gathered first, one at a time, then larger folders."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from attrs import frozen

from stash2plex.db import set_meta, transaction
from stash2plex.rules.scanning import folder_above
from stash2plex.store.meta import LIBRARY_SCAN, get_number

GATHER_SECONDS = 12.0
"""Seconds that a folder waits for more of its files before it is scanned (plex.md §6.1)."""

SETTLE_SECONDS = 20.0
"""Seconds after a scan in which Plex creates items; only then was a scan in vain."""

LIBRARY_SECONDS = 600.0
"""Seconds between two whole-library scans: too many make Plex unusable (plex.md §6.1)."""

MAX_SECONDS = 7_200.0
"""Seconds after which a scan is no longer awaited."""

MAX_FOLDERS = 50
"""If more folders wait in one library, the whole library is scanned once instead."""

LAST_STEP = 2
"""The last of the steps: the folder, the folder above, the library."""


WAITING = (
    "SELECT section_id, folder, step, due_at, asked_at FROM plex_scan WHERE asked_at IS NULL"
    " ORDER BY due_at, section_id, folder"
)
RUNNING = (
    "SELECT section_id, folder, step, due_at, asked_at FROM plex_scan WHERE asked_at IS NOT NULL"
    " ORDER BY asked_at LIMIT 1"
)


@frozen
class Scan:
    """A scan of a folder; empty means the whole library. `asked_at` is None while it waits."""

    section_id: str
    folder: str
    step: int
    due_at: float
    asked_at: float | None


@frozen
class Scans:
    """The waiting scans and the running one, in one database, so that they survive a restart."""

    connection: sqlite3.Connection

    def request(self, section_id: str, folder: str, now: float) -> bool:
        """Queue a folder for scanning.

        Duplicates, and folders under a queued library scan, are merged. Too many folders of a
        library become one library scan. Returns False while this folder is being scanned: the scan
        may have missed a file that came later, so ask again.
        """
        with transaction(self.connection):
            running = self.running()
            if running and (running.section_id, running.folder) in (
                (section_id, folder),
                (section_id, ""),
            ):
                return False
            waiting = [scan for scan in self.waiting() if scan.section_id == section_id]
            if any(scan.folder in ("", folder) for scan in waiting):
                return True
            due_at = now + GATHER_SECONDS
            if len(waiting) >= MAX_FOLDERS:
                for scan in waiting:
                    self.drop(scan)
                due_at = max(due_at, self._library_due(section_id, now))
                self._put(Scan(section_id, "", LAST_STEP, due_at, None))
            else:
                self._put(Scan(section_id, folder, 0, due_at, None))
        return True

    def climb(self, scan: Scan, locations: Sequence[str], now: float) -> None:
        """Queue the folder above, then the library; after that, nothing."""
        with transaction(self.connection):
            self.drop(scan)
            if scan.step >= LAST_STEP:
                return
            folder = folder_above(scan.folder, locations) if scan.step == 0 else ""
            if folder:
                self._put(Scan(scan.section_id, folder, scan.step + 1, now, None))
            else:
                due_at = self._library_due(scan.section_id, now)
                self._put(Scan(scan.section_id, "", LAST_STEP, due_at, None))

    def _library_due(self, section_id: str, now: float) -> float:
        """Return when the whole library may be scanned again."""
        last = get_number(self.connection, LIBRARY_SCAN + section_id)
        if last is None or not 0.0 <= now - last < LIBRARY_SECONDS:
            return now
        return last + LIBRARY_SECONDS

    def start(self, scan: Scan, now: float) -> None:
        """Record that Plex was asked for a scan."""
        with transaction(self.connection):
            self.connection.execute(
                "UPDATE plex_scan SET asked_at = ? WHERE section_id = ? AND folder = ?",
                (now, scan.section_id, scan.folder),
            )
            if not scan.folder:
                set_meta(self.connection, LIBRARY_SCAN + scan.section_id, str(now))

    def drop(self, scan: Scan) -> None:
        """Remove a scan."""
        with transaction(self.connection):
            self.connection.execute(
                "DELETE FROM plex_scan WHERE section_id = ? AND folder = ?",
                (scan.section_id, scan.folder),
            )

    def clear(self) -> None:
        """Remove every scan."""
        with transaction(self.connection):
            self.connection.execute("DELETE FROM plex_scan")

    def waiting(self) -> list[Scan]:
        """List the scans that Plex was not asked for yet, first due first."""
        return [Scan(*row) for row in self.connection.execute(WAITING)]

    def running(self) -> Scan | None:
        """Return the scan that Plex was asked for, if any."""
        row = self.connection.execute(RUNNING).fetchone()
        return None if row is None else Scan(*row)

    def _put(self, scan: Scan) -> None:
        with transaction(self.connection):
            self.connection.execute(
                "INSERT OR REPLACE INTO plex_scan (section_id, folder, step, due_at, asked_at)"
                " VALUES (?, ?, ?, ?, ?)",
                (scan.section_id, scan.folder, scan.step, scan.due_at, scan.asked_at),
            )
