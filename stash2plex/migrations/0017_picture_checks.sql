-- Pictures that were sent to an item and not looked at since. hash: that of their bytes, as Plex names
-- an upload. shown: the address of the picture before, empty if the field was not locked then.
-- due_at: when it is looked at. tries: how often it was chosen since. lost: 1 if Plex does not keep it
-- although it answered 200, 2 if it was sent again after that.
CREATE TABLE picture_check (
    rating_key TEXT NOT NULL,
    field TEXT NOT NULL,
    scene_id INTEGER NOT NULL,
    hash TEXT NOT NULL,
    shown TEXT NOT NULL,
    due_at REAL NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    lost INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (rating_key, field)
) WITHOUT ROWID;
CREATE INDEX picture_check_due ON picture_check (lost, due_at);
CREATE INDEX picture_check_scene ON picture_check (scene_id);

-- How often the pictures of a scene were begun without an end: each time, the process ended meanwhile.
ALTER TABLE waiting_picture ADD COLUMN begun INTEGER NOT NULL DEFAULT 0;
