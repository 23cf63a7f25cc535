-- An address that nobody has confirmed is kept apart, and so cannot be mistaken for a real one.
CREATE TABLE __user_rebuilt (
  id                   BLOB PRIMARY KEY NOT NULL CHECK (is_uuid(id)) DEFAULT (uuid_v4()),
  email                TEXT COLLATE NOCASE CHECK (is_email(email)),
  unverified_email     TEXT COLLATE NOCASE CHECK (is_email(unverified_email)),
  username             TEXT COLLATE NOCASE,
  password_hash        TEXT,
  admin                INTEGER NOT NULL DEFAULT FALSE,
  totp_secret          TEXT,
  created              INTEGER NOT NULL DEFAULT (UNIXEPOCH()),
  updated              INTEGER NOT NULL DEFAULT (UNIXEPOCH()),
  provider_id          INTEGER NOT NULL DEFAULT 0,
  provider_user_id     TEXT,
  provider_avatar_url  TEXT
) STRICT;

INSERT INTO __user_rebuilt (
  id, email, unverified_email, username, password_hash, admin, totp_secret, created, updated,
  provider_id, provider_user_id, provider_avatar_url
)
SELECT
  id,
  CASE WHEN verified THEN email END,
  CASE WHEN verified THEN NULL ELSE email END,
  username, password_hash, admin, totp_secret, created, updated,
  provider_id, provider_user_id, provider_avatar_url
FROM _user;

PRAGMA legacy_alter_table = ON;
DROP TABLE _user;
ALTER TABLE __user_rebuilt RENAME TO _user;
PRAGMA legacy_alter_table = OFF;

CREATE UNIQUE INDEX __user__email_index ON _user (email);
CREATE UNIQUE INDEX __user__username_index ON _user (username);
CREATE UNIQUE INDEX __user__provider_ids_index ON _user (provider_id, provider_user_id);

CREATE TRIGGER __user__updated_trigger AFTER UPDATE ON _user FOR EACH ROW
BEGIN
  UPDATE _user SET updated = UNIXEPOCH() WHERE id = OLD.id;
END;
