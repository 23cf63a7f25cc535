"""
The second factor by page: setting it up, recovery codes, switching it off.

The offered secret lives in the form, as with the API. Recovery codes are made when the factor is
switched on and shown once, in the answer to that form.
"""

import asyncio
from typing import Any

import orjson

from trailbase_server.auth.authenticate import caller_of
from trailbase_server.auth.factors import count_recovery_codes
from trailbase_server.auth.pages.actions import act, alert_of, refuse, take_csrf_token
from trailbase_server.auth.pages.links import PROFILE, TOTP
from trailbase_server.auth.pages.messages import Message, choose_message
from trailbase_server.auth.pages.render import render_page
from trailbase_server.auth.pages.visit import Visit, ask_to_log_in, open_visit
from trailbase_server.auth.recovery import create_recovery_codes, issue_recovery_codes
from trailbase_server.auth.replies import is_tellable
from trailbase_server.auth.second_factor import confirm_totp, unregister_totp
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.totp import new_secret, parse_url, render_url
from trailbase_server.errors import AppError
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response

GROUP = 4  # characters of a key that are read at once

submit_totp_end = act(unregister_totp, TOTP, "TOTP unregistered")


async def show_totp(state: AuthState, request: Request) -> Response:
    """
    Show the page of the second factor: how to switch it on, or what can be done with it.

    Raises:
        BadRequestError: The query is too large.

    Spec:
        auth/profile-page
    """
    visit = await open_visit(state, request)
    return ask_to_log_in(visit) if visit.user is None else await _show(visit, new_secret())


async def submit_totp(state: AuthState, request: Request) -> Response:
    """
    Switch the second factor on and show recovery codes; after a wrong code show the same secret.

    Raises:
        AppError: We have failed.

    Spec:
        auth/totp-second-factor
    """
    visit = await open_visit(state, request)
    if visit.user is None:
        return ask_to_log_in(visit)
    secret = None
    try:
        body = take_csrf_token(request)
        secret = parse_url(body.text("totp_url") or "") if body is not None else None
        await confirm_totp(state, request)
    except AppError as exc:
        if secret is None or visit.user.totp_secret is not None or not is_tellable(exc):
            return refuse(exc, TOTP)
        message = choose_message("totp", alert_of(exc))
        return await _show(visit, secret, status=exc.status, message=message)
    return await _show_codes(visit, await issue_recovery_codes(state, visit.user.id))


async def submit_recovery_codes(state: AuthState, request: Request) -> Response:
    """
    Make new recovery codes and show them.

    Raises:
        AppError: We have failed.

    Spec:
        auth/missing-features-users-compare
    """
    visit = await open_visit(state, request)
    if visit.user is None:
        return ask_to_log_in(visit)
    try:
        take_csrf_token(request)
        response = await create_recovery_codes(state, request)
    except AppError as exc:
        return refuse(exc, TOTP)
    return await _show_codes(visit, orjson.loads(response.body)["recovery_codes"])


async def _show(
    visit: Visit, secret: str, *, status: int = 200, message: Message | None = None
) -> Response:
    state = visit.state
    values: dict[str, Any] = {
        "action": TOTP,
        "off_action": f"{TOTP}/off",
        "codes_action": f"{TOTP}/recovery_codes",
        "hidden": {"csrf_token": visit.csrf_token},
        "back_url": PROFILE,
    }
    if visit.user is not None and visit.user.totp_secret is not None:
        user_id = caller_of(visit.request).user_id
        left = await count_recovery_codes(state.session_database, user_id)
        values |= {"is_on": True, "codes_left": left}
    elif visit.name and ":" not in visit.name:  # apps take what is before a colon for the issuer
        url = render_url(state.application_name, visit.name, secret)
        values |= {
            "hidden": {"csrf_token": visit.csrf_token, "totp_url": url},
            # Drawing takes some milliseconds that the event loop has not got.
            "picture": await asyncio.to_thread(_draw, url),
            "secret": " ".join(secret[i : i + GROUP] for i in range(0, len(secret), GROUP)),
        }
    return await render_page(visit, "totp", values, status=status, message=message)


async def _show_codes(visit: Visit, codes: list[str]) -> Response:
    return await render_page(visit, "recovery_codes", {"codes": codes, "back_url": PROFILE})


def _draw(url: str) -> Any:
    # Imported when first needed: start-up time.
    import segno  # noqa: PLC0415
    from markupsafe import Markup  # noqa: PLC0415

    svg = segno.make(url, micro=False).svg_inline(dark="#000", light="#fff", omitsize=True)
    return Markup(svg)  # noqa: S704  # numbers only: what a module draws of an address
