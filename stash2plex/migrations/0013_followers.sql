-- Items that follow a scene beside the one of `scene_record`: its file lies in several libraries.
-- `record` is JSON: what was last written there, with the columns of `scene_record`.
CREATE TABLE follower (
    scene_id INTEGER NOT NULL,
    rating_key TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (scene_id, rating_key)
) WITHOUT ROWID;
CREATE INDEX follower_item ON follower (rating_key, scene_id);
