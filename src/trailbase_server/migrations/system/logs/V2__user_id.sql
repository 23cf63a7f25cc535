-- Who asked.
CREATE TABLE __logs_rebuilt (
  id          INTEGER PRIMARY KEY,
  created     REAL NOT NULL DEFAULT (UNIXEPOCH('subsec')),
  status      INTEGER NOT NULL DEFAULT 0,
  method      TEXT NOT NULL DEFAULT '',
  url         TEXT NOT NULL DEFAULT '',
  latency     REAL NOT NULL DEFAULT 0,
  client_ip   TEXT NOT NULL DEFAULT '',
  referer     TEXT NOT NULL DEFAULT '',
  user_agent  TEXT NOT NULL DEFAULT '',
  user_id     BLOB,
  data        TEXT
) STRICT;

INSERT INTO __logs_rebuilt (id, created, status, method, url, latency, client_ip, referer, user_agent, data)
SELECT id, created, status, method, url, latency, client_ip, referer, user_agent, data FROM _logs;

DROP TABLE _logs;
ALTER TABLE __logs_rebuilt RENAME TO _logs;

CREATE INDEX __logs__created_index ON _logs (created);
CREATE INDEX __logs__status_index ON _logs (status);
CREATE INDEX __logs__method_index ON _logs (method);
