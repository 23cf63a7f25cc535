-- What accounts need beyond the tables of the reference server, in a file of its own: it never
-- looks into it, and its migrations of its own tables cannot drop anything of ours.

-- Last step of a one-time code that was accepted: neither that code nor an older one is good again.
CREATE TABLE _totp_step (
  user    BLOB NOT NULL PRIMARY KEY,
  step    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Codes that stand in for a lost authenticator, each good once; only digests are kept.
CREATE TABLE _recovery_code (
  user    BLOB NOT NULL,
  code    TEXT NOT NULL,
  created INTEGER NOT NULL,
  PRIMARY KEY (user, code)
) STRICT, WITHOUT ROWID;
