-- All flights that left New York City in 2013, with what is known of airlines, airports, aircraft and
-- weather. The tables are empty here: examples/flights/import_flights.py fills them.
-- Times of day are local and written HHMM, as in the source.

CREATE TABLE airline (
  id    INTEGER PRIMARY KEY NOT NULL,
  code  TEXT NOT NULL UNIQUE,
  name  TEXT NOT NULL
) STRICT;

CREATE TABLE airport (
  id         INTEGER PRIMARY KEY NOT NULL,
  code       TEXT NOT NULL UNIQUE,
  name       TEXT NOT NULL,
  latitude   REAL,
  longitude  REAL,
  -- A JSON column: its schema is in config.textproto, SQLite checks it.
  details    TEXT CHECK (jsonschema('airport_details', details))
) STRICT;

CREATE TABLE plane (
  id            INTEGER PRIMARY KEY NOT NULL,
  tail_number   TEXT NOT NULL UNIQUE,
  year          INTEGER,
  kind          TEXT,
  manufacturer  TEXT,
  model         TEXT,
  engines       INTEGER,
  seats         INTEGER,
  speed_mph     INTEGER,
  engine        TEXT
) STRICT;

CREATE TABLE weather (
  id              INTEGER PRIMARY KEY NOT NULL,
  origin          INTEGER NOT NULL REFERENCES airport (id),
  time_hour       TEXT NOT NULL,
  temperature_f   REAL,
  dew_point_f     REAL,
  humidity        REAL,
  wind_direction  INTEGER,
  wind_speed_mph  REAL,
  wind_gust_mph   REAL,
  rain_in         REAL,
  pressure_mbar   REAL,
  visibility_mi   REAL
) STRICT;

CREATE UNIQUE INDEX weather_origin_time ON weather (origin, time_hour);

CREATE TABLE flight (
  id                   INTEGER PRIMARY KEY NOT NULL,
  airline              INTEGER NOT NULL REFERENCES airline (id),
  number               INTEGER NOT NULL,
  origin               INTEGER NOT NULL REFERENCES airport (id),
  destination          INTEGER NOT NULL REFERENCES airport (id),
  plane                INTEGER REFERENCES plane (id),
  date                 TEXT NOT NULL,
  time_hour            TEXT NOT NULL,
  scheduled_departure  INTEGER NOT NULL,
  departure            INTEGER,
  departure_delay_min  INTEGER,
  scheduled_arrival    INTEGER NOT NULL,
  arrival              INTEGER,
  arrival_delay_min    INTEGER,
  air_time_min         INTEGER,
  distance_mi          INTEGER NOT NULL
) STRICT;

CREATE INDEX flight_date ON flight (date);
CREATE INDEX flight_airline ON flight (airline, departure_delay_min);
CREATE INDEX flight_origin ON flight (origin, date);
CREATE INDEX flight_destination ON flight (destination, date);
CREATE INDEX flight_plane ON flight (plane);

-- One row per flight with names in place of numbers.
CREATE VIEW departure_board AS
  SELECT
    f.id AS id, f.date AS date, f.scheduled_departure AS scheduled, f.departure_delay_min AS delay_min,
    a.name AS airline, f.number AS number, o.code AS origin, d.code AS destination, d.name AS destination_name
  FROM flight AS f
    INNER JOIN airline AS a ON a.id = f.airline
    INNER JOIN airport AS o ON o.id = f.origin
    INNER JOIN airport AS d ON d.id = f.destination;

-- Figures per airline: casts give the computed columns a type.
CREATE VIEW airline_delays AS
  SELECT
    a.id AS id, a.code AS code, a.name AS name,
    CAST(COUNT(*) AS INTEGER) AS flights,
    CAST(COUNT(f.departure_delay_min) AS INTEGER) AS departed,
    CAST(ROUND(AVG(f.departure_delay_min), 1) AS REAL) AS mean_delay_min,
    MAX(f.departure_delay_min) AS longest_delay_min
  FROM airline AS a
    INNER JOIN flight AS f ON f.airline = a.id
  GROUP BY a.id;
