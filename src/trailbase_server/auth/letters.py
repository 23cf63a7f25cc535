"""
The mails that accounts need, and the tokens in them.

Tokens are bound to the state they were made for: an address is confirmed for one account, a
password is reset once, since the token names the password it replaces.
"""

import logging
from collections.abc import Mapping

from trailbase_server.auth.keys import SigningKeys
from trailbase_server.auth.state import AuthState, Letter
from trailbase_server.auth.tokens import TokenKind, mint_flow_token
from trailbase_server.auth.users import User
from trailbase_server.errors import AppError
from trailbase_server.ids import UserId, encode_b64u

log = logging.getLogger(__name__)
VERIFY_TTL_S = 4 * 3600  # of the link in a mail
VERIFY_AGAIN_TTL_S = 3600  # of one sent on request
CHANGE_EMAIL_TTL_S = 4 * 3600  # of the link in a mail
RESET_TTL_S = 3600  # of the code in a mail


async def send_letter(
    state: AuthState, letter: Letter, to: str, values: Mapping[str, str | None]
) -> None:
    """
    Hand a mail over. Without a transport it is logged, without its secrets, and counts as sent.

    Raises:
        DependencyError: It could not be sent.
    """
    if state.mailer is None:
        log.warning("no mail transport: a mail (%s) was not sent", letter)
        return
    await state.mailer(letter, to, values)


async def send_verification(
    state: AuthState,
    user_id: UserId,
    email: str,
    redirect_uri: str | None,
    ttl_s: int = VERIFY_TTL_S,
) -> None:
    """
    Mail a link that confirms an address.

    Args:
        state: Of this package.
        user_id: Whose address it is.
        email: The unverified address.
        redirect_uri: Checked target of the link's page.
        ttl_s: Seconds that the link is good for.

    Raises:
        DependencyError: It could not be sent.
    """
    claims = {"sub": encode_b64u(user_id), "email": email}
    token = _mint(state, TokenKind.VERIFY_EMAIL, claims, ttl_s)
    await send_letter(state, "verify_email", email, {"token": token, "redirect_uri": redirect_uri})


async def send_change_email(
    state: AuthState, user: User, new_email: str, redirect_uri: str | None
) -> None:
    """Mail a link to a new address that makes it the user's."""
    claims = {
        "sub": encode_b64u(user.id),
        "old_email": user.email or "",
        "new_email": new_email,
    }
    token = _mint(state, TokenKind.CHANGE_EMAIL, claims, CHANGE_EMAIL_TTL_S)
    values = {"token": token, "redirect_uri": redirect_uri}
    await send_letter(state, "change_email", new_email, values)


async def send_reset(state: AuthState, user: User, email: str) -> None:
    """Mail a token that replaces the password the user has now."""
    claims = {"sub": email, "pwd": password_mark(state.keys, user)}
    token = _mint(state, TokenKind.RESET_PASSWORD, claims, RESET_TTL_S)
    await send_letter(state, "reset_password", email, {"token": token})


async def notify_old_address(state: AuthState, old_email: str, new_email: str | None) -> None:
    """
    Tell the owner of an address that an account does not use it any more.

    A mail that cannot be sent is logged: what it reports has happened.
    """
    try:
        await send_letter(state, "email_changed", old_email, {"new_email": new_email})
    except AppError as exc:
        log.warning("an old address was not notified: %s", exc.detail or exc.public)


def password_mark(keys: SigningKeys, user: User) -> str:
    """What a reset token says about the password it replaces; nothing can be learned from it."""
    secret = (user.password_hash or "").encode()
    return encode_b64u(keys.derive(b"password reset:" + user.id + secret)).rstrip("=")


def _mint(state: AuthState, kind: TokenKind, claims: Mapping[str, str], ttl_s: int) -> str:
    return mint_flow_token(state.keys, kind, claims, state.clock.now_s() + ttl_s)
