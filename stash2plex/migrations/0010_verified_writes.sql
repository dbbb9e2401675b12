-- `shown` is JSON: field -> what Plex shows where that is not what was written.
-- `unread` is JSON: field -> what Plex showed before its last write, until that was read back.
-- `verified` is 1 where all other fields were seen in Plex as they were written: not yet for
-- records from before. `tries` counts writes in a row that Plex took and did not keep.
ALTER TABLE scene_record ADD COLUMN shown TEXT NOT NULL DEFAULT '{}';
ALTER TABLE scene_record ADD COLUMN unread TEXT NOT NULL DEFAULT '{}';
ALTER TABLE scene_record ADD COLUMN verified INTEGER NOT NULL DEFAULT 0;
ALTER TABLE scene_record ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
CREATE INDEX scene_record_unread ON scene_record (scene_id)
    WHERE unread <> '{}' AND fingerprint <> '';

-- How the Plex server treats edits, as reading them back showed. `field` is empty for a trait of
-- the server as a whole.
CREATE TABLE server_trait (
    machine_id TEXT NOT NULL,
    trait TEXT NOT NULL,
    field TEXT NOT NULL DEFAULT '',
    version TEXT NOT NULL DEFAULT '',
    since REAL NOT NULL,
    PRIMARY KEY (machine_id, trait, field)
) WITHOUT ROWID;
