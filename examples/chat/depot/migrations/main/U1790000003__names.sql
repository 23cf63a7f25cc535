-- Names to sign with. Accounts themselves stay private: nobody reads another one's address.

CREATE TABLE profile (
  id    INTEGER PRIMARY KEY NOT NULL,
  user  BLOB NOT NULL UNIQUE REFERENCES _user (id) ON DELETE CASCADE,
  name  TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 40)
) STRICT;

INSERT INTO profile (user, name) VALUES
  (X'0193a5d4c00040008000000000000001', 'Alice'),
  (X'0193a5d4c00040008000000000000002', 'Bob'),
  (X'0193a5d4c00040008000000000000003', 'Carol');

-- Messages as the page shows them. Events say that there is a new one; this says whose it is.
CREATE VIEW signed_message AS
  SELECT m.id AS id, m.room AS room, m.data AS data, p.name AS author
  FROM message AS m
    LEFT JOIN profile AS p ON p.user = m._owner;
