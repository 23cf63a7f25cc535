CREATE TABLE _session (
  id             INTEGER PRIMARY KEY NOT NULL,
  user           BLOB NOT NULL,
  refresh_token  TEXT NOT NULL,
  created        INTEGER NOT NULL DEFAULT (UNIXEPOCH()),
  expires        INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX __session__refresh_token_index ON _session (refresh_token);
CREATE INDEX __session__user_index ON _session (user);

CREATE TABLE _authorization_code (
  id                   INTEGER PRIMARY KEY NOT NULL,
  user                 BLOB NOT NULL,
  authorization_code   TEXT NOT NULL,
  pkce_code_challenge  TEXT NOT NULL,
  created              INTEGER NOT NULL DEFAULT (UNIXEPOCH()),
  expires              INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX __authorization_code__code ON _authorization_code (authorization_code);

CREATE TABLE _otp_code (
  id        INTEGER PRIMARY KEY NOT NULL,
  user      BLOB NOT NULL,
  email     TEXT NOT NULL,
  otp_code  TEXT NOT NULL,
  created   INTEGER NOT NULL DEFAULT (UNIXEPOCH()),
  expires   INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX __otp_code__email ON _otp_code (email);
