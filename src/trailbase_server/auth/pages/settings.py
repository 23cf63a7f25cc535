"""
What administrators choose about the pages: a title and a logo, ``/_/auth/admin/settings/``.

The row and its form are those of the reference's component, so that either server reads what the
other wrote: a JSON object of texts, of which ``settings`` is JSON once more.
"""

from typing import Any, cast

import orjson
from msgspec import Struct
from msgspec.structs import asdict

from trailbase_server.auth.authenticate import caller_of
from trailbase_server.auth.fields import read_json
from trailbase_server.auth.redirects import parse_origin
from trailbase_server.auth.state import AuthState
from trailbase_server.crypto import is_same_secret
from trailbase_server.db.base import Database, Transaction
from trailbase_server.errors import BadRequestError, ForbiddenError
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, empty, json_value

COMPONENT = "trailbase_auth_ui_component"
MAX_SETTING = 2000  # characters of a title or an address
_SELECT = "SELECT value FROM _wasm_shared_preferences WHERE component = ?1"


class Settings(Struct, frozen=True):
    """
    The settings; None or empty for what is not chosen.

    Attributes:
        title: Stands in place of the application's name.
        icon_url: Address of the logo: a path of this site, or http(s).
    """

    title: str | None = None
    icon_url: str | None = None


async def read_settings(database: Database) -> Settings:
    """The settings that can be shown: an address that a page could not load is left out."""
    settings = _parse(await database.query(_SELECT, (COMPONENT,)))
    url = settings.icon_url or ""
    is_path = url.startswith("/") and not url.startswith(("//", "/\\"))
    return Settings(settings.title or None, url if is_path or parse_origin(url) else None)


async def get_settings(state: AuthState, request: Request) -> Response:
    """
    Answer with the settings.

    Raises:
        ForbiddenError: The caller is no administrator.

    Spec:
        auth/admin-settings-of-the-auth-ui
    """
    await _check_admin(state, request)
    rows = await state.database.query(_SELECT, (COMPONENT,))
    return json_value(asdict(_parse(rows)))


async def update_settings(state: AuthState, request: Request) -> Response:
    """
    Replace the settings.

    Raises:
        ForbiddenError: The caller is no administrator, or the CSRF token is wrong.
        UnsupportedMediaError: The body is not JSON.
        BadRequestError: It is malformed, or a value is too long.
        UnprocessableError: It has another shape.

    Spec:
        auth/admin-settings-of-the-auth-ui
    """
    await _check_admin(state, request)
    csrf_token = request.header_text(b"csrf-token")
    if csrf_token is None or not is_same_secret(csrf_token, caller_of(request).csrf_token):
        raise ForbiddenError
    body = read_json(request)
    settings = Settings(body.text("title"), body.text("icon_url"))
    if any(len(value or "") > MAX_SETTING for value in asdict(settings).values()):
        raise BadRequestError("a value is too long")
    await state.database.write(store_settings, orjson.dumps(asdict(settings)).decode())
    return empty()


def store_settings(tx: Transaction, settings: str) -> None:
    """Write job: store settings that are JSON already; other entries of the row stay."""
    entries = _entries(tx.read(_SELECT, (COMPONENT,)))
    value = orjson.dumps({**entries, "settings": settings}).decode()
    tx.run(
        "INSERT INTO _wasm_shared_preferences (component, value) VALUES (?1, ?2) "
        "ON CONFLICT (component) DO UPDATE SET value = excluded.value",
        (COMPONENT, value),
    )


async def _check_admin(state: AuthState, request: Request) -> None:
    user_id = caller_of(request).user_id
    rows = await state.database.query("SELECT 1 FROM _user WHERE id = ?1 AND admin > 0", (user_id,))
    if not rows:
        raise ForbiddenError


def _entries(rows: list[Any]) -> dict[str, Any]:
    value = _load(cast("str | None", rows[0][0])) if rows else None
    return value if isinstance(value, dict) else {}


def _parse(rows: list[Any]) -> Settings:
    found = _load(_entries(rows).get("settings"))
    if not isinstance(found, dict):
        return Settings()
    texts = {
        name: value if isinstance(value := found.get(name), str) else None
        for name in ("title", "icon_url")
    }
    return Settings(**texts)


def _load(text: Any) -> Any:
    try:
        return orjson.loads(text) if isinstance(text, str) else None
    except orjson.JSONDecodeError:
        return None
