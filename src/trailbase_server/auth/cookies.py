"""
The cookies a browser carries for us.

All are ``HttpOnly`` and for the whole site. ``Secure`` is set when the site is served over TLS and
this is not developer mode. Spec: auth/cookies, server/cookies-and-dev.
"""

from typing import Literal
from urllib.parse import unquote

from trailbase_server.web.request import Headers, Request

AUTH_COOKIE = "auth_token"
REFRESH_COOKIE = "refresh_token"
OAUTH_STATE_COOKIE = "oauth_state"
ALL_COOKIES = (AUTH_COOKIE, REFRESH_COOKIE, OAUTH_STATE_COOKIE)
TOKEN_COOKIES = (AUTH_COOKIE, REFRESH_COOKIE)
ETERNAL_MAX_AGE_S = 400 * 24 * 3600  # what browsers keep at most; a negative age would delete it

SameSite = Literal["Strict", "Lax"]


def read_cookies(request: Request) -> dict[str, str]:
    """Cookies of a request by name, percent-decoded; of repeated ones the first counts."""
    cookies: dict[str, str] = {}
    for key, value in request.headers:
        if key == b"cookie":
            for pair in value.decode("latin-1").split(";"):
                name, equals, content = pair.strip().partition("=")
                if equals:
                    cookies.setdefault(name, unquote(content))
    return cookies


def set_cookie(
    name: str, value: str, max_age_s: int, *, secure: bool, same_site: SameSite = "Strict"
) -> tuple[bytes, bytes]:
    """
    Header that stores a cookie.

    Args:
        name, value: Both made of characters that need no escape.
        max_age_s: Seconds; negative means for ever.
        secure: Only over TLS.
        same_site: Strict, unless the cookie must survive a redirect from another site.
    """
    age = max_age_s if max_age_s >= 0 else ETERNAL_MAX_AGE_S
    parts = [
        f"{name}={value}",
        "HttpOnly",
        f"SameSite={same_site}",
        *(["Secure"] if secure else []),
        "Path=/",
        f"Max-Age={age}",
    ]
    return b"set-cookie", "; ".join(parts).encode("ascii")


def remove_cookies(request: Request, names: tuple[str, ...] = ALL_COOKIES) -> Headers:
    """Headers that delete those of the cookies that the request carries."""
    carried = read_cookies(request)
    return [
        (b"set-cookie", f"{name}=; HttpOnly; SameSite=Lax; Path=/; Max-Age=1".encode("ascii"))
        for name in names
        if name in carried
    ]
