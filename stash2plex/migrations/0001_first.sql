-- Times are seconds since the Unix epoch (REAL). Keys are (kind, id).

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- One row a key that must be looked at or is in a worker's hands.
-- priority 0: a person waits for it, 1: a bulk task asked for it.
-- generation counts the adds, so that an edit in the middle of a run is seen at the ack.
CREATE TABLE queue (
    kind TEXT NOT NULL CHECK (kind IN ('scene', 'performer', 'studio', 'tag', 'group')),
    id INTEGER NOT NULL CHECK (id > 0),
    priority INTEGER NOT NULL CHECK (priority IN (0, 1)),
    generation INTEGER NOT NULL DEFAULT 1 CHECK (generation > 0),
    added_at REAL NOT NULL,
    due_at REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    snoozes INTEGER NOT NULL DEFAULT 0 CHECK (snoozes >= 0),
    interruptions INTEGER NOT NULL DEFAULT 0 CHECK (interruptions >= 0),
    reason TEXT NOT NULL DEFAULT '',
    lease_id TEXT,
    lease_generation INTEGER,
    lease_expires_at REAL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;

-- A claim reads the head of this index: its cost does not grow with the backlog.
CREATE INDEX queue_due ON queue (priority, due_at) WHERE lease_id IS NULL;
CREATE INDEX queue_leased ON queue (lease_expires_at) WHERE lease_id IS NOT NULL;

CREATE TABLE dead_letter (
    kind TEXT NOT NULL,
    id INTEGER NOT NULL,
    title TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL,
    error TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    first_failed_at REAL NOT NULL,
    last_failed_at REAL NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE INDEX dead_letter_time ON dead_letter (last_failed_at);

-- The error history of keys that are waiting or dead; the newest few a key are kept.
CREATE TABLE failure (
    seq INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    id INTEGER NOT NULL,
    at REAL NOT NULL,
    reason TEXT NOT NULL,
    error TEXT NOT NULL
);
CREATE INDEX failure_key ON failure (kind, id, seq);

-- What was last written to Plex for a scene. `written` is JSON: field -> value.
CREATE TABLE scene_record (
    scene_id INTEGER PRIMARY KEY,
    rating_key TEXT NOT NULL,
    section_id TEXT NOT NULL,
    plex_path TEXT NOT NULL,
    matched_by TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    written TEXT NOT NULL,
    cover_tag TEXT NOT NULL DEFAULT '',
    cover_etag TEXT NOT NULL DEFAULT '',
    poster_hash TEXT NOT NULL DEFAULT '',
    background_hash TEXT NOT NULL DEFAULT '',
    synced_at REAL NOT NULL
);
CREATE INDEX scene_record_item ON scene_record (rating_key);
CREATE INDEX scene_record_time ON scene_record (synced_at);

-- Which scenes showed an entity when they were last synced: Stash cannot be asked any more
-- once the entity is destroyed.
CREATE TABLE scene_link (
    kind TEXT NOT NULL,
    id INTEGER NOT NULL,
    scene_id INTEGER NOT NULL,
    PRIMARY KEY (kind, id, scene_id)
) WITHOUT ROWID;
CREATE INDEX scene_link_scene ON scene_link (scene_id);

CREATE TABLE plex_section (
    section_id TEXT PRIMARY KEY,
    uuid TEXT NOT NULL,
    title TEXT NOT NULL,
    change_mark TEXT NOT NULL,
    newest_added_at INTEGER NOT NULL,
    listed_at REAL NOT NULL,
    listed_mark TEXT NOT NULL
) WITHOUT ROWID;

-- Every file that Plex lists. `listing` tells rows of the last full list from older ones; 
-- `name` is the folded file name, the way in for a match.
CREATE TABLE plex_file (
    section_id TEXT NOT NULL,
    path TEXT NOT NULL,
    name TEXT NOT NULL,
    rating_key TEXT NOT NULL,
    size INTEGER,
    listing INTEGER NOT NULL,
    PRIMARY KEY (section_id, path)
) WITHOUT ROWID;
CREATE INDEX plex_file_name ON plex_file (name);
CREATE INDEX plex_file_item ON plex_file (rating_key);

CREATE TABLE breaker (
    server TEXT PRIMARY KEY CHECK (server IN ('stash', 'plex')),
    state TEXT NOT NULL CHECK (state IN ('closed', 'open', 'half_open')),
    failures INTEGER NOT NULL,
    since REAL NOT NULL,
    probes INTEGER NOT NULL,
    next_probe_at REAL NOT NULL,
    reason TEXT NOT NULL,
    refused INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE outage (
    seq INTEGER PRIMARY KEY,
    server TEXT NOT NULL,
    started_at REAL NOT NULL,
    ended_at REAL,
    cause TEXT NOT NULL,
    waiting INTEGER NOT NULL
);

-- The drain that runs now or ran last: what every process shows as progress.
CREATE TABLE drain (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    origin TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    ended_at REAL,
    done INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    snoozed INTEGER NOT NULL,
    rate REAL NOT NULL,
    note TEXT NOT NULL
);
