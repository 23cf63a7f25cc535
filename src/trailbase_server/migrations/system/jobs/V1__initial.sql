-- What is remembered of jobs across restarts. "schedule" is NULL while a job is disabled; up to "seen" every moment of
-- it has been accounted for, so those that passed while no server ran can be counted.
CREATE TABLE job (
  id         INTEGER PRIMARY KEY,
  name       TEXT NOT NULL,
  schedule   TEXT,
  seen       REAL NOT NULL,
  missed     INTEGER NOT NULL DEFAULT 0,
  succeeded  REAL
) STRICT;

CREATE TABLE run (
  id           INTEGER PRIMARY KEY,
  job          INTEGER NOT NULL,
  name         TEXT NOT NULL,
  started      REAL NOT NULL,
  duration_ms  INTEGER NOT NULL,
  by_hand      INTEGER NOT NULL CHECK (by_hand IN (0, 1)),
  error        TEXT
) STRICT;

CREATE INDEX run_job ON run (job, id);
