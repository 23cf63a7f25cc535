"""
The geometry functions, ``ST_*``: planar predicates and constructors over WKB.

``schema.geometry`` reads and writes geometries; this module says what each function accepts. All
are deterministic and innocuous. NULL gives NULL in predicates and inspections, and is an error in
constructors (spec sqlite/geometry-st-litegis-over-geos).
"""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from trailbase_server.db.values import SqlValue
from trailbase_server.schema.geometry import (
    InvalidGeometryError,
    encode_wkb,
    geometry_from_geojson,
    parse_wkb,
    parse_wkt,
)
from trailbase_server.schema.json_text import parse_json
from trailbase_server.sqlite.arguments import (
    FunctionError,
    check_blob,
    check_integer,
    check_number,
    check_text,
)

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry as Geometry

MAX_PARSED = 32  # geometries kept, of …
MAX_PARSED_BYTES = 16 * 1024  # … at most this size each
MIN_SRID, MAX_SRID = -(2**31), 2**31 - 1


# A filter compares each row with the same geometry; geometries are immutable.
_parse_again = lru_cache(maxsize=MAX_PARSED)(parse_wkb)


def _read(value: SqlValue) -> "Geometry":
    data = check_blob(value)
    try:
        return _parse_again(data) if len(data) <= MAX_PARSED_BYTES else parse_wkb(data)
    except InvalidGeometryError as exc:
        raise FunctionError(str(exc)) from exc


def _write(geometry: "Geometry", srid: tuple[SqlValue, ...]) -> bytes:
    """Render a geometry, with the SRID if one was given."""
    if srid:
        import shapely  # noqa: PLC0415  # imported when first needed: start-up time and memory

        number = check_integer(srid[0])
        if not MIN_SRID <= number <= MAX_SRID:
            raise FunctionError("an SRID has 32 bits")
        geometry = shapely.set_srid(geometry, number)
    return encode_wkb(geometry)


# Constructors


def _point(x: SqlValue, y: SqlValue, *srid: SqlValue) -> bytes:
    import shapely  # noqa: PLC0415  # as above

    return _write(shapely.Point(check_number(x), check_number(y)), srid)


def _envelope(
    x_min: SqlValue, y_min: SqlValue, x_max: SqlValue, y_max: SqlValue, *srid: SqlValue
) -> bytes:
    import shapely  # noqa: PLC0415  # as above

    corners = (
        (check_number(x_min), check_number(y_min)),
        (check_number(x_max), check_number(y_max)),
    )
    return _write(shapely.envelope(shapely.MultiPoint(corners)), srid)


def _from_text(kind: str | None, wkt: SqlValue, *srid: SqlValue) -> bytes:
    text = check_text(wkt)
    try:
        geometry = parse_wkt(text)
    except InvalidGeometryError as exc:
        raise FunctionError(str(exc)) from exc
    if kind is not None and geometry.geom_type != kind:
        raise FunctionError(f"a {kind} expected, not a {geometry.geom_type}")
    return _write(geometry, srid)


def _from_geojson(value: SqlValue) -> bytes | None:
    if value is None:
        return None
    text = check_text(value)
    try:
        return geometry_from_geojson(parse_json(text))
    except ValueError as exc:
        raise FunctionError(str(exc)) from exc


def _set_srid(value: SqlValue, srid: SqlValue) -> bytes:
    return _write(_read(value), (srid,))


# Inspection


def _type(value: SqlValue) -> str | None:
    if value is None:
        return None
    name: str = _read(value).geom_type
    return name


def _dimension(value: SqlValue) -> int | None:
    # Of the coordinates: 2, or 3 with heights.
    return None if value is None else 2 + bool(_read(value).has_z)


def _is_valid(value: SqlValue) -> bool:
    """Never fails: what is no geometry is not a valid one."""
    if value is None:
        return True
    if not isinstance(value, bytes):
        return False
    import shapely  # noqa: PLC0415  # as above

    try:
        return bool(shapely.is_valid(parse_wkb(value)))
    except InvalidGeometryError:
        return False


def _srid(value: SqlValue) -> int | None:
    if value is None:
        return None
    import shapely  # noqa: PLC0415  # as above

    return int(shapely.get_srid(_read(value)))


# Predicates


def _predicate(name: str, left: SqlValue, right: SqlValue) -> bool | None:
    if left is None or right is None:
        return None
    import shapely  # noqa: PLC0415  # as above

    compare: Callable[[Any, Any], Any] = getattr(shapely, name)
    try:
        return bool(compare(_read(left), _read(right)))
    except shapely.errors.ShapelyError as exc:
        raise FunctionError(str(exc).strip()) from exc


def _version() -> str:
    import shapely  # noqa: PLC0415  # as above

    return str(shapely.geos_version_string)


PREDICATES = {
    "ST_Contains": "contains",
    "ST_CoveredBy": "covered_by",
    "ST_Covers": "covers",
    "ST_Disjoint": "disjoint",
    "ST_Equals": "equals",
    "ST_Intersects": "intersects",
    "ST_Overlaps": "overlaps",
    "ST_Touches": "touches",
    "ST_Within": "within",
}

GEOMETRY_FUNCTIONS: tuple[tuple[str, int, Callable[..., SqlValue]], ...] = (
    ("ST_MakePoint", 2, _point),
    ("ST_Point", 2, _point),
    ("ST_Point", 3, _point),
    ("ST_MakeEnvelope", 4, _envelope),
    ("ST_MakeEnvelope", 5, _envelope),
    *(
        (name, arity, partial(_from_text, kind))
        for name, kind in (
            ("ST_GeomFromText", None),
            ("ST_PointFromText", "Point"),
            ("ST_LineFromText", "LineString"),
            ("ST_PolygonFromText", "Polygon"),
        )
        for arity in (1, 2)
    ),
    ("ST_GeomFromGeoJSON", 1, _from_geojson),
    ("ST_GeometryType", 1, _type),
    ("ST_Dimension", 1, _dimension),
    ("ST_IsValid", 1, _is_valid),
    ("ST_SRID", 1, _srid),
    ("ST_SetSRID", 2, _set_srid),
    *((name, 2, partial(_predicate, function)) for name, function in PREDICATES.items()),
    ("LiteGIS_GEOS_Version", 0, _version),
    ("LiteGIS_Version", 0, lambda: "1.0"),
)
"""Name, number of arguments, implementation."""
