"""
From the code that a browser brings back to what the service says about its user.

.. code-block:: text

    code ──POST token_url──> access token ──GET profile_url──> description ──> Profile
                      └────> id_token: checked, or the description itself
"""

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import quote_plus

from msgspec.structs import replace

from trailbase_server.auth.oauth.apple import client_secret
from trailbase_server.auth.oauth.id_token import check_claims, read_signed, read_unsigned
from trailbase_server.auth.oauth.outgoing import Conversation
from trailbase_server.auth.oauth.pending import Pending
from trailbase_server.auth.oauth.profiles import read_primary_email
from trailbase_server.auth.oauth.provider import Application, Profile
from trailbase_server.auth.state import AuthState
from trailbase_server.crypto import is_same_secret
from trailbase_server.errors import BadRequestError, DependencyError, UnauthorizedError
from trailbase_server.ids import encode_b64u

Answer = Mapping[str, Any]


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier."""
    return encode_b64u(sha256(verifier.encode()).digest()).rstrip("=")


async def fetch_profile(
    state: AuthState, application: Application, pending: Pending, code: str, callback_url: str
) -> Profile:
    """
    Ask a service who has logged in.

    Args:
        state: Of this package.
        application: We, at the service.
        pending: The log-in.
        code: What the browser brought back.
        callback_url: Where it brought it; the service compares.

    Raises:
        BadRequestError: The service does not vouch for the address, or sends no ``id_token``.
        UnauthorizedError: Its ``id_token`` is not for this log-in.
        DependencyError: Anything else that goes wrong out there.
        UnavailableError: Too many log-ins are waiting for services.

    Spec:
        auth/get-oauth-provider-callback
    """
    async with state.outgoing.open() as http:
        answer = await _exchange(state, http, application, pending, code, callback_url)
        if application.provider.keys_url:
            profile = await _read_signed_profile(state, http, application, pending, answer)
        else:
            profile = await _ask_profile(http, application, answer["access_token"])
            _check_id_token(state, application, pending, answer, profile)
    if not profile.is_verified:
        raise BadRequestError("the service has not verified the e-mail address")
    return profile


async def _exchange(
    state: AuthState,
    http: Conversation,
    application: Application,
    pending: Pending,
    code: str,
    callback_url: str,
) -> Answer:
    provider, client_id = application.provider, application.client_id
    secret = application.client_secret
    if provider.keys_url:
        secret = client_secret(secret, client_id, state.clock.now_s())
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": pending.verifier,
        "redirect_uri": callback_url,
    }
    headers = {}
    if provider.has_secret_in_body:
        form |= {"client_id": client_id, "client_secret": secret}
    else:
        pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
        headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode('ascii')}"
    answer = await http.post(provider.token_url, form, headers)
    if not isinstance(answer, dict):
        raise DependencyError(detail=f"{provider.name}: the token is no object")
    kind, token = answer.get("token_type"), answer.get("access_token")
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
        raise DependencyError(detail=f"{provider.name}: no access token")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise DependencyError(detail=f"{provider.name}: the token is no bearer token")
    return answer


async def _ask_profile(http: Conversation, application: Application, token: str) -> Profile:
    provider = application.provider
    headers = {"Authorization": f"Bearer {token}"}
    if provider.client_header:
        headers[provider.client_header] = application.client_id
    description = await http.get(provider.profile_url, headers)
    if not isinstance(description, dict):
        raise DependencyError(detail=f"{provider.name}: the user is no object")
    profile = provider.read_profile(description)
    if profile.email is None and provider.emails_url:
        entries = await http.get(provider.emails_url, headers)
        return replace(profile, email=read_primary_email(entries))
    return profile


async def _read_signed_profile(
    state: AuthState, http: Conversation, application: Application, pending: Pending, answer: Answer
) -> Profile:
    provider, token = application.provider, answer.get("id_token")
    if not isinstance(token, str):
        raise BadRequestError("missing id_token")
    claims = await read_signed(state.provider_keys, http, provider.keys_url, token)
    nonce = pending.nonce if provider.sends_nonce else ""
    check_claims(claims, application.client_id, provider.issuer, nonce, state.clock.now())
    return provider.read_profile(claims)


def _check_id_token(
    state: AuthState, application: Application, pending: Pending, answer: Answer, profile: Profile
) -> None:
    """Where there is one beside the description, it must speak of the same user (S13)."""
    token = answer.get("id_token")
    if not isinstance(token, str) or "openid" not in application.provider.scopes:
        return
    claims = read_unsigned(token)
    nonce = pending.nonce if application.provider.sends_nonce else ""
    issuer = application.provider.issuer
    check_claims(claims, application.client_id, issuer, nonce, state.clock.now())
    subject = claims.get("sub")
    if not isinstance(subject, str) or not is_same_secret(subject, profile.subject):
        raise UnauthorizedError(detail="the id_token is about somebody else")
