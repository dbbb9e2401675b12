-- The path index is read from Plex again: its rows now come in the order of one of its trees.
-- `listing` grows with every reading, so rows that a full list did not show are older than it.
-- `locations` is JSON: the library's folders.
DROP TABLE plex_file;
DROP TABLE plex_section;

CREATE TABLE plex_section (
    section_id TEXT PRIMARY KEY,
    uuid TEXT NOT NULL,
    title TEXT NOT NULL,
    change_mark TEXT NOT NULL,
    newest_added_at INTEGER NOT NULL,
    listed_at REAL NOT NULL,
    listed_mark TEXT NOT NULL,
    locations TEXT NOT NULL
) WITHOUT ROWID;

-- Every file that Plex lists. `name` is the folded file name, the way in for a match, `folder` the
-- folded name of the folder that it lies in: libraries may have one name in a thousand folders.
CREATE TABLE plex_file (
    rating_key TEXT NOT NULL,
    path TEXT NOT NULL,
    section_id TEXT NOT NULL,
    name TEXT NOT NULL,
    folder TEXT NOT NULL,
    size INTEGER,
    listing INTEGER NOT NULL,
    UNIQUE (rating_key, path)
);
CREATE INDEX plex_file_name ON plex_file (name, folder, size);

-- The files of scenes that Plex does not have, `parent` as `folder` above. `section_id` and `folder`
-- are what Plex was or will be asked to scan for it, empty where nothing was asked.
CREATE TABLE missed_file (
    scene_id INTEGER NOT NULL,
    path TEXT NOT NULL,
    name TEXT NOT NULL,
    parent TEXT NOT NULL,
    size INTEGER,
    section_id TEXT NOT NULL DEFAULT '',
    folder TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (scene_id, path)
) WITHOUT ROWID;
CREATE INDEX missed_file_name ON missed_file (name);
CREATE INDEX missed_file_folder ON missed_file (section_id, folder);

-- Folders that Plex is to scan, an empty one for the whole library; at most one was asked for.
-- `step` is how often the scan has climbed to a larger folder.
CREATE TABLE plex_scan (
    section_id TEXT NOT NULL,
    folder TEXT NOT NULL,
    step INTEGER NOT NULL,
    due_at REAL NOT NULL,
    asked_at REAL,
    PRIMARY KEY (section_id, folder)
) WITHOUT ROWID;

-- Scenes that were refused because another scene has a file of the same Plex item.
CREATE TABLE contested_item (
    scene_id INTEGER PRIMARY KEY,
    label TEXT NOT NULL,
    rating_key TEXT NOT NULL,
    matched_by TEXT NOT NULL
);
CREATE INDEX contested_item_key ON contested_item (rating_key);

-- Paths of Stash and of Plex that are known to be the same file, a few for each pair of roots, and
-- the rules worked out from them. `examples` is JSON: pairs of paths.
CREATE TABLE path_pair (
    scene_id INTEGER PRIMARY KEY,
    stash_root TEXT NOT NULL,
    plex_root TEXT NOT NULL,
    stash_path TEXT NOT NULL,
    plex_path TEXT NOT NULL
);
CREATE INDEX path_pair_roots ON path_pair (stash_root, plex_root);
CREATE TABLE path_rule (
    stash_root TEXT NOT NULL,
    plex_root TEXT NOT NULL,
    support INTEGER NOT NULL,
    contradictions INTEGER NOT NULL,
    examples TEXT NOT NULL,
    PRIMARY KEY (stash_root, plex_root)
) WITHOUT ROWID;
