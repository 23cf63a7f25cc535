-- Objects that no row refers to any more, until they are deleted from the store.
CREATE TABLE _file_deletions (
  id             INTEGER PRIMARY KEY NOT NULL,
  deleted        INTEGER NOT NULL DEFAULT (UNIXEPOCH()),
  attempts       INTEGER NOT NULL DEFAULT 0,
  errors         TEXT,
  table_name     TEXT NOT NULL,
  record_rowid   INTEGER NOT NULL,
  column_name    TEXT NOT NULL,
  json           TEXT NOT NULL
) STRICT;
