-- The case of an address does not matter. Codes live for minutes: of two the younger one is kept.
CREATE TABLE __otp_code_rebuilt (
  id        INTEGER PRIMARY KEY NOT NULL,
  user      BLOB NOT NULL,
  email     TEXT NOT NULL COLLATE NOCASE,
  otp_code  TEXT NOT NULL,
  created   INTEGER NOT NULL DEFAULT (UNIXEPOCH()),
  expires   INTEGER NOT NULL
) STRICT;

INSERT INTO __otp_code_rebuilt (id, user, email, otp_code, created, expires)
SELECT id, user, email, otp_code, created, expires FROM _otp_code
WHERE id IN (SELECT MAX(id) FROM _otp_code GROUP BY email COLLATE NOCASE);

DROP TABLE _otp_code;
ALTER TABLE __otp_code_rebuilt RENAME TO _otp_code;

CREATE UNIQUE INDEX __otp_code__email ON _otp_code (email);
