-- Every scene of Stash that is known. `place` is 1 while its key is in the queue and 2 while it is a
-- dead letter: the triggers below keep it, whoever changes those tables. `standing` is how it stands
-- otherwise, by the words of rules/scene_states.py; empty where nothing is known of it, as after its
-- key has left both without being done.
CREATE TABLE scene (
    id INTEGER PRIMARY KEY,
    place INTEGER NOT NULL DEFAULT 0,
    standing TEXT NOT NULL DEFAULT ''
);
INSERT INTO scene (id, standing)
    SELECT scene_id, CASE WHEN fingerprint = '' THEN '' ELSE 'in_sync' END FROM scene_record;
INSERT OR IGNORE INTO scene (id) SELECT id FROM queue WHERE kind = 'scene';
INSERT OR IGNORE INTO scene (id) SELECT id FROM dead_letter WHERE kind = 'scene';
UPDATE scene SET place = 2 WHERE id IN (SELECT id FROM dead_letter WHERE kind = 'scene');
UPDATE scene SET place = 1 WHERE id IN (SELECT id FROM queue WHERE kind = 'scene');

-- Counts read these alone: each holds every column that a count names.
CREATE INDEX scene_place ON scene (place, standing);
DROP INDEX queue_due;
CREATE INDEX queue_due ON queue (priority, due_at, lease_id) WHERE lease_id IS NULL;
CREATE INDEX queue_missing ON queue (priority, due_at, lease_id, reason)
    WHERE lease_id IS NULL AND kind = 'scene' AND reason = 'not_in_plex';

-- A scene that is seen for the first time moves the time that the counts are of.
CREATE TRIGGER queue_took_scene AFTER INSERT ON queue WHEN NEW.kind = 'scene' BEGIN
    UPDATE meta SET value = NEW.added_at WHERE name = 'scenes_as_of'
        AND NOT EXISTS (SELECT 1 FROM scene WHERE id = NEW.id);
    INSERT OR IGNORE INTO scene (id) VALUES (NEW.id);
    UPDATE scene SET place = 1, standing = '' WHERE id = NEW.id;
END;
CREATE TRIGGER queue_left_scene AFTER DELETE ON queue WHEN OLD.kind = 'scene' BEGIN
    UPDATE scene SET place = 2 * EXISTS (
        SELECT 1 FROM dead_letter WHERE kind = 'scene' AND id = OLD.id
    ) WHERE id = OLD.id;
END;
CREATE TRIGGER dead_letter_took_scene AFTER INSERT ON dead_letter WHEN NEW.kind = 'scene' BEGIN
    INSERT OR IGNORE INTO scene (id) VALUES (NEW.id);
    UPDATE scene SET standing = '', place = 2 - EXISTS (
        SELECT 1 FROM queue WHERE kind = 'scene' AND id = NEW.id
    ) WHERE id = NEW.id;
END;
CREATE TRIGGER dead_letter_left_scene AFTER DELETE ON dead_letter WHEN OLD.kind = 'scene' BEGIN
    UPDATE scene SET place = EXISTS (
        SELECT 1 FROM queue WHERE kind = 'scene' AND id = OLD.id
    ) WHERE id = OLD.id;
END;
-- A record that is not relied on any more says nothing of its scene.
CREATE TRIGGER record_doubted AFTER UPDATE OF fingerprint ON scene_record
    WHEN NEW.fingerprint = '' AND OLD.fingerprint <> '' BEGIN
    UPDATE scene SET standing = '' WHERE id = NEW.scene_id AND standing = 'in_sync';
END;
