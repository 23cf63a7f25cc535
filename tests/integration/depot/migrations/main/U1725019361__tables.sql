CREATE TABLE simple_strict_table (
  id             BLOB PRIMARY KEY NOT NULL CHECK (is_uuid_v7(id)) DEFAULT (uuid_v7()),
  text_null      TEXT,
  text_default   TEXT DEFAULT '',
  text_not_null  TEXT NOT NULL DEFAULT '',
  int_null       INTEGER,
  int_default    INTEGER DEFAULT 5,
  int_not_null   INTEGER NOT NULL DEFAULT 7,
  real_null      REAL,
  real_default   REAL DEFAULT 5.1,
  real_not_null  REAL NOT NULL DEFAULT 7.1,
  blob_null      BLOB,
  blob_default   BLOB DEFAULT X'AABBCCDD',
  blob_not_null  BLOB NOT NULL DEFAULT X'AABBCCDD'
) STRICT;

INSERT INTO simple_strict_table (text_not_null)
  WITH RECURSIVE n (x) AS (VALUES (0) UNION ALL SELECT x + 1 FROM n WHERE x < 20)
  SELECT 'row ' || x FROM n;

CREATE VIEW simple_complete_view AS SELECT * FROM simple_strict_table;
CREATE VIEW simple_subset_view AS
  SELECT id, text_null AS t_null, text_default AS t_default, text_not_null AS t_not_null
  FROM simple_strict_table;

-- Unfit for record APIs; the schema must be read all the same.
CREATE TABLE loose (id INTEGER PRIMARY KEY, anything);
CREATE VIEW twice AS SELECT a.*, b.* FROM simple_strict_table AS a, simple_strict_table AS b;

CREATE TABLE movies (
  rank         INTEGER PRIMARY KEY,
  name         TEXT NOT NULL,
  year         ANY NOT NULL,
  watch_time   INTEGER NOT NULL,
  rating       REAL NOT NULL,
  metascore    ANY,
  gross        ANY,
  description  TEXT NOT NULL
) STRICT;

INSERT INTO movies VALUES
  (1, 'The Long Way', 1994, 142, 9.3, 81, 28.34, 'Two friends and a wall.'),
  (2, 'Letters', 'I 2011', 95, 8.1, NULL, NULL, 'In love with a postman.'),
  (3, 'Harbour', 1972, 118, 9.2, '100', '134.97', 'A family, its boats and its love of silence.'),
  (4, 'Glove Story', 2001, 88, 6.0, 12, 1, 'A lovely film about gloves.'),
  (5, 'Nothing', 2020, 60, 2.5, NULL, NULL, 'As it says.');

CREATE TABLE profile (
  id    INTEGER PRIMARY KEY,
  name  TEXT NOT NULL,
  _pin  TEXT NOT NULL DEFAULT '0000'
) STRICT;
CREATE TABLE post (
  id      INTEGER PRIMARY KEY,
  author  INTEGER NOT NULL REFERENCES profile,
  title   TEXT NOT NULL,
  body    TEXT NOT NULL
) STRICT;
CREATE TABLE comment (
  id      INTEGER PRIMARY KEY,
  post    INTEGER NOT NULL REFERENCES post,
  author  INTEGER NOT NULL REFERENCES profile,
  body    TEXT NOT NULL
) STRICT;
INSERT INTO profile (id, name) VALUES (1, 'first'), (2, 'second');
INSERT INTO post VALUES (1, 1, 'first post', 'body of it');
INSERT INTO comment VALUES (1, 1, 2, 'first comment'), (2, 1, 1, 'second comment');

CREATE TABLE simple_schema_table (
  id    INTEGER PRIMARY KEY,
  data  TEXT NOT NULL DEFAULT '{"name": "nobody"}' CHECK (jsonschema('simple_schema', data))
) STRICT;
