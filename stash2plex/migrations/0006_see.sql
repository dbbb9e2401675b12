-- Where the file of a dead letter's scene is, as Stash sees it.
ALTER TABLE dead_letter ADD COLUMN path TEXT NOT NULL DEFAULT '';

-- Running totals, a row each. `label` tells rows of one name apart, such as a reason.
CREATE TABLE metric (
    name TEXT NOT NULL,
    label TEXT NOT NULL DEFAULT '',
    value REAL NOT NULL,
    PRIMARY KEY (name, label)
) WITHOUT ROWID;

-- Since when outages are watched: availability is a share of the time from then on.
INSERT INTO meta (name, value) VALUES ('watched_since', strftime('%s', 'now'));
