-- Refresh tokens that were exchanged for new ones: whoever shows one later has stolen it, or has
-- been stolen from. Only digests are kept.
CREATE TABLE _rotated_token (
  token   TEXT NOT NULL PRIMARY KEY,
  session INTEGER NOT NULL,
  user    BLOB NOT NULL,
  rotated INTEGER NOT NULL,
  expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
