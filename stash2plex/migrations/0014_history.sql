-- What a Plex item showed before our first write to it, for ever: the way back. It belongs to the
-- server, the item and the file; `server` is the server's own id. scene_id: the scene that wrote last.
-- fields: JSON, our field -> [value, 1 where it was locked]; of a picture the key of the chosen one.
-- before_history is 1 where we had written to the item before this table existed.
-- ours: JSON, what was last written there, once no record belongs to the item any more.
-- uploads: pictures sent there, which Plex cannot delete. undone_at: when all was put back.
CREATE TABLE first_state (
    rating_key TEXT NOT NULL,
    server TEXT NOT NULL,
    scene_id INTEGER NOT NULL,
    section_id TEXT NOT NULL,
    path TEXT NOT NULL,
    at REAL NOT NULL,
    fields TEXT NOT NULL DEFAULT '{}',
    before_history INTEGER NOT NULL DEFAULT 0,
    ours TEXT NOT NULL DEFAULT '',
    uploads INTEGER NOT NULL DEFAULT 0,
    undone_at REAL,
    PRIMARY KEY (rating_key, server)
) WITHOUT ROWID;
CREATE INDEX first_state_scene ON first_state (scene_id);

INSERT OR IGNORE INTO first_state (scene_id, rating_key, server, section_id, path, at,
    before_history)
    SELECT scene_id, rating_key,
        coalesce((SELECT value FROM meta WHERE name = 'plex_machine_id'), ''),
        section_id, plex_path, synced_at, 1
    FROM scene_record WHERE rating_key <> '' AND written <> '{}';
INSERT OR IGNORE INTO first_state (scene_id, rating_key, server, section_id, path, at,
    before_history)
    SELECT scene_id, rating_key,
        coalesce((SELECT value FROM meta WHERE name = 'plex_machine_id'), ''), '', '', 0, 1
    FROM follower;

-- The runs of writes: one for each save or edit of many, task, comparison or way back. `task_run` is
-- the row of `run`, 0 where no task asked. `key_at` is when the newest of its keys was added.
CREATE TABLE write_run (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    cause TEXT NOT NULL,
    name TEXT NOT NULL,
    task_run INTEGER NOT NULL,
    key_at REAL NOT NULL,
    began_at REAL NOT NULL,
    ended_at REAL NOT NULL
);
CREATE INDEX write_run_key ON write_run (task_run, cause, key_at);

-- One row for each write to an item. fields: JSON, our field -> what Plex showed before and what was
-- sent; shown: JSON, what Plex made of it where that is something else. ended is 0 until the end of
-- the write is known.
CREATE TABLE history (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id INTEGER NOT NULL,
    at REAL NOT NULL,
    scene_id INTEGER NOT NULL,
    rating_key TEXT NOT NULL,
    fields TEXT NOT NULL,
    shown TEXT NOT NULL DEFAULT '',
    ended INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX history_scene ON history (scene_id, id);
CREATE INDEX history_run ON history (run_id, id);
CREATE INDEX history_open ON history (scene_id, rating_key) WHERE ended = 0;

-- Scenes that were put back or are to be. held: what no sync writes until the user asks for the
-- scene, “all” or a JSON list of fields. asked: what is to be put back, as JSON, empty once it is.
-- job: the run that asked. outcome: JSON, what became of it.
CREATE TABLE undo (
    scene_id INTEGER PRIMARY KEY,
    held TEXT NOT NULL DEFAULT '',
    asked TEXT NOT NULL DEFAULT '',
    job INTEGER NOT NULL DEFAULT 0,
    at REAL NOT NULL DEFAULT 0,
    outcome TEXT NOT NULL DEFAULT ''
);
CREATE INDEX undo_asked ON undo (scene_id) WHERE asked <> '';
CREATE INDEX undo_job ON undo (job);

-- Collections that did not exist before we put an item into them: they go with their last item.
CREATE TABLE own_collection (
    server TEXT NOT NULL,
    section_id TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (server, section_id, name)
) WITHOUT ROWID;
