"""GeoJSON, WKB, WKT, and what hostile bytes must not do."""

import contextlib
import struct

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.schema.geometry import (
    MAX_DEPTH,
    InvalidGeometryError,
    encode_wkb,
    geometry_from_geojson,
    geometry_to_geojson,
    parse_wkb,
    parse_wkt,
)

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
POSITIONS = st.tuples(NUMBERS, NUMBERS)
LINES = st.lists(POSITIONS, min_size=2, max_size=5).map(tuple)
RINGS = st.lists(POSITIONS, min_size=3, max_size=5).map(lambda ring: (*ring, ring[0]))
POLYGONS = st.lists(RINGS, min_size=1, max_size=3).map(tuple)


def geometries(kind, coordinates):
    return st.builds(lambda value: {"type": kind, "coordinates": value}, coordinates)


def many(items):
    return st.lists(items, min_size=1, max_size=3).map(tuple)


SIMPLE = st.one_of(
    geometries("Point", POSITIONS | st.tuples(NUMBERS, NUMBERS, NUMBERS)),
    geometries("LineString", LINES),
    geometries("Polygon", POLYGONS),
    geometries("MultiPoint", many(POSITIONS)),
    geometries("MultiLineString", many(LINES)),
    geometries("MultiPolygon", many(POLYGONS)),
)
GEOMETRIES = st.recursive(
    SIMPLE,
    lambda members: st.builds(
        lambda found: {"type": "GeometryCollection", "geometries": found},
        st.lists(members, min_size=1, max_size=3),
    ),
    max_leaves=4,
)


def lists(value):
    """Tuples as lists, as JSON has them."""
    if isinstance(value, list | tuple):
        return [lists(item) for item in value]
    if isinstance(value, dict):
        return {key: lists(item) for key, item in value.items()}
    return value


@given(GEOMETRIES)
def test_geojson_survives_storage(value):
    assert lists(geometry_to_geojson(geometry_from_geojson(lists(value)))) == lists(value)


@pytest.mark.parametrize("kind", ["Point", "LineString", "Polygon", "MultiPoint", "MultiPolygon"])
def test_empty_geometries_survive_storage(kind):
    value = {"type": kind, "coordinates": []}
    assert lists(geometry_to_geojson(geometry_from_geojson(value))) == value


def test_stored_bytes_are_little_endian_wkb():
    point = {"type": "Point", "coordinates": [1, 2]}
    assert geometry_from_geojson(point) == struct.pack("<BIdd", 1, 1, 1.0, 2.0)


def test_other_members_are_ignored():
    value = {"type": "Point", "coordinates": [1, 2, 3, 4], "bbox": [], "crs": "x", "foo": None}
    assert geometry_to_geojson(geometry_from_geojson(value))["coordinates"] == (1.0, 2.0, 3.0)


def test_heights_that_only_some_positions_have_are_dropped():
    value = {"type": "LineString", "coordinates": [[0, 0], [1, 1, 5]]}
    assert geometry_to_geojson(geometry_from_geojson(value))["coordinates"] == ((0, 0), (1, 1))


@pytest.mark.parametrize(
    "value",
    [
        None,
        3,
        "POINT (1 2)",
        [1, 2],
        {},
        {"type": "Point"},
        {"type": ["Point"], "coordinates": [1, 2]},
        {"type": "point", "coordinates": [1, 2]},
        {"type": "Blob", "coordinates": [1, 2]},
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}},
        {"type": "FeatureCollection", "features": []},
        {"type": "Point", "coordinates": "1 2"},
        {"type": "Point", "coordinates": [1]},
        {"type": "Point", "coordinates": [1, "2"]},
        {"type": "Point", "coordinates": [True, 2]},
        {"type": "Point", "coordinates": [None, 2]},
        {"type": "Point", "coordinates": [float("inf"), 2]},
        {"type": "Point", "coordinates": [10**400, 2]},
        {"type": "Point", "coordinates": [[1, 2]]},
        {"type": "LineString", "coordinates": [[1, 2]]},
        {"type": "LineString", "coordinates": [1, 2]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]},
        {"type": "MultiPolygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]},
        {"type": "GeometryCollection"},
        {"type": "GeometryCollection", "geometries": [3]},
    ],
)
def test_what_is_no_geometry(value):
    with pytest.raises(InvalidGeometryError):
        geometry_from_geojson(value)


def nested_geojson(depth):
    value = {"type": "Point", "coordinates": [1, 2]}
    for _ in range(depth):
        value = {"type": "GeometryCollection", "geometries": [value]}
    return value


def nested_wkb(depth, kind=7):
    header = struct.pack("<BII", 1, kind, 1)
    return header * depth + struct.pack("<BIdd", 1, 1, 1.0, 2.0)


def nested_wkt(depth):
    # The point has brackets of its own.
    return "GEOMETRYCOLLECTION (" * (depth - 1) + "POINT (1 2)" + ")" * (depth - 1)


@pytest.mark.case("T-43")
@pytest.mark.parametrize(
    ("read", "make"),
    [(geometry_from_geojson, nested_geojson), (parse_wkb, nested_wkb), (parse_wkt, nested_wkt)],
)
def test_depth_is_bounded_before_it_reaches_the_stack(read, make):
    read(make(MAX_DEPTH))
    for depth in (MAX_DEPTH + 1, 900):
        with pytest.raises(InvalidGeometryError, match="deep"):
            read(make(depth))


@pytest.mark.parametrize("kind", [4, 5, 6, 7, 1007, 2007, 3007, 0x2000_0007 & 0xFFFF, 0x1_0007])
def test_no_kind_of_collection_slips_through(kind):
    with pytest.raises(InvalidGeometryError):
        parse_wkb(nested_wkb(200_000, kind))


def test_depth_behind_a_second_member_is_seen():
    first = struct.pack("<BIIIdd", 1, 3, 1, 1, 0.0, 0.0)
    header = struct.pack("<BII", 1, 7, 2)
    with pytest.raises(InvalidGeometryError, match="deep"):
        parse_wkb((header + first) * 100_000)


def test_mixed_byte_orders_and_dimensions_are_walked():
    parts = "POLYGON Z ((0 0 1, 1 0 1, 1 1 1, 0 0 1)), LINESTRING Z (0 0 1, 1 1 2)"
    geometry = shapely.from_wkt(f"GEOMETRYCOLLECTION Z ({parts})")
    geometry = shapely.set_srid(geometry, 4326)
    for order in (0, 1):
        for flavor in ("iso", "extended"):
            data = shapely.to_wkb(
                geometry, byte_order=order, flavor=flavor, include_srid=flavor == "extended"
            )
            assert shapely.equals(parse_wkb(data), geometry)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01",
        b"\x02" + struct.pack("<Idd", 1, 1.0, 2.0),
        struct.pack("<BII", 1, 7, 0xFFFF_FFFF),
        struct.pack("<BII", 1, 2, 0xFFFF_FFFF),
        struct.pack("<BIII", 1, 6, 1, 0) * 5,
        struct.pack("<BI", 1, 8),
        struct.pack("<BII", 1, 8, 0),
        struct.pack("<BI", 1, 0),
        struct.pack("<BIIdd", 1, 2, 1, 0.0, 0.0),
        b"POINT (1 2)",
    ],
)
def test_malformed_bytes(data):
    with pytest.raises(InvalidGeometryError):
        parse_wkb(data)


@given(st.binary(max_size=80))
def test_any_bytes_are_a_geometry_or_refused(data):
    with contextlib.suppress(InvalidGeometryError):
        parse_wkb(data)


@given(GEOMETRIES, st.data())
def test_damaged_bytes_are_a_geometry_or_refused(value, data):
    stored = bytearray(geometry_from_geojson(lists(value)))
    stored[data.draw(st.integers(0, len(stored) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(InvalidGeometryError):
        geometry_to_geojson(bytes(stored))


def test_a_height_that_json_cannot_hold_is_dropped():
    data = struct.pack("<BIddd", 1, 0x8000_0001, 1.0, 2.0, float("nan"))
    assert geometry_to_geojson(data)["coordinates"] == (1.0, 2.0)


def test_coordinates_that_json_cannot_hold():
    with pytest.raises(InvalidGeometryError):
        geometry_to_geojson(struct.pack("<BIdd", 1, 1, float("inf"), 0.0))


@pytest.mark.case("T-43")
@pytest.mark.parametrize("text", ["", "POINT", "POINT (1 2) x", "SRID=1;POINT (1 2)", "(" * 10])
def test_malformed_wkt(text):
    with pytest.raises(InvalidGeometryError):
        parse_wkt(text)


def test_a_spatial_reference_is_written_when_there_is_one():
    point = shapely.Point(1, 2)
    assert encode_wkb(point) == struct.pack("<BIdd", 1, 1, 1.0, 2.0)
    stored = encode_wkb(shapely.set_srid(point, 4326))
    assert stored == struct.pack("<BIIdd", 1, 0x2000_0001, 4326, 1.0, 2.0)
    assert shapely.get_srid(parse_wkb(stored)) == 4326
