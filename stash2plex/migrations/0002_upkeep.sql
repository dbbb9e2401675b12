-- Which files the scene had when it was last synced, as a digest: Stash moves, renames and reassigns
-- files without telling the scene. Empty for records of before, so that each is looked at once.
ALTER TABLE scene_record ADD COLUMN files TEXT NOT NULL DEFAULT '';
