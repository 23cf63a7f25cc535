"""Values of a database as the admin API writes them: lossless, tagged with their class."""

from base64 import urlsafe_b64encode
from typing import Any

from trailbase_server.db.values import SqlValue


def render_value(value: SqlValue) -> Any:
    """
    Write a value.

    Returns:
        ``"Null"``, ``{"Integer": 1}``, ``{"Real": 1.5}``, ``{"Text": "x"}`` or ``{"Blob":
        {"Base64UrlSafe": "…"}}``; infinities become a null of class ``Real``.

    Spec:
        admin-api/sqlvalue
    """
    match value:
        case None:
            return "Null"
        case int():
            return {"Integer": value}
        case float():
            return {"Real": value}
        case str():
            return {"Text": value}
        case _:
            return {"Blob": {"Base64UrlSafe": urlsafe_b64encode(value).decode()}}
