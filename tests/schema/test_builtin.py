"""Schemas that come with the server."""

import jsonschema_rs
import pytest

from trailbase_server.schema.builtin import BUILTIN_SCHEMAS, GEOJSON_GEOMETRY

GEOMETRY = jsonschema_rs.validator_for(GEOJSON_GEOMETRY)


def fits(name, value):
    return jsonschema_rs.validator_for(BUILTIN_SCHEMAS[name]).is_valid(value)


def test_files():
    assert fits("std.FileUpload", {"filename": "a.png", "id": "x", "mime_type": None})
    assert not fits("std.FileUpload", {"id": "x"})
    assert not fits("std.FileUpload", {"filename": "a", "id": None})
    assert not fits("std.FileUpload", {"filename": "a", "size": 3})
    assert fits("std.FileUploads", [])
    assert fits("std.FileUploads", [{"filename": "a"}])
    assert not fits("std.FileUploads", [{"id": "a"}])


def test_key_value():
    assert fits("std.KeyValue", {"a": "b"})
    assert not fits("std.KeyValue", {"a": 1})


@pytest.mark.parametrize(
    "value",
    [
        {"type": "Point", "coordinates": [1, 2]},
        {"type": "Point", "coordinates": [1, 2, 3]},
        {"type": "LineString", "coordinates": [[1, 2], [3, 4]], "bbox": [1, 2, 3, 4]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]},
        {"type": "MultiPoint", "coordinates": []},
        {"type": "MultiLineString", "coordinates": [[[1, 2], [3, 4]]]},
        {"type": "MultiPolygon", "coordinates": [[[[0, 0], [1, 0], [1, 1], [0, 0]]]]},
    ],
)
def test_geometries(value):
    assert GEOMETRY.is_valid(value)


@pytest.mark.parametrize(
    "value",
    [
        {"type": "Point", "coordinates": [1]},
        {"type": "Point"},
        {"type": "Circle", "coordinates": [1, 2]},
        {"type": "LineString", "coordinates": [[1, 2]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [0, 0]]]},
        {"type": "Point", "coordinates": [1, 2], "bbox": [1]},
        {"type": "GeometryCollection", "geometries": []},
        None,
    ],
)
def test_what_is_no_geometry(value):
    assert not GEOMETRY.is_valid(value)
