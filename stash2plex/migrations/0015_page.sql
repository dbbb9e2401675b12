-- Which Plex item the user chose for a scene, by both files: `stash_path` and `plex_path` are whole
-- paths. It holds for whatever scene and item these files belong to later.
CREATE TABLE item_choice (
    stash_path TEXT PRIMARY KEY,
    plex_path TEXT NOT NULL,
    scene_id INTEGER NOT NULL,
    chosen_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX item_choice_scene ON item_choice (scene_id);

-- What the last dry run of a comparison found, a row for each field that differs. `stash`, `plex`
-- and `written` are JSON.
CREATE TABLE difference (
    seq INTEGER PRIMARY KEY,
    scene_id INTEGER NOT NULL,
    title TEXT NOT NULL,
    rating_key TEXT NOT NULL,
    field TEXT NOT NULL,
    stash TEXT NOT NULL,
    plex TEXT NOT NULL,
    written TEXT NOT NULL
);
CREATE INDEX difference_field ON difference (field, seq);

-- The page counts and pages dead letters by reason, however long their errors are.
CREATE INDEX dead_letter_reason ON dead_letter (reason, last_failed_at DESC, kind, id);
