"""The stored data of a large library, put straight into a database, for tests and measurements."""

from __future__ import annotations

import json
import sqlite3

from stash2plex.rules.scene_states import REASONS

SCENES, DEAD = 100_000, 10_000
"""How many scenes are known, and how many of them were given up."""

STANDINGS = ("in_sync", "in_sync", "in_sync", "not_in_plex", *REASONS, "")
"""What the scenes are, in turn."""

WRITTEN = json.dumps({"title": "Lantern", "tags": ["Quay", "Fog"], "summary": "A harbour. " * 20})
FIELDS = json.dumps({"title": ["harbour_17", "Lantern"], "tags": [[], ["Quay", "Fog"]]})

NUMBERS = (
    "WITH RECURSIVE number (n) AS (SELECT :low UNION ALL SELECT n + 1 FROM number WHERE n < :high) "
)
FILES = (
    # Every tenth file of Plex has no scene.
    "INSERT INTO plex_file SELECT 7000 + n, '/media/harbour/' || n % 500 || '/' || n || '.mp4',"
    " '1', n || '.mp4', n % 500, 1000000 + n, 1 FROM number"
)
RECORDS = (
    "INSERT INTO scene_record (scene_id, rating_key, section_id, plex_path, matched_by,"
    " fingerprint, written, synced_at) SELECT n, 7000 + n, '1', '/media/harbour/' || n % 500 ||"
    " '/' || n || '.mp4', 'the whole path', 'f', :written, 1700000000 + n FROM number WHERE n % 10"
)
PERFORMERS = "INSERT INTO scene_link SELECT 'performer', n % 500 + 1, n FROM number"
STUDIOS = "INSERT INTO scene_link SELECT 'studio', n % 50 + 1, n FROM number"
# One tag is on every second scene.
TAGS = "INSERT INTO scene_link SELECT 'tag', 1, n FROM number WHERE n % 2"
HISTORY = (
    "INSERT INTO history (run_id, at, scene_id, rating_key, fields, ended)"
    " SELECT 1 + n % 40, 1700000000 + n, n, 7000 + n, :fields, 1 FROM number"
)
QUEUED = (
    "INSERT INTO queue (kind, id, priority, added_at, due_at, reason) SELECT 'scene', n, n % 3, 1,"
    " CASE n % 2 WHEN 1 THEN 1 ELSE 4e9 END, CASE n % 2 WHEN 1 THEN 'not_in_plex' ELSE '' END"
    " FROM number"
)
GIVEN_UP = (
    "INSERT INTO dead_letter (kind, id, title, path, reason, error, attempts, first_failed_at,"
    " last_failed_at) SELECT 'scene', n, 'Ferry ' || n, '/data/harbour/' || n || '.mp4',"
    " CASE n % 2 WHEN 1 THEN 'rejected' ELSE 'ambiguous' END, :error, 5, 1, n FROM number"
)
OTHERS = (
    "INSERT INTO plex_section VALUES ('1', 'u', 'Harbour Films', 'm', 1, 1700000000, 'm', '[]')",
    "INSERT INTO plex_comparison VALUES ('1', 1, 1700000000, 0)",
)
OUTAGES = (
    "INSERT INTO outage (server, started_at, ended_at, cause, waiting) SELECT 'plex', n * 40000.0,"
    " n * 40000.0 + 600, 'Plex refuses the connection.', 3 FROM number"
)
RUNS = (
    "INSERT INTO run (name, began_at, ended_at, state, pid, queued, found, done) SELECT"
    " 'Sync All Scenes', n * 1000.0, n * 1000.0 + 60, 'ended', 1, 9, 9, 9 FROM number"
)


def fill(database: sqlite3.Connection, scenes: int = SCENES, dead: int = DEAD) -> None:
    """Store `scenes` scenes, a fifth of them queued and `dead` of them given up, and their past."""
    middle = scenes * 8 // 10
    names = {f"s{index}": standing for index, standing in enumerate(STANDINGS)}
    cases = " ".join(f"WHEN {index} THEN :s{index}" for index in range(len(STANDINGS)))
    known = f"INSERT INTO scene (id, standing) SELECT n, CASE n % {len(STANDINGS)} {cases} END"
    values = {"written": WRITTEN, "fields": FIELDS, "error": "e" * 300, **names}
    database.execute("BEGIN")
    for step, low, high in (
        (f"{known} FROM number", 1, scenes),
        *((step, 1, scenes) for step in (FILES, RECORDS, PERFORMERS, STUDIOS, TAGS, HISTORY)),
        (QUEUED, scenes * 6 // 10 + 1, middle),
        (GIVEN_UP, middle + 1, middle + dead),
        (OUTAGES, 1, 2_000),
        (RUNS, 1, 2_000),
    ):
        table, _, select = step.partition(" SELECT")
        database.execute(f"{table} {NUMBERS} SELECT{select}", {**values, "low": low, "high": high})
    for step in OTHERS:
        database.execute(step)
    database.execute("COMMIT")
