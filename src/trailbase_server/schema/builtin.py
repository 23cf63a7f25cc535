"""
JSON schemas that come with the server: file metadata, key-value objects, GeoJSON geometries.

Values, never changed: who needs a variant copies first.
"""

from collections.abc import Mapping
from typing import Any

JsonSchema = dict[str, Any]

FILE_UPLOAD = "std.FileUpload"
FILE_UPLOADS = "std.FileUploads"
KEY_VALUE = "std.KeyValue"
RESERVED_PREFIX = "std."  # names that configured schemas cannot take

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_OPTIONAL_TEXT = ["string", "null"]


def _file_upload() -> JsonSchema:
    return {
        "type": "object",
        "properties": {
            "id": {"type": "string", "description": "Key in the object store."},
            "original_filename": {
                "type": _OPTIONAL_TEXT,
                "description": "Name the file was uploaded under.",
            },
            "filename": {"type": "string", "description": "Unique name of the stored file."},
            "content_type": {
                "type": _OPTIONAL_TEXT,
                "description": "Media type the client declared.",
            },
            "mime_type": {
                "type": _OPTIONAL_TEXT,
                "description": "Media type recognised from the content.",
            },
        },
        "required": ["filename"],
        "additionalProperties": False,
    }


BUILTIN_SCHEMAS: Mapping[str, JsonSchema] = {
    FILE_UPLOAD: {"$schema": DIALECT, "title": "FileUpload", **_file_upload()},
    FILE_UPLOADS: {
        "$schema": DIALECT,
        "title": "FileUploads",
        "type": "array",
        "items": {"$ref": "#/$defs/FileUpload"},
        "$defs": {"FileUpload": _file_upload()},
    },
    KEY_VALUE: {
        "$schema": DIALECT,
        "title": "KeyValue",
        "type": "object",
        "additionalProperties": {"type": "string"},
    },
}
"""By name (spec sqlite/registry)."""


def _geometry(name: str, coordinates: JsonSchema) -> JsonSchema:
    return {
        "title": f"GeoJSON {name}",
        "type": "object",
        "required": ["type", "coordinates"],
        "properties": {
            "type": {"type": "string", "enum": [name]},
            "coordinates": coordinates,
            "bbox": {"type": "array", "minItems": 4, "items": {"type": "number"}},
        },
    }


def _array(items: JsonSchema, least: int = 0) -> JsonSchema:
    return {"type": "array", **({"minItems": least} if least else {}), "items": items}


_POSITION = _array({"type": "number"}, 2)
_LINE = _array(_POSITION, 2)
_POLYGON = _array(_array(_POSITION, 4))

GEOJSON_GEOMETRY: JsonSchema = {
    "title": "GeoJSON Geometry",
    "oneOf": [
        _geometry("Point", _POSITION),
        _geometry("LineString", _LINE),
        _geometry("Polygon", _POLYGON),
        _geometry("MultiPoint", _array(_POSITION)),
        _geometry("MultiLineString", _array(_LINE)),
        _geometry("MultiPolygon", _array(_POLYGON)),
    ],
}
"""What a geometry column reads and writes (spec sqlite/geojson-geometry-schema)."""
