-- What a scene was called when it failed, so that counts of what waits can name the first.
ALTER TABLE failure ADD COLUMN title TEXT NOT NULL DEFAULT '';

-- Scenes that Plex did not have at their first look-up, until the user was told or they were found.
CREATE TABLE missing_news (
    scene_id INTEGER PRIMARY KEY,
    title TEXT NOT NULL
);
