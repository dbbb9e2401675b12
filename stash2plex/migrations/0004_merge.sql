-- `removed` is JSON: field -> what a person took away in Plex, which stays away; rating -> true
-- where a person gave or took it.
-- `announced` is a JSON list: what edits whose end nobody saw would have left as `written`.
ALTER TABLE scene_record ADD COLUMN removed TEXT NOT NULL DEFAULT '{}';
ALTER TABLE scene_record ADD COLUMN announced TEXT NOT NULL DEFAULT '[]';

-- Plex items whose scene left Stash: they keep what we wrote, and reconcile reports them.
CREATE TABLE orphan (
    scene_id INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    rating_key TEXT NOT NULL,
    section_id TEXT NOT NULL,
    plex_path TEXT NOT NULL,
    since REAL NOT NULL
);
CREATE INDEX orphan_item ON orphan (rating_key);
CREATE INDEX orphan_time ON orphan (since);
