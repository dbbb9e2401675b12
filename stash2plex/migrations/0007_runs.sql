-- One row for each task or command that was asked to send. Run 0 stands for everything: it counts
-- every key that ends, whoever made it due. `state` is stopped for a run whose job the user stopped
-- in Stash, lost for one whose process ended without a word.
-- job_*: the job of Stash that it runs in, empty on a command line. Stash numbers its jobs from 1
-- after each start, so description and time of adding, as Stash writes it, belong to the number.
-- queued: keys that it made due. found: keys that were due when it began. done, failed, later and
-- removed: what became of both, by whoever worked on them. held: keys that wait since it was stopped.
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    began_at REAL NOT NULL,
    ended_at REAL,
    state TEXT NOT NULL CHECK (state IN ('open', 'ended', 'stopped', 'lost')),
    pid INTEGER NOT NULL,
    job_id INTEGER,
    job_description TEXT NOT NULL DEFAULT '',
    job_added TEXT NOT NULL DEFAULT '',
    queued INTEGER NOT NULL DEFAULT 0,
    found INTEGER NOT NULL DEFAULT 0,
    done INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    later INTEGER NOT NULL DEFAULT 0,
    removed INTEGER NOT NULL DEFAULT 0,
    held INTEGER NOT NULL DEFAULT 0
);
INSERT INTO run (id, name, began_at, state, pid) VALUES (0, '', 0, 'ended', 0);

-- priority 2: held, because the user stopped the run; no claim reads it.
-- run_id: the run that first made the key due, 0 for saves and sweeps.
-- after_run: the newest run then. Newer ones found the key, and count its end as well.
-- later_run: the newest run when the key was last put off, which so many runs have counted.
CREATE TABLE queue_of_runs (
    kind TEXT NOT NULL CHECK (kind IN ('scene', 'performer', 'studio', 'tag', 'group')),
    id INTEGER NOT NULL CHECK (id > 0),
    priority INTEGER NOT NULL CHECK (priority IN (0, 1, 2)),
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
    run_id INTEGER NOT NULL DEFAULT 0,
    after_run INTEGER NOT NULL DEFAULT 0,
    later_run INTEGER NOT NULL DEFAULT -1,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
INSERT INTO queue_of_runs (kind, id, priority, generation, added_at, due_at, attempts, snoozes,
    interruptions, reason, lease_id, lease_generation, lease_expires_at)
    SELECT kind, id, priority, generation, added_at, due_at, attempts, snoozes, interruptions,
    reason, lease_id, lease_generation, lease_expires_at FROM queue;
DROP TABLE queue;
ALTER TABLE queue_of_runs RENAME TO queue;
CREATE INDEX queue_due ON queue (priority, due_at) WHERE lease_id IS NULL;
CREATE INDEX queue_leased ON queue (lease_expires_at) WHERE lease_id IS NOT NULL;
