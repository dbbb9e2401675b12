-- What kind of outage it is: unavailable, login (token, key or session refused), or refused.
-- `cured` is 1 where a changed setting ended it: then there is nothing left to report.
ALTER TABLE outage ADD COLUMN kind TEXT NOT NULL DEFAULT 'unavailable';
ALTER TABLE outage ADD COLUMN cured INTEGER NOT NULL DEFAULT 0;
