-- Where airports are, as geometries: for "airports within this box" and for maps.

ALTER TABLE airport ADD COLUMN geom BLOB CHECK (ST_IsValid(geom));

-- Rows that were imported before this column existed. A geometry's x is the longitude.
UPDATE airport SET geom = ST_MakePoint(longitude, latitude) WHERE longitude IS NOT NULL;
