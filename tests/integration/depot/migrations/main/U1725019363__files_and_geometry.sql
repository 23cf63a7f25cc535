CREATE TABLE file_upload_table (
  id              BLOB PRIMARY KEY NOT NULL CHECK (is_uuid_v7(id)) DEFAULT (uuid_v7()),
  single_file     TEXT CHECK (jsonschema('std.FileUpload', single_file)),
  multiple_files  TEXT CHECK (jsonschema('std.FileUploads', multiple_files)),
  name            TEXT
) STRICT;

CREATE TABLE geometry (
  id           INTEGER PRIMARY KEY,
  description  TEXT,
  geom         BLOB CHECK (ST_IsValid(geom))
) STRICT;
-- The schema must be read with an index on a geometry column.
CREATE INDEX geometry_geom ON geometry (geom);
INSERT INTO geometry (id, description, geom) VALUES
  (3, 'Colosseum', ST_GeomFromText('POINT(12.4924 41.8902)', 4326)),
  (7, 'a line', ST_GeomFromText('LINESTRING(10 20, 20 30)')),
  (8, 'a box', ST_MakeEnvelope(-180, -90, 180, 90)),
  (21, 'nowhere', NULL);
