"""
Geometries: extended WKB in the database, GeoJSON on the wire, WKT in SQL.

The work is GEOS's, through shapely. Ours is the door: GEOS reads nested collections recursively
and without a limit, so 200 kB of hostile WKB overflow the stack and take the process down. Depth
is therefore checked here before GEOS sees anything (``MAX_DEPTH``). GeoJSON is checked in full,
because shapely is lenient: it closes rings by itself and reads features.

Heights are kept. A spatial reference (SRID) lives in WKB only; GeoJSON has none.
"""

from itertools import pairwise
from math import isfinite
from struct import Struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry as Geometry

MAX_DEPTH = 32  # geometry collections inside each other
MIN_DIMENSIONS = 2
MAX_DIMENSIONS = 3  # numbers of a position that count; GeoJSON allows more without meaning
MIN_RING_POSITIONS = 4

_POINT, _LINE, _POLYGON, _COLLECTION = 1, 2, 3, 7
_HEADER_BYTES = 5
_DOUBLE_BYTES = 8
_FLAG_Z, _FLAG_M, _FLAG_SRID = 0x8000_0000, 0x4000_0000, 0x2000_0000
_COUNTS = {0: Struct(">I"), 1: Struct("<I")}


class InvalidGeometryError(ValueError):
    """Text, bytes or JSON that is no geometry."""


def parse_wkb(data: bytes) -> "Geometry":
    """
    Read WKB or EWKB.

    Raises:
        InvalidGeometryError: Malformed, of an unknown kind, or nested too deeply.
    """
    import shapely  # noqa: PLC0415  # imported when first needed: start-up time and memory

    _check_nesting(data)
    try:
        return shapely.from_wkb(data)
    except (shapely.errors.ShapelyError, ValueError, NotImplementedError) as exc:
        raise InvalidGeometryError(f"malformed WKB: {str(exc).strip()}") from exc


def parse_wkt(text: str) -> "Geometry":
    """
    Read WKT.

    Raises:
        InvalidGeometryError: Malformed or nested too deeply.
    """
    import shapely  # noqa: PLC0415  # as above

    depth = deepest = 0
    for character in text:
        if character == "(":
            depth += 1
            deepest = max(deepest, depth)
        elif character == ")":
            depth -= 1
    if deepest > MAX_DEPTH:
        raise InvalidGeometryError("malformed WKT: nested too deeply")
    try:
        return shapely.from_wkt(text)
    except (shapely.errors.ShapelyError, ValueError, NotImplementedError) as exc:
        raise InvalidGeometryError(f"malformed WKT: {str(exc).strip()}") from exc


def encode_wkb(geometry: "Geometry") -> bytes:
    """Render as little-endian WKB; EWKB where there is an SRID or a height."""
    import shapely  # noqa: PLC0415  # as above

    data: bytes = shapely.to_wkb(
        geometry, byte_order=1, include_srid=bool(shapely.get_srid(geometry))
    )
    return data


def geometry_from_geojson(value: Any) -> bytes:
    """
    Convert a GeoJSON geometry to WKB.

    Args:
        value: Parsed JSON. Members other than ``type`` and ``coordinates`` or ``geometries`` are
            ignored.

    Raises:
        InvalidGeometryError: Not a geometry object as RFC 7946 has it.

    Spec:
        records/json-input-sqlite-create-update-batch
    """
    from shapely import errors  # noqa: PLC0415  # as above
    from shapely.geometry import shape  # noqa: PLC0415  # as above

    try:
        checked = _check_geometry(value, MAX_DEPTH)
    except OverflowError as exc:
        raise InvalidGeometryError("a number beyond all doubles") from exc
    try:
        return encode_wkb(shape(checked))
    except (errors.ShapelyError, ValueError, TypeError) as exc:
        raise InvalidGeometryError(f"not a geometry: {str(exc).strip()}") from exc


def geometry_to_geojson(data: bytes) -> dict[str, Any]:
    """
    Convert WKB to a GeoJSON geometry.

    Returns:
        ``type`` and ``coordinates`` (or ``geometries``); arrays may be tuples.

    Raises:
        InvalidGeometryError: Malformed WKB, or a coordinate that JSON cannot hold.

    Spec:
        records/sqlite-json-read-list-events
    """
    return _render_geojson(parse_wkb(data))


def _render_geojson(geometry: "Geometry") -> dict[str, Any]:
    import shapely  # noqa: PLC0415  # as above
    from numpy import isfinite as are_finite  # noqa: PLC0415  # as above
    from shapely.geometry import mapping  # noqa: PLC0415  # as above

    if geometry.geom_type == "GeometryCollection":
        members = [_render_geojson(member) for member in geometry.geoms]
        return {"type": geometry.geom_type, "geometries": members}
    if not are_finite(shapely.get_coordinates(geometry)).all():
        raise InvalidGeometryError("a coordinate is not finite")
    if geometry.has_z and not are_finite(shapely.get_coordinates(geometry, include_z=True)).all():
        geometry = shapely.force_2d(geometry)
    geojson: dict[str, Any] = mapping(geometry)
    return geojson


# GeoJSON


def _check_geometry(value: Any, depth: int) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidGeometryError("a geometry is an object")
    kind = value.get("type")
    if kind == "GeometryCollection":
        members = value.get("geometries")
        if not isinstance(members, list):
            raise InvalidGeometryError("a collection has a list of geometries")
        if depth == 0:
            raise InvalidGeometryError("collections are nested too deeply")
        return {"type": kind, "geometries": [_check_geometry(m, depth - 1) for m in members]}
    levels = _LEVELS.get(kind) if isinstance(kind, str) else None
    if levels is None:
        raise InvalidGeometryError("an unknown type of geometry")
    coordinates = value.get("coordinates")
    if not isinstance(coordinates, list):
        raise InvalidGeometryError("coordinates are an array")
    if kind == "Point":
        positions = [_check_position(coordinates)] if coordinates else []
        return {"type": kind, "coordinates": positions[0] if positions else []}
    checked = _check_nested(coordinates, levels)
    if kind in ("Polygon", "MultiPolygon"):
        polygons = checked if kind == "MultiPolygon" else [checked]
        for ring in (ring for polygon in polygons for ring in polygon):
            _check_ring(ring)
    return {"type": kind, "coordinates": _level_dimensions(checked, levels)}


# Arrays around the positions of each type.
_LEVELS = {
    "Point": 0,
    "LineString": 1,
    "MultiPoint": 1,
    "Polygon": 2,
    "MultiLineString": 2,
    "MultiPolygon": 3,
}


def _check_nested(value: Any, levels: int) -> list[Any]:
    if levels == 0:
        return _check_position(value)
    if not isinstance(value, list):
        raise InvalidGeometryError("coordinates are nested arrays")
    return [_check_nested(item, levels - 1) for item in value]


def _check_position(value: Any) -> list[float]:
    if not isinstance(value, list) or len(value) < MIN_DIMENSIONS:
        raise InvalidGeometryError("a position is an array of at least two numbers")
    if not all(type(number) in (int, float) for number in value):
        raise InvalidGeometryError("a position consists of numbers")
    position = [float(number) for number in value[:MAX_DIMENSIONS]]
    if not all(isfinite(number) for number in position):
        raise InvalidGeometryError("a position consists of finite numbers")
    return position


def _check_ring(ring: list[list[float]]) -> None:
    if ring and (len(ring) < MIN_RING_POSITIONS or ring[0] != ring[-1]):
        raise InvalidGeometryError("a ring has at least four positions and is closed")


def _level_dimensions(nested: list[Any], levels: int) -> list[Any]:
    """Drop heights that only some positions have: a geometry has two dimensions or three."""
    positions = nested
    for _ in range(levels - 1):
        positions = [item for items in positions for item in items]
    if all(len(left) == len(right) for left, right in pairwise(positions)):
        return nested
    return _flatten(nested, levels)


def _flatten(nested: list[Any], levels: int) -> list[Any]:
    return nested[:2] if levels == 0 else [_flatten(item, levels - 1) for item in nested]


# WKB


def _check_nesting(data: bytes) -> None:
    """
    Walk the parts of a collection without recursion, refusing depth and unknown kinds.

    Simple geometries, which are nearly all, are left to GEOS after a look at the first header.
    """
    offset = 0
    open_parts: list[int] = []  # members still to come, per collection we are in
    while True:
        kind, offset, counts, dimensions = _read_header(data, offset)
        if not open_parts and kind in (_POINT, _LINE, _POLYGON):
            return
        if kind > _COLLECTION or kind == 0:
            raise InvalidGeometryError("malformed WKB: unsupported kind of geometry")
        if kind > _POLYGON:
            members, offset = _read_count(data, offset, counts)
            open_parts.append(members)
            if len(open_parts) > MAX_DEPTH:
                raise InvalidGeometryError("malformed WKB: nested too deeply")
        else:
            offset = _skip_simple(data, offset, kind, counts, dimensions)
            open_parts[-1] -= 1
        while open_parts and open_parts[-1] == 0:
            open_parts.pop()
            if open_parts:
                open_parts[-1] -= 1
        if not open_parts:
            return


def _read_header(data: bytes, offset: int) -> tuple[int, int, Struct, int]:
    """Read byte order, kind, flags and SRID: kind, what follows, how to read counts, dimensions."""
    if len(data) < offset + _HEADER_BYTES:
        raise InvalidGeometryError("malformed WKB: too short")
    counts = _COUNTS.get(data[offset])
    if counts is None:
        raise InvalidGeometryError("malformed WKB: unknown byte order")
    (code,) = counts.unpack_from(data, offset + 1)
    offset += _HEADER_BYTES
    if code & _FLAG_SRID:
        offset += 4
    # Third and fourth dimension: by flag (EWKB) or by thousands (ISO).
    kind = code & 0xFFFF
    iso = kind // 1000
    has_z = bool(code & _FLAG_Z) or iso in (1, 3)
    has_m = bool(code & _FLAG_M) or iso in (2, 3)
    return kind % 1000, offset, counts, 2 + has_z + has_m


def _read_count(data: bytes, offset: int, counts: Struct) -> tuple[int, int]:
    if len(data) < offset + 4:
        raise InvalidGeometryError("malformed WKB: too short")
    return counts.unpack_from(data, offset)[0], offset + 4


def _skip_simple(data: bytes, offset: int, kind: int, counts: Struct, dimensions: int) -> int:
    position_bytes = dimensions * _DOUBLE_BYTES
    if kind == _POINT:
        return offset + position_bytes
    rings = 1
    if kind == _POLYGON:
        rings, offset = _read_count(data, offset, counts)
    for _ in range(rings):
        positions, offset = _read_count(data, offset, counts)
        offset += positions * position_bytes
    return offset
