-- Scenes whose pictures are still to be sent; their texts are in Plex. `tag` is that of the cover
-- that was to be sent. `waits_for` is the endpoint that failed, empty where none is known to.
-- `attempts` counts failures that were about this item, `failures` all. `suspect` is 1 where the
-- endpoint has served others since it failed for this scene.
CREATE TABLE waiting_picture (
    scene_id INTEGER PRIMARY KEY,
    tag TEXT NOT NULL,
    due_at REAL NOT NULL,
    waits_for TEXT NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    suspect INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX waiting_picture_due ON waiting_picture (waits_for, due_at);

-- Endpoints that failed last: covers of Stash, posters and backgrounds of Plex.
CREATE TABLE endpoint (
    name TEXT PRIMARY KEY,
    failures INTEGER NOT NULL,
    since REAL NOT NULL,
    probes INTEGER NOT NULL,
    next_try_at REAL NOT NULL,
    reason TEXT NOT NULL
) WITHOUT ROWID;
