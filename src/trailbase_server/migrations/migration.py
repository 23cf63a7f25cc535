"""One migration: a numbered SQL script with the name and checksum that the history records."""

import re
import struct
from typing import Literal, NamedTuple

from msgspec import Struct
from siphash24 import siphash13

from trailbase_server.errors import OperatorError

MAX_VERSION = 2**31 - 1  # the checksum takes the number as 32 bits with sign
_FILE_NAME = re.compile(r"([UV])([0-9]+)__(\w+)\.sql")
_KEY = bytes(16)
_END = b"\xff"  # never part of UTF-8: text cannot run over into the next field

Prefix = Literal["U", "V"]


class FileName(NamedTuple):
    """
    What a file name says.

    Attributes:
        prefix: V: in strict order; U: may be applied after younger ones.
        version: Number that orders all migrations of a database.
        name: Text between ``__`` and ``.sql``.
    """

    prefix: Prefix
    version: int
    name: str


class Migration(Struct, frozen=True):
    """
    One migration.

    Attributes:
        prefix: See ``FileName``.
        version: See ``FileName``.
        name: See ``FileName``.
        sql: Text of the script.
        checksum: Decimal digits, as recorded in the history.
        source: Path of the file as messages show it.
    """

    prefix: Prefix
    version: int
    name: str
    sql: str
    checksum: str
    source: str

    @property
    def title(self) -> str:
        """The file name without its extension: ``V1__initial``."""
        return f"{self.prefix}{self.version}__{self.name}"


def parse_file_name(name: str) -> FileName | None:
    """
    Read a file name.

    Grammar: ``("U" | "V") digits "__" word ".sql"``, a word being letters, digits and underscores.

    Returns:
        None for a name that is no migration's.

    Raises:
        OperatorError: The number does not fit 32 bits.

    Spec:
        server/file-names
    """
    found = _FILE_NAME.fullmatch(name)
    if found is None:
        return None
    digits = found[2].lstrip("0") or "0"
    # Compared by length first: converting a very long number is slow and at last refused.
    if len(digits) > len(str(MAX_VERSION)) or int(digits) > MAX_VERSION:
        raise OperatorError(f"{name}: migration version must be a valid integer of 32 bits")
    return FileName("U" if found[1] == "U" else "V", int(digits), found[3])


def checksum(name: str, version: int, sql: str) -> int:
    """
    SipHash-1-3 of a migration, as recorded in the history by every implementation.

    Args:
        name: Without prefix, number and extension.
        version: Fits 32 bits with sign.
        sql: The whole file.

    Returns:
        An unsigned number of 64 bits.

    Spec:
        server/history-table
    """
    data = name.encode() + _END + struct.pack("<i", version) + sql.encode() + _END
    # Its own intdigest() has a sign.
    return int.from_bytes(siphash13(data, key=_KEY).digest(), "little")
