-- Rooms, who is in them, and what is said there.

CREATE TABLE room (
  id    BLOB PRIMARY KEY NOT NULL CHECK (is_uuid_v7(id)) DEFAULT (uuid_v7()),
  name  TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 80)
) STRICT;

CREATE TABLE room_members (
  id    INTEGER PRIMARY KEY NOT NULL,
  user  BLOB NOT NULL REFERENCES _user (id) ON DELETE CASCADE,
  room  BLOB NOT NULL REFERENCES room (id) ON DELETE CASCADE
) STRICT;

-- Every access rule asks "is this person in that room?": one look into this index.
CREATE UNIQUE INDEX room_members_user_room ON room_members (user, room);
CREATE INDEX room_members_room ON room_members (room);

CREATE TABLE message (
  id      BLOB PRIMARY KEY NOT NULL CHECK (is_uuid_v7(id)) DEFAULT (uuid_v7()),
  -- The underscore hides the column from answers; it can still be written and used in rules.
  _owner  BLOB NOT NULL REFERENCES _user (id) ON DELETE CASCADE,
  room    BLOB NOT NULL REFERENCES room (id) ON DELETE CASCADE,
  data    TEXT NOT NULL
) STRICT;

-- "The latest messages of a room": UUIDv7 keys sort by time.
CREATE INDEX message_room_id ON message (room, id);
CREATE INDEX message_owner ON message (_owner);

-- What everybody may read, without an account.
CREATE TABLE notice (
  id    BLOB PRIMARY KEY NOT NULL CHECK (is_uuid_v7(id)) DEFAULT (uuid_v7()),
  room  BLOB NOT NULL REFERENCES room (id) ON DELETE CASCADE,
  data  TEXT NOT NULL
) STRICT;

CREATE INDEX notice_room ON notice (room);
