"""
From a template and its values to an answer with the headers that keep a page safe.

Nothing runs on a page but files of this server, and nothing embeds it; its address, which may hold
a token, goes nowhere, and no cache keeps it. Values are escaped by the template.
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from trailbase_server.auth.pages.links import API, LOGIN, Query, form_source
from trailbase_server.auth.pages.messages import Message, choose_message
from trailbase_server.auth.pages.settings import read_settings
from trailbase_server.auth.pages.visit import Visit
from trailbase_server.auth.passkeys.relying_party import find_relying_party
from trailbase_server.auth.state import AuthState
from trailbase_server.errors import AppError
from trailbase_server.web.request import Headers, Request
from trailbase_server.web.response import Response

# The pages that load a script, where passkeys are offered: browsers have no forms for them.
PASSKEY_PAGES = frozenset(("login", "profile"))
PASSKEY_SCRIPT = "passkeys.js"

_FIXED_HEADERS: Headers = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]


async def render_page(
    visit: Visit,
    name: str,
    values: Mapping[str, Any] | None = None,
    *,
    targets: Iterable[str | None] = (),
    status: int = HTTPStatus.OK,
    message: Message | None = None,
) -> Response:
    """
    Render a page.

    Args:
        visit: Who sees it.
        name: Of the page and, with ``.html``, of its template.
        values: For the template, beside what all have: ``site``, ``t``, ``page``, ``message``,
            ``user``, ``csrf_token``, ``scripts``, ``passkeys``.
        targets: Checked ones that its forms may lead to.
        status: Of the answer.
        message: In place of the one that the address asks for.

    Spec:
        auth/pages
    """
    state = visit.state
    pages = await state.pages.current()
    settings = await read_settings(state.database)
    words = pages.texts.choose(visit.request.header_text(b"accept-language"))
    has_passkeys = name in PASSKEY_PAGES and find_relying_party(state) is not None
    scripts = [url] if has_passkeys and (url := pages.assets.url(PASSKEY_SCRIPT)) else []
    logo = settings.icon_url or pages.assets.logo
    context = {
        "t": words,
        "page": name,
        "site": {
            "name": settings.title or state.application_name,
            "logo": logo,
            "icon": logo or pages.assets.url("icon.svg"),
            "styles": [url for one in ("pages.css", "own.css") if (url := pages.assets.url(one))],
        },
        "message": message or choose_message(name, visit.alert),
        "user": visit.user,
        "name": visit.name,
        "csrf_token": visit.csrf_token,
        "scripts": scripts,
        "passkeys": f"{API}/passkeys" if has_passkeys else None,
        **(values or {}),
    }
    body = pages.templates.render(f"{name}.html", context)
    policy = _policy(targets, logo, has_scripts=bool(scripts))
    headers = [*_FIXED_HEADERS, (b"content-security-policy", policy.encode())]
    return Response(status, body.encode(errors="replace"), headers)


async def render_error(state: AuthState, request: Request, error: AppError) -> Response:
    """Tell a visitor that a page cannot be shown."""
    nobody = Visit(state, Request("GET", request.path, "", request.headers), Query(""), None)
    alert = error.public or f"Failed: {int(error.status)}"
    message = choose_message("error", alert)
    return await render_page(
        nobody, "error", {"login_url": LOGIN}, status=error.status, message=message
    )


def _policy(targets: Iterable[str | None], logo: str | None, *, has_scripts: bool) -> str:
    """Content security policy; browsers hold the redirects behind a form to ``form-action``."""
    sources = {source for one in targets if one and (source := form_source(one))}
    forms = " ".join(["'self'", *sorted(sources)])
    picture = form_source(logo) if logo else None
    parts = [
        "default-src 'none'",
        "style-src 'self'",
        f"img-src 'self' {picture}" if picture else "img-src 'self'",
        "font-src 'self'",
        *(["script-src 'self'", "connect-src 'self'"] if has_scripts else []),
        f"form-action {forms}",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]
    return "; ".join(parts)
