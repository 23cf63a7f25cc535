CREATE TABLE _user (
  id                               BLOB PRIMARY KEY NOT NULL CHECK (is_uuid_v7(id)) DEFAULT (uuid_v7()),
  email                            TEXT NOT NULL CHECK (is_email(email)),
  password_hash                    TEXT NOT NULL DEFAULT '',
  verified                         INTEGER NOT NULL DEFAULT FALSE,
  admin                            INTEGER NOT NULL DEFAULT FALSE,
  created                          INTEGER NOT NULL DEFAULT (UNIXEPOCH()),
  updated                          INTEGER NOT NULL DEFAULT (UNIXEPOCH()),
  email_verification_code          TEXT,
  email_verification_code_sent_at  INTEGER,
  pending_email                    TEXT CHECK (is_email(pending_email)),
  password_reset_code              TEXT,
  password_reset_code_sent_at      INTEGER,
  authorization_code               TEXT,
  authorization_code_sent_at       INTEGER,
  pkce_code_challenge              TEXT,
  provider_id                      INTEGER NOT NULL DEFAULT 0,
  provider_user_id                 TEXT,
  provider_avatar_url              TEXT
) STRICT;

CREATE UNIQUE INDEX __user__email_index ON _user (email);
CREATE UNIQUE INDEX __user__provider_ids_index ON _user (provider_id, provider_user_id);

CREATE TRIGGER __user__updated_trigger AFTER UPDATE ON _user FOR EACH ROW
BEGIN
  UPDATE _user SET updated = UNIXEPOCH() WHERE id = OLD.id;
END;

-- Sessions have long moved to a database of their own; U5 drops this table.
CREATE TABLE _session (
  id             INTEGER PRIMARY KEY NOT NULL,
  user           BLOB NOT NULL REFERENCES _user (id) ON DELETE CASCADE,
  refresh_token  TEXT NOT NULL,
  updated        INTEGER NOT NULL DEFAULT (UNIXEPOCH())
) STRICT;

CREATE UNIQUE INDEX __session__refresh_token_index ON _session (refresh_token);

CREATE TABLE _user_avatar (
  user     BLOB PRIMARY KEY NOT NULL REFERENCES _user (id) ON DELETE CASCADE,
  file     TEXT NOT NULL CHECK (jsonschema('std.FileUpload', file, 'image/png, image/jpeg')),
  updated  INTEGER NOT NULL DEFAULT (UNIXEPOCH())
) STRICT;

CREATE TRIGGER __user_avatar__updated_trigger AFTER UPDATE ON _user_avatar FOR EACH ROW
BEGIN
  UPDATE _user_avatar SET updated = UNIXEPOCH() WHERE user = OLD.user;
END;
