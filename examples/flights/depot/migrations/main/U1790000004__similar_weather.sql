-- Hours with weather like this one: each hour as a vector of its measurements, near where they are alike.
--
-- Six numbers: temperature, humidity, wind to the east and to the north, rain, visibility. Each is divided
-- by about its standard deviation, so that no unit counts more than another. The dew point follows from the
-- first two; the pressure is missing in every tenth hour and left out.

ALTER TABLE weather ADD COLUMN vector BLOB CHECK (vector IS NULL OR vec_length(vector) = 6);

-- One place says how the vector is made; hours in which a number is unknown have none.
CREATE VIEW weather_vector AS
  SELECT
    id,
    vec_f32(format(
      '[%.4f, %.4f, %.4f, %.4f, %.4f, %.4f]',
      (temperature_f - 55) / 18,
      (humidity - 62) / 19,
      wind_speed_mph * sin(radians(wind_direction)) / 7,
      wind_speed_mph * cos(radians(wind_direction)) / 7,
      rain_in / 0.05,
      (visibility_mi - 9) / 2
    )) AS vector
  FROM weather
  WHERE temperature_f + humidity + wind_speed_mph + wind_direction + rain_in + visibility_mi IS NOT NULL;

CREATE TRIGGER weather_inserted AFTER INSERT ON weather BEGIN
  UPDATE weather SET vector = (SELECT v.vector FROM weather_vector AS v WHERE v.id = NEW.id) WHERE id = NEW.id;
END;

CREATE TRIGGER weather_measured
  AFTER UPDATE OF temperature_f, humidity, wind_speed_mph, wind_direction, rain_in, visibility_mi ON weather
BEGIN
  UPDATE weather SET vector = (SELECT v.vector FROM weather_vector AS v WHERE v.id = NEW.id) WHERE id = NEW.id;
END;

-- Rows that were imported before.
UPDATE weather SET vector = (SELECT v.vector FROM weather_vector AS v WHERE v.id = weather.id);

-- Pairs of hours and how far they are apart: ask for one reference, order by distance.
CREATE VIEW similar_weather AS
  SELECT
    other.id AS id,
    this.id AS reference,
    CAST(vec_distance_l2(this.vector, other.vector) AS REAL) AS distance,
    airport.code AS origin,
    other.time_hour AS time_hour,
    other.temperature_f AS temperature_f,
    other.humidity AS humidity,
    other.wind_direction AS wind_direction,
    other.wind_speed_mph AS wind_speed_mph,
    other.rain_in AS rain_in,
    other.visibility_mi AS visibility_mi
  FROM weather AS this
    INNER JOIN weather AS other ON other.id <> this.id AND other.vector IS NOT NULL
    INNER JOIN airport ON airport.id = other.origin
  WHERE this.vector IS NOT NULL;
