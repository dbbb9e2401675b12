"""Keeps the last reports of comparisons."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from stash2plex.db import transaction
from stash2plex.store.stored_json import load_object

REPORTS_LIMIT = 20
"""How many reports are kept."""


class ReportBook:
    """The last reports in one database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def keep(self, started_at: float, report: Mapping[str, Any]) -> None:
        """Store the report of a run that began at `started_at` (epoch seconds); drop the oldest."""
        with transaction(self._db):
            self._db.execute(
                "INSERT INTO reconcile_report (started_at, report) VALUES (?, ?)",
                (started_at, json.dumps(report)),
            )
            self._db.execute(
                "DELETE FROM reconcile_report WHERE seq NOT IN"
                " (SELECT seq FROM reconcile_report ORDER BY seq DESC LIMIT ?)",
                (REPORTS_LIMIT,),
            )

    def last(self) -> dict[str, Any] | None:
        """Return the newest readable report as JSON values; None if there is none."""
        rows = self._db.execute("SELECT report FROM reconcile_report ORDER BY seq DESC")
        reports = (load_object(text) for (text,) in rows.fetchall())
        return next((report for report in reports if report is not None), None)
