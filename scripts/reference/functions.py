"""
``sql-functions.md``: what SQL of a depot may call besides SQLite's own functions.

Names, numbers of arguments and flags are read from a connection. What a function does is said
here; a function without a sentence, or a sentence without a function, is an error.
"""

from collections import defaultdict

import apsw

from trailbase_server.schema.registry import SchemaRegistry
from trailbase_server.sqlite.functions import register_functions
from trailbase_server.sqlite.vectors import load_vectors

from .markdown import code, codes, table

HEAD = """\
# SQL functions

Migrations, CHECKs, DEFAULTs, generated columns, indexes, views, triggers, access rules and filters
may call these. Values are not coerced: an INTEGER where TEXT is wanted is an error, and an error
inside a function refuses the request with 400 `rejected`. *Deterministic* functions may stand in
indexes and generated columns.
"""
VECTORS = """\
## Vectors

Those of [sqlite-vec](https://github.com/asg017/sqlite-vec), loaded when a statement first names
one, together with the virtual table `vec0` and the table function `vec_each`:
"""
SECTIONS: dict[str, dict[str, str]] = {
    "UUIDs": {
        "uuid_v4": "A random UUID as BLOB.",
        "uuid_v7": "A UUID as BLOB that sorts by the time of its making, strictly ascending.",
        "is_uuid": "Is it a UUID: a BLOB of 16 bytes, or one of the text forms? NULL: 1.",
        "is_uuid_v4": "Is it a UUID of version 4? NULL: 1.",
        "is_uuid_v7": "Is it a UUID of version 7? NULL: 1.",
        "uuid_text": "The hyphenated text of a BLOB.",
        "uuid_parse": "The BLOB of a text.",
    },
    "Validators": {
        "is_email": "Is it an e-mail address? NULL: 1.",
        "is_json": "Is it strict JSON text? NULL: 1.",
        "jsonschema": "Does the text conform to the schema of that name? With a third argument the "
        "MIME type of an uploaded file has to be among those. NULL: 1.",
        "jsonschema_matches": "Does the text (second) conform to the schema (first)? NULL: 1.",
        "regexp": "Does the pattern (first) match anywhere in the text? `x REGEXP p` calls "
        "`regexp(p, x)`. Linear time, no look-around or back-references. NULL: NULL.",
    },
    "Texts": {
        "base64": "BLOB to text and text to BLOB, standard alphabet, padded. NULL: NULL.",
        "base64_url_safe": "The same with the alphabet of URLs.",
        "hash_password": "An argon2id hash, for migrations that add users.",
    },
    "Addresses": {
        "geoip_country": "Country code of an IP address; NULL without a database or an entry.",
        "geoip_city_name": "English name of the city.",
        "geoip_city_json": "Country, city and subdivisions as JSON.",
    },
    "Geometry": {
        "ST_MakePoint": "A point from two coordinates.",
        "ST_Point": "The same; the third argument is the SRID.",
        "ST_MakeEnvelope": "The rectangle of two corners: xmin, ymin, xmax, ymax; maybe the SRID.",
        "ST_GeomFromText": "A geometry from WKT, and maybe the SRID.",
        "ST_PointFromText": "The same, which has to be a point.",
        "ST_LineFromText": "The same, which has to be a line.",
        "ST_PolygonFromText": "The same, which has to be a polygon.",
        "ST_GeomFromGeoJSON": "A geometry from GeoJSON. NULL: NULL.",
        "ST_GeometryType": "`Point`, `LineString` …. NULL: NULL.",
        "ST_Dimension": "Number of coordinates of a position, 2 or 3. NULL: NULL.",
        "ST_IsValid": "Is it a BLOB with a valid geometry? In CHECKs: a geometry column. NULL: 1.",
        "ST_SRID": "The SRID, 0 if there is none. NULL: NULL.",
        "ST_SetSRID": "The geometry with another SRID.",
        "ST_Contains": "Does the first contain the second?",
        "ST_CoveredBy": "Is the first covered by the second?",
        "ST_Covers": "Does the first cover the second?",
        "ST_Disjoint": "Have they no point in common?",
        "ST_Equals": "Are they the same set of points?",
        "ST_Intersects": "Have they a point in common?",
        "ST_Overlaps": "Do they overlap?",
        "ST_Touches": "Do only their boundaries meet?",
        "ST_Within": "Is the first within the second?",
        "LiteGIS_GEOS_Version": "Version of the geometry library.",
        "LiteGIS_Version": "Version of this set of functions.",
    },
}
DETERMINISTIC = 0x800  # SQLITE_DETERMINISTIC
INNOCUOUS = 0x200000  # SQLITE_INNOCUOUS

Functions = dict[str, tuple[set[int], int]]
"""By name in lower case: numbers of arguments, flags."""


def render_functions() -> str:
    """
    Render the page.

    Raises:
        LookupError: What is said here and what is registered differ.
    """
    registered = registered_functions()
    described = {name.lower() for section in SECTIONS.values() for name in section}
    if described != set(registered):
        raise LookupError(f"described or registered only: {described ^ set(registered)}")
    parts = [HEAD]
    for title, section in SECTIONS.items():
        rows = [_row(name, words, *registered[name.lower()]) for name, words in section.items()]
        head = ("function", "arguments", "flags", "result")
        parts.append(f"## {title}\n\n{table(head, rows)}")
    parts.append(VECTORS)
    parts.append(f"{codes(vector_functions())}\n")
    return "\n".join(parts)


def registered_functions() -> Functions:
    """What a connection to main offers besides SQLite's own."""
    connection = apsw.Connection(":memory:")
    before = _functions(connection)
    register_functions(connection, SchemaRegistry({}), None)
    after = _functions(connection)
    connection.close()
    return {name: value for name, value in after.items() if before.get(name) != value}


def vector_functions() -> list[str]:
    """Names of the functions that the vector library brings."""
    connection = apsw.Connection(":memory:")
    before = set(_functions(connection))
    load_vectors(connection)
    names = set(_functions(connection)) - before
    connection.close()
    return sorted(names)


def _functions(connection: apsw.Connection) -> Functions:
    found: Functions = defaultdict(lambda: (set(), 0))
    query = "SELECT name, narg, flags FROM pragma_function_list WHERE type = 's'"
    for name, arity, flags in connection.execute(query):
        known, _ = found[name.lower()]
        found[name.lower()] = known | {arity}, flags & (DETERMINISTIC | INNOCUOUS)
    return dict(found)


def _row(name: str, words: str, arities: set[int], flags: int) -> tuple[str, ...]:
    named = (("deterministic", DETERMINISTIC), ("innocuous", INNOCUOUS))
    return (
        code(name),
        ", ".join(map(str, sorted(arities))),
        ", ".join(word for word, bit in named if flags & bit),
        words,
    )
