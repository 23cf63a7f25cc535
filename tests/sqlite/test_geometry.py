"""The geometry functions, called from SQL."""

import struct

import apsw
import pytest
import shapely

from trailbase_server.sqlite.functions import FunctionError, register_functions

CONNECTION = apsw.Connection(":memory:")
register_functions(CONNECTION, None, None)

POINT = struct.pack("<BIdd", 1, 1, 1.0, 2.0)
BOW_TIE = shapely.to_wkb(shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]))


def sql(expression, *params):
    return CONNECTION.execute(f"SELECT {expression}", params).fetchall()[0][0]


def wkt(expression, *params):
    return shapely.to_wkt(shapely.from_wkb(sql(expression, *params)), trim=True)


def is_refused(expression, *params):
    with pytest.raises(FunctionError):
        sql(expression, *params)
    return True


def test_points():
    assert sql("ST_Point(1, 2)") == POINT
    assert sql("ST_MakePoint(1.0, 2)") == POINT
    assert sql("ST_Point(1, 2, 4326)") == struct.pack("<BIIdd", 1, 0x20000001, 4326, 1.0, 2.0)
    assert sql("ST_Point(1, 2, 0)") == POINT


def test_envelopes():
    assert wkt("ST_MakeEnvelope(0, 52, 2, 54)") == "POLYGON ((0 52, 2 52, 2 54, 0 54, 0 52))"
    assert wkt("ST_MakeEnvelope(2, 54, 0, 52)") == "POLYGON ((0 52, 2 52, 2 54, 0 54, 0 52))"
    assert wkt("ST_MakeEnvelope(1, 2, 1, 2)") == "POINT (1 2)"
    assert sql("ST_SRID(ST_MakeEnvelope(0, 0, 1, 1, 25832))") == 25832


def test_geometries_from_text():
    assert sql("ST_GeomFromText('POINT (1 2)')") == POINT
    assert sql("ST_SRID(ST_GeomFromText('POINT (1 2)', 4326))") == 4326
    assert sql("ST_SRID(ST_GeomFromText('POINT (1 2)'))") == 0
    assert sql("ST_PointFromText('POINT (1 2)')") == POINT
    assert wkt("ST_LineFromText('LINESTRING (1 2, 3 4)', 1)") == "LINESTRING (1 2, 3 4)"
    assert wkt("ST_PolygonFromText('POLYGON EMPTY')") == "POLYGON EMPTY"


@pytest.mark.parametrize(
    "call",
    [
        "ST_PointFromText('LINESTRING (1 2, 3 4)')",
        "ST_LineFromText('POINT (1 2)')",
        "ST_PolygonFromText('MULTIPOINT ((1 2))')",
        "ST_GeomFromText('POINT (1')",
        "ST_GeomFromText(NULL)",
        "ST_GeomFromText(x'00')",
        "ST_GeomFromText('POINT (1 2)', NULL)",
        "ST_GeomFromText('POINT (1 2)', '4326')",
        "ST_GeomFromText('POINT (1 2)', 5000000000)",
        "ST_Point(NULL, 1)",
        "ST_Point('1', 1)",
        "ST_Point(1, 1, 1.5)",
        "ST_MakePoint(x'01', 1)",
        "ST_MakeEnvelope(0, 0, 1, NULL)",
        "ST_MakeEnvelope(0, 0, 1, 1, NULL)",
        "ST_GeomFromGeoJSON('{')",
        "ST_GeomFromGeoJSON('{}')",
        "ST_GeomFromGeoJSON(x'00')",
        "ST_SetSRID(NULL, 1)",
        "ST_SetSRID(ST_Point(1, 2), NULL)",
        "ST_SetSRID('POINT (1 2)', 1)",
        "ST_SRID('POINT (1 2)')",
        "ST_SRID(x'00')",
        "ST_Dimension(7)",
        "ST_GeometryType(x'')",
        "ST_Within(ST_Point(1, 2), 'POINT (1 2)')",
        "ST_Within(x'00', ST_Point(1, 2))",
    ],
)
def test_refused_arguments(call):
    assert is_refused(call)


def test_geometries_from_geojson():
    assert sql("""ST_GeomFromGeoJSON('{"type":"Point","coordinates":[1,2]}')""") == POINT
    assert sql("ST_GeomFromGeoJSON(NULL)") is None


def test_inspection():
    assert sql("ST_GeometryType(ST_Point(1, 2))") == "Point"
    assert sql("ST_GeometryType(ST_GeomFromText('MULTIPOINT ((1 2))'))") == "MultiPoint"
    assert sql("ST_Dimension(ST_Point(1, 2))") == 2
    assert sql("ST_Dimension(ST_GeomFromText('LINESTRING Z (1 2 3, 4 5 6)'))") == 3
    assert sql("ST_SRID(ST_SetSRID(ST_Point(1, 2), 7))") == 7
    assert sql("ST_SRID(ST_SetSRID(ST_Point(1, 2, 9), 0))") == 0
    for function in ("ST_GeometryType", "ST_Dimension", "ST_SRID"):
        assert sql(f"{function}(NULL)") is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, 1),
        (POINT, 1),
        (BOW_TIE, 0),
        (b"", 0),
        (b"junk", 0),
        ("POINT (1 2)", 0),
        (7, 0),
        (1.5, 0),
        (struct.pack("<BII", 1, 7, 1) * 200_000, 0),
    ],
)
def test_validity_is_always_an_answer(value, expected):
    assert sql("ST_IsValid(?)", value) == expected


# Square (0 0, 4 4) against other geometries.
@pytest.mark.parametrize(
    ("function", "true_for", "false_for"),
    [
        ("ST_Contains", "POINT (1 1)", "POINT (0 0)"),
        ("ST_Covers", "POINT (0 0)", "POINT (5 5)"),
        ("ST_Disjoint", "POINT (5 5)", "POINT (0 0)"),
        ("ST_Equals", "POLYGON ((4 0, 4 4, 0 4, 0 0, 4 0))", "POINT (1 1)"),
        ("ST_Intersects", "POINT (0 0)", "POINT (5 5)"),
        ("ST_Overlaps", "POLYGON ((2 2, 6 2, 6 6, 2 6, 2 2))", "POINT (1 1)"),
        ("ST_Touches", "POINT (0 0)", "POINT (1 1)"),
        ("ST_Within", "POLYGON ((-1 -1, 9 -1, 9 9, -1 9, -1 -1))", "POINT (1 1)"),
        ("ST_CoveredBy", "POLYGON ((0 0, 9 0, 9 9, 0 9, 0 0))", "POINT (1 1)"),
    ],
)
def test_predicates(function, true_for, false_for):
    square = "ST_MakeEnvelope(0, 0, 4, 4)"
    assert sql(f"{function}({square}, ST_GeomFromText(?))", true_for) == 1
    assert sql(f"{function}({square}, ST_GeomFromText(?))", false_for) == 0
    assert sql(f"{function}({square}, NULL)") is None
    assert sql(f"{function}(NULL, {square})") is None


def test_spatial_references_are_not_compared():
    assert sql("ST_Equals(ST_Point(1, 2, 4326), ST_Point(1, 2))") == 1


def test_names_mind_no_case():
    assert sql("st_isvalid(st_point(1, 2))") == 1


def test_versions():
    assert sql("LiteGIS_GEOS_Version()") == shapely.geos_version_string
    assert sql("LiteGIS_Version()")
