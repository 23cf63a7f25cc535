"""
Users of another service, from its export: one JSON object a line.

.. code-block:: text

    {"email": "…", "email_verified": true, "passwordHash": "$2b$…",
     "password_set_date": {"$date": "2026-01-02T03:04:05.000Z"}}

Blank lines and other members are skipped. Everything is parsed before anything is written.
"""

import re
from datetime import datetime
from typing import Any

import orjson
from msgspec import Struct

from trailbase_server.auth.identifiers import parse_email
from trailbase_server.errors import BadRequestError, OperatorError

_BCRYPT = re.compile(r"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}\Z")
_B64 = r"[A-Za-z0-9+/]+"
_ARGON2 = re.compile(rf"\$argon2(?:id|i|d)(?:\$v=\d+)?\$m=\d+,t=\d+,p=\d+\${_B64}\${_B64}\Z")


class ImportedUser(Struct, frozen=True):
    """
    One line.

    Attributes:
        email: Checked.
        is_verified: Whether the other service had confirmed it.
        password_hash: Argon2 or bcrypt.
    """

    email: str
    is_verified: bool
    password_hash: str


def parse_import(text: str) -> list[ImportedUser]:
    """
    Parse an export.

    Raises:
        OperatorError: A line is malformed; the message has its number.

    Spec:
        auth/import-format
    """
    users = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                users.append(_parse_line(line))
            except (ValueError, BadRequestError) as exc:
                raise OperatorError(f"line {number}: {exc}") from exc
    return users


def _parse_line(line: str) -> ImportedUser:
    entry = orjson.loads(line)
    if not isinstance(entry, dict):
        raise ValueError("expected an object")  # noqa: TRY004  # all of them are one kind of mistake
    email = _member(entry, "email", str)
    is_verified = _member(entry, "email_verified", bool)
    password_hash = _member(entry, "passwordHash", str)
    date = _member(_member(entry, "password_set_date", dict), "$date", str)
    if datetime.fromisoformat(date).tzinfo is None:
        raise ValueError(f"'{date}' has no time zone")
    if not (_BCRYPT.match(password_hash) or _ARGON2.match(password_hash)):
        raise ValueError("invalid hash")
    return ImportedUser(parse_email(email), is_verified, password_hash)


def _member(entry: dict[str, Any], name: str, kind: type) -> Any:
    value = entry.get(name)
    if not isinstance(value, kind):
        raise ValueError(f"`{name}` is missing or of the wrong type")  # noqa: TRY004  # as above
    return value
