-- Rows that go along with their owner, rows that stay without one, rows that keep their owner here.
CREATE TABLE boats (
  id INTEGER PRIMARY KEY,
  owner BLOB NOT NULL REFERENCES _user (id) ON DELETE CASCADE,
  name TEXT NOT NULL
) STRICT;

CREATE TABLE log_entries (
  id INTEGER PRIMARY KEY,
  writer BLOB REFERENCES _user (id) ON DELETE SET NULL,
  body TEXT NOT NULL
) STRICT;

CREATE TABLE debts (
  id INTEGER PRIMARY KEY,
  debtor BLOB NOT NULL REFERENCES _user (id),
  amount INTEGER NOT NULL
) STRICT;
