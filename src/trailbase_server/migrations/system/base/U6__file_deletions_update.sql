-- What replaced the old files of an updated row: objects named here are still in use.
ALTER TABLE _file_deletions ADD COLUMN updated_json TEXT;
