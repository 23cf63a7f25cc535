"""
Vector functions (sqlite-vec), loaded into a connection when a statement first asks for one.

A depot without vectors does not pay for them: the engine meets "no such function: vec_…" while
preparing, loads the library into that connection and tries again (spec
sqlite/vector-search-sqlite-vec).
"""

import re

import apsw

_MISSING = re.compile(
    r"(?:no such|unknown) (?:function: vec_|module: vec0|table: vec_each)", re.IGNORECASE
)


def needs_vectors(message: str) -> bool:
    """Does this message of the engine say that the vector library is missing?"""
    return _MISSING.search(message) is not None


def load_vectors(connection: apsw.Connection) -> None:
    """Load the vector functions and virtual tables into one connection."""
    import sqlite_vec  # noqa: PLC0415  # imported when first needed: start-up time

    connection.enable_load_extension(True)
    try:
        connection.load_extension(sqlite_vec.loadable_path())
    finally:
        connection.enable_load_extension(False)
