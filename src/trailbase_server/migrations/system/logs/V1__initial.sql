CREATE TABLE _logs (
  id          INTEGER PRIMARY KEY,
  created     REAL NOT NULL DEFAULT (UNIXEPOCH('subsec')),
  status      INTEGER NOT NULL DEFAULT 0,
  method      TEXT NOT NULL DEFAULT '',
  url         TEXT NOT NULL DEFAULT '',
  latency     REAL NOT NULL DEFAULT 0,
  client_ip   TEXT NOT NULL DEFAULT '',
  referer     TEXT NOT NULL DEFAULT '',
  user_agent  TEXT NOT NULL DEFAULT '',
  data        TEXT
) STRICT;

CREATE INDEX __logs__created_index ON _logs (created);
CREATE INDEX __logs__status_index ON _logs (status);
CREATE INDEX __logs__method_index ON _logs (method);
