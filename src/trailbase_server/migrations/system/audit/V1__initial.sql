-- Who did what. Entries are only ever added: each carries a digest over itself and the digest before, so that one that
-- was changed or taken out shows. Old ones go by age alone, and none younger than a day, whoever asks.
CREATE TABLE entry (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  time        REAL NOT NULL,
  actor_kind  TEXT NOT NULL CHECK (actor_kind IN ('user', 'command', 'server')),
  actor_id    BLOB,
  actor_name  TEXT NOT NULL,
  client_ip   TEXT NOT NULL,
  request_id  TEXT NOT NULL,
  action      TEXT NOT NULL,
  object      TEXT NOT NULL,
  before      TEXT,
  after       TEXT,
  outcome     TEXT NOT NULL CHECK (outcome IN ('done', 'refused', 'failed')),
  status      INTEGER,
  message     TEXT NOT NULL,
  digest      BLOB NOT NULL CHECK (length(digest) = 32)
) STRICT;

CREATE INDEX entry_time ON entry (time);
CREATE INDEX entry_actor ON entry (actor_id) WHERE actor_id IS NOT NULL;
CREATE INDEX entry_action ON entry (action);

CREATE TRIGGER entry_is_not_changed BEFORE UPDATE ON entry
BEGIN
  SELECT RAISE(ABORT, 'entries of the audit log are not changed');
END;

CREATE TRIGGER entry_is_kept BEFORE DELETE ON entry
WHEN OLD.time > unixepoch('subsec') - 86400
BEGIN
  SELECT RAISE(ABORT, 'entries of the audit log are kept');
END;
