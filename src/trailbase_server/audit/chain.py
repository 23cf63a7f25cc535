"""
How entries are tied together: the digest of each covers the digest before.

Whoever changes an entry, or takes one out, would have to write all later ones anew; whoever has
noted the digest of any later entry elsewhere sees even that.
"""

from collections.abc import Sequence
from hashlib import sha256

import orjson

from trailbase_server.db.values import SqlValue

FIRST = bytes(32)  # stands for the digest before the first entry


def next_digest(before: bytes, values: Sequence[SqlValue]) -> bytes:
    """
    Compute the digest of an entry.

    Args:
        before: Digest of the entry before.
        values: Columns of the entry in table order, from ``id`` to ``message``.
    """
    plain = [value.hex() if isinstance(value, bytes) else value for value in values]
    return sha256(before + orjson.dumps(plain)).digest()
