-- Passkeys: what devices and password managers sign log-ins with. Only public halves are kept.
CREATE TABLE _passkey (
  -- Numbers are not used again: a page that shows an old list must not meet another key.
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  user            BLOB NOT NULL,
  -- What the device calls it, and its public key (COSE).
  credential      BLOB NOT NULL UNIQUE,
  public_key      BLOB NOT NULL,
  -- How often it was used as the device counts; 0 for ever where it does not count.
  sign_count      INTEGER NOT NULL,
  -- May leave its device, and has done so.
  backup_eligible INTEGER NOT NULL,
  backed_up       INTEGER NOT NULL,
  -- How the device is reached, as a JSON array of texts: a hint for browsers.
  transports      TEXT NOT NULL,
  name            TEXT NOT NULL,
  created         INTEGER NOT NULL,
  last_used       INTEGER
) STRICT;

CREATE INDEX _passkey_user ON _passkey (user);

-- Challenges that were answered; each is good once. Kept until they would have run out.
CREATE TABLE _used_challenge (
  nonce           BLOB NOT NULL PRIMARY KEY,
  expires         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX _used_challenge_expires ON _used_challenge (expires);
