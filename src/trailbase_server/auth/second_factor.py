"""
Switching the second factor on and off: ``/totp/register``, ``/totp/confirm``, ``/totp/unregister``.

The offered secret is not stored: it lives in the URL that the client sends back with the first
code.
"""

import asyncio
from base64 import b64encode
from io import BytesIO

from trailbase_server.auth.fields import read_query
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.totp import new_secret, render_url
from trailbase_server.errors import BadRequestError, UnauthorizedError
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, json_value

QR_SCALE = 5  # pixels per module: some 300 pixels in all
_FLAGS = {None: False, "false": False, "true": True}


async def register_totp(state: AuthState, request: Request) -> Response:
    """
    Offer a secret. Nothing is stored.

    Raises:
        BadRequestError: A malformed parameter, or an account without a usable name.

    Spec:
        auth/totp-second-factor
    """
    identity = request.identity
    if identity is None:
        raise UnauthorizedError
    flag = read_query(request).text("png")
    if flag not in _FLAGS:
        raise BadRequestError("png: expected true or false")
    if state.demo:
        raise BadRequestError("Disallowed in demo")
    account = identity.email or identity.username
    if not account or ":" in account:
        raise BadRequestError("a second factor needs an account with a name")
    url = render_url(state.application_name, account, new_secret())
    # Drawing takes some milliseconds that the event loop has not got.
    png = await asyncio.to_thread(_draw, url) if _FLAGS[flag] else None
    return json_value({"totp_url": url, "png": png})


def _draw(url: str) -> str:
    import segno  # noqa: PLC0415  # imported when first needed: start-up time

    picture = BytesIO()
    segno.make(url, micro=False).save(picture, kind="png", scale=QR_SCALE)
    return b64encode(picture.getvalue()).decode("ascii")
