-- A database of its own, data/archive.db: what is worth keeping when the flights themselves are not.
-- It has its own file to copy, its own migrations, and its tables are archive.<name> in queries.

CREATE TABLE month (
  id              INTEGER PRIMARY KEY NOT NULL,
  month           TEXT NOT NULL CHECK (month GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]'),
  airline         TEXT NOT NULL,
  flights         INTEGER NOT NULL,
  cancelled       INTEGER NOT NULL,
  mean_delay_min  REAL
) STRICT;

CREATE UNIQUE INDEX month_airline ON month (month, airline);
