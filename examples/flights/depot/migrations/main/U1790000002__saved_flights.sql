-- What people keep for themselves.

CREATE TABLE saved_flight (
  id       BLOB PRIMARY KEY NOT NULL CHECK (is_uuid_v7(id)) DEFAULT (uuid_v7()),
  owner    BLOB NOT NULL REFERENCES _user (id) ON DELETE CASCADE,
  flight   INTEGER NOT NULL REFERENCES flight (id),
  note     TEXT NOT NULL DEFAULT '' CHECK (length(note) <= 2000),
  tags     TEXT NOT NULL DEFAULT '[]' CHECK (jsonschema('tags', tags)),
  created  INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;

CREATE UNIQUE INDEX saved_flight_owner_flight ON saved_flight (owner, flight);
CREATE INDEX saved_flight_flight ON saved_flight (flight);

-- Accounts to try things with. Passwords: ada window-seat, ben aisle-please.
INSERT INTO _user (id, email, password_hash) VALUES
  (X'0193a5d4c00040008000000000000001', 'ada@flights.example', hash_password('window-seat')),
  (X'0193a5d4c00040008000000000000002', 'ben@flights.example', hash_password('aisle-please'));
