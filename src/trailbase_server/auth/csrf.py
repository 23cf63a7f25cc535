"""
Requests that a foreign page makes a browser send: refused where cookies alone would change things.

Whoever sends an ``Authorization`` header wrote it on purpose. Cookies go along by themselves, so
beside them we want a sign that the request is meant: the CSRF token of the auth token, or the
browser's word that it comes from a page of this site. This differs from the reference, which
trusts ``SameSite`` alone (spec auth, S15).
"""

from trailbase_server.auth.redirects import parse_origin
from trailbase_server.auth.state import AuthState
from trailbase_server.crypto import is_same_secret
from trailbase_server.errors import BadRequestError
from trailbase_server.web.identity import Identity
from trailbase_server.web.request import Request


def check_intent(
    state: AuthState, request: Request, identity: Identity, csrf_field: str | None = None
) -> None:
    """
    Check that a request which changes something is not forged.

    Args:
        state: Knows the site's origin.
        request: To be carried out.
        identity: Who it claims to come from.
        csrf_field: CSRF token of a form, if the form has one.

    Raises:
        BadRequestError: The identity comes from a cookie and nothing shows that its owner meant it.

    Spec:
        auth/csrf
    """
    if not identity.from_cookie:
        return
    token = csrf_field if csrf_field is not None else request.header_text(b"csrf-token")
    if token is not None and is_same_secret(token, identity.csrf_token):
        return
    if not _is_same_origin(state, request):
        raise BadRequestError("invalid CSRF token")


def _is_same_origin(state: AuthState, request: Request) -> bool:
    sec_fetch_site = request.header(b"sec-fetch-site")
    if sec_fetch_site is not None:
        return sec_fetch_site == b"same-origin"
    origin = request.header_text(b"origin")
    if origin is None:
        return False
    parsed = parse_origin(origin)
    if parsed is not None and parsed == state.site:
        return True
    # Without a site URL the host that the client asked for is all we know.
    return origin.partition("://")[2] == request.header_text(b"host")
