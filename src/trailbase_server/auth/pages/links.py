"""
Addresses of pages, and what their queries carry.

Everything in a query was written by somebody else. Values are bounded, targets are checked like
those of the API, and of a repeated parameter the last one counts: messages are appended.
"""

import re
from typing import Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit

from trailbase_server.auth.redirects import parse_origin, render_origin
from trailbase_server.errors import BadRequestError
from trailbase_server.web.body import MAX_FIELDS

BASE = "/_/auth"
API = "/api/auth/v1"
LOGIN = f"{BASE}/login"
LOGIN_MFA = f"{BASE}/login_mfa"
CONTINUE = f"{BASE}/continue"
LOGOUT = f"{BASE}/logout"
REGISTER = f"{BASE}/register"
VERIFY_EMAIL = f"{BASE}/verify_email"
RESET_REQUEST = f"{BASE}/reset_password/request"
RESET_UPDATE = f"{BASE}/reset_password/update"
OTP_REQUEST = f"{BASE}/otp/request"
OTP_LOGIN = f"{BASE}/otp/login"
CHANGE_PASSWORD = f"{BASE}/change_password"
CHANGE_EMAIL = f"{BASE}/change_email"
CHANGE_USERNAME = f"{BASE}/change_username"
TOTP = f"{BASE}/totp"
PROFILE = f"{BASE}/profile"
AVATAR = f"{BASE}/avatar"
SESSIONS = f"{BASE}/sessions"
DELETE = f"{BASE}/delete"
STATIC = f"{BASE}/static"

MAX_VALUE = 4096  # characters: targets within targets; servers take some 8 KiB of address
_SOURCE = re.compile(r"[a-z][a-z0-9+.-]*:|https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]+)?")


class Redirects(Protocol):
    """Who knows where clients may be sent: the state of this package, which knows the pages."""

    def check_redirect(self, target: str | None) -> str | None:
        """See ``redirects.check_redirect``."""
        ...


class Query:
    """
    The parameters of a page.

    Args:
        text: Raw query.

    Raises:
        BadRequestError: Too many parameters, or one that is too long.
    """

    def __init__(self, text: str) -> None:
        try:
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
        except ValueError as exc:
            raise BadRequestError("too many fields") from exc
        self._values = dict(pairs)
        if any(len(value) > MAX_VALUE for value in self._values.values()):
            raise BadRequestError("a parameter is too long")

    def text(self, name: str) -> str | None:
        """A parameter; None if it is absent or empty."""
        return self._values.get(name) or None

    def target(self, state: Redirects, name: str = "redirect_uri") -> str | None:
        """
        A parameter that says where to go next; None if it is absent or empty.

        Raises:
            BadRequestError: Nobody may be sent there.

        Spec:
            auth/redirects
        """
        return state.check_redirect(self.text(name))


def page(path: str, **parameters: str | None) -> str:
    """Address of a page with the parameters that have a value."""
    given = {name: value for name, value in parameters.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def unwrap(target: str | None) -> str | None:
    """
    Where to go after the code of a mail was entered.

    The mail repeats the page that asks for the code, which knows the real target.
    """
    if target is None or urlsplit(target).path != OTP_LOGIN:
        return target
    return dict(parse_qsl(urlsplit(target).query)).get("redirect_uri")


def form_source(target: str) -> str | None:
    """
    What a content security policy calls a checked target.

    Browsers hold the redirects behind a form to its policy.

    Returns:
        Its scheme or origin; None for this site, and for what a policy cannot say.
    """
    if target.startswith("/"):
        return None
    origin = parse_origin(target)
    source = render_origin(origin) if origin else target.partition(":")[0].lower() + ":"
    return source if _SOURCE.fullmatch(source) else None
