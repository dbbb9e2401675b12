-- What each reconcile found, as JSON; the newest few are kept.
CREATE TABLE reconcile_report (
    seq INTEGER PRIMARY KEY,
    started_at REAL NOT NULL,
    report TEXT NOT NULL
);

-- Up to when each library of Plex was compared as a whole. `newest_updated_at` is by Plex's clock
-- and was read before the comparison began: what is edited later is at least as new.
-- `details_at` is when every item was read last; `preserve` is the setting that it was read under.
CREATE TABLE plex_comparison (
    section_id TEXT PRIMARY KEY,
    newest_updated_at INTEGER NOT NULL,
    details_at REAL NOT NULL,
    preserve INTEGER NOT NULL
) WITHOUT ROWID;
