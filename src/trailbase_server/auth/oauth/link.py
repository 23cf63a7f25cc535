"""
``/oauth/{provider}/link``: a service becomes a further way into an account that is there already.

.. code-block:: text

    POST, logged in, lately or with the password ──> the service ──> callback: linked
    anonymous account ─────────────────────────────> the service ──> callback: an ordinary one

Which account it is stands in the signed cookie of the log-in, so it cannot be anybody else's. An
account has at most one service, in the columns that the reference knows. Nobody is ever linked
because of an address. The reference has nothing like it.
"""

from trailbase_server.auth.addresses import drop_claims
from trailbase_server.auth.authenticate import caller_of, refresh_token_of
from trailbase_server.auth.csrf import check_intent
from trailbase_server.auth.fields import Fields, merged, read_body, read_query
from trailbase_server.auth.oauth.enrol import AddressTakenError, address_for
from trailbase_server.auth.oauth.pending import new_pending
from trailbase_server.auth.oauth.provider import Application, Profile
from trailbase_server.auth.oauth.providers import PROVIDERS
from trailbase_server.auth.oauth.start import find_application, go_to_service
from trailbase_server.auth.passkeys.fresh import check_fresh
from trailbase_server.auth.passkeys.store import has_passkey
from trailbase_server.auth.redirects import render_location
from trailbase_server.auth.sessions import delete_sessions
from trailbase_server.auth.sign_in import LoginParams
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.users import User, find_user
from trailbase_server.db.base import Transaction, single_statement
from trailbase_server.errors import (
    BadRequestError,
    ConflictError,
    NotFoundError,
    UnauthorizedError,
)
from trailbase_server.ids import UserId
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, empty, json_value, redirect, text


class LinkedElsewhereError(BadRequestError):
    """The service's user belongs to another account."""


async def begin_link(state: AuthState, request: Request) -> Response:
    """
    Send the caller to a service, whose user becomes a way into the caller's account.

    Raises:
        BadRequestError: Cookies alone, from a foreign page; malformed fields; a wrong password.
        ForbiddenError: The log-in was long ago, and no password came along.
        MethodNotAllowedError: The service is unknown or not configured.
        ConflictError: The account has a service already.
        NotFoundError: The account is gone.
        DependencyError: The service publishes its addresses, and does not tell them.

    Spec:
        auth/missing-features-users-compare
    """
    identity = caller_of(request)
    query, body = read_query(request), _read_optional_body(request)
    check_intent(state, request, identity, body.text("csrf_token"))
    if state.demo:
        raise BadRequestError("Disallowed in demo")
    application = find_application(state, request)
    target = state.check_redirect(merged("redirect_uri", query, body))
    error_target = state.check_redirect(merged("err_redirect_uri", query, body))
    user = await _find(state, identity.user_id)
    if user.provider_id:
        raise ConflictError("the account is linked to a service already")
    if not is_anonymous(user) or await has_passkey(state.session_database, user.id):
        await check_fresh(state, request, user, body)
    application = await state.discovery.complete(application)
    pending = new_pending(application.name, LoginParams(target), error_target, link=user.id)
    location, cookie = go_to_service(state, application, pending)
    if body.is_form:
        return redirect(render_location(location), [cookie])
    response = json_value({"location": location})
    response.headers.append(cookie)
    return response


def _read_optional_body(request: Request) -> Fields:
    return read_body(request) if request.body else Fields({})


def is_anonymous(user: User) -> bool:
    """Has the account nothing but a name, so that there is nothing to ask its owner for?"""
    return user.password_hash is None and user.email is None and not user.provider_id


async def _find(state: AuthState, user_id: UserId) -> User:
    user = await find_user(state.database, user_id)
    if user is None:
        raise NotFoundError
    return user


async def end_link(
    state: AuthState,
    application: Application,
    profile: Profile,
    user_id: UserId,
    target: str | None,
) -> Response:
    """
    Link a service's user to the account that has asked for it; its session goes on.

    Args:
        state: Of this package.
        application: The service.
        profile: What it says.
        user_id: Whose account it is.
        target: Checked; where the browser goes on.

    Raises:
        LinkedElsewhereError: The service's user belongs to another account.
        AddressTakenError: An anonymous account would get an address that another one has.
        UnauthorizedError: The account is gone, unconfirmed, or linked meanwhile.
        DependencyError: An anonymous account needs an address, and the service tells none.
    """
    user = await find_user(state.database, user_id)
    if user is None or user.unverified_email is not None or user.provider_id:
        raise UnauthorizedError(detail="the account is gone, unconfirmed or linked")
    email = None
    if is_anonymous(user):
        email = address_for(state.options.identifier_policy, profile.email)
    if not await state.database.write(
        link_account,
        user_id,
        application.provider.id,
        profile.subject,
        email,
        profile.avatar_url,
    ):
        raise UnauthorizedError(detail="the account has changed meanwhile")
    state.verified.forget(user_id)
    return text("linked") if target is None else redirect(render_location(target))


def link_account(
    tx: Transaction,
    user_id: UserId,
    provider_id: int,
    subject: str,
    email: str | None,
    avatar_url: str | None,
) -> bool:
    """
    Write job: note a service's user in an account without one; False if there is no such account.

    Args:
        user_id: Whose.
        provider_id, subject: Who it is there.
        email: Verified by the service, for an account without any; else None.
        avatar_url: Of the picture.

    Raises:
        LinkedElsewhereError: Another account has this user.
        AddressTakenError: Another account has the address.
    """
    if tx.read(
        "SELECT 1 FROM _user WHERE provider_id = ?1 AND provider_user_id = ?2",
        (provider_id, subject),
    ):
        raise LinkedElsewhereError("this user of the service belongs to another account")
    if email is not None and tx.read("SELECT 1 FROM _user WHERE email = ?1", (email,)):
        raise AddressTakenError("the e-mail address belongs to another account")
    changed = tx.run(
        "UPDATE _user SET provider_id = ?2, provider_user_id = ?3, provider_avatar_url = ?5, "
        "email = coalesce(email, ?4) "
        "WHERE id = ?1 AND provider_id = 0 AND unverified_email IS NULL",
        (user_id, provider_id, subject, email, avatar_url),
    )
    if changed and email is not None:
        drop_claims(tx, user_id, email)
    return bool(changed)


async def unlink(state: AuthState, request: Request) -> Response:
    """
    Take a service away from the caller's account, and end the other sessions.

    Raises:
        BadRequestError: Cookies alone, from a foreign page; a wrong password.
        ForbiddenError: The log-in was long ago, and no password came along.
        NotFoundError: The account is gone, or not linked to this service.
        ConflictError: It is the only way into the account.

    Spec:
        auth/missing-features-users-compare
    """
    identity, body = caller_of(request), _read_optional_body(request)
    check_intent(state, request, identity, body.text("csrf_token"))
    if state.demo:
        raise BadRequestError("Disallowed in demo")
    user = await _find(state, identity.user_id)
    # A service that is not configured any more can be taken away, too.
    numbers = {provider.name: provider.id for provider in PROVIDERS}
    number = numbers.get(request.params["provider"])
    if number is None or user.provider_id != number:
        raise NotFoundError
    await check_fresh(state, request, user, body)
    if user.password_hash is None and not await has_passkey(state.session_database, user.id):
        raise ConflictError("it is the only way to log in: set a password first")
    if not await state.database.write(unlink_account, user.id, number):
        raise NotFoundError
    await state.session_database.write(delete_sessions, user.id, refresh_token_of(request))
    state.verified.forget(user.id)
    return empty()


@single_statement
def unlink_account(tx: Transaction, user_id: UserId, provider_id: int) -> bool:
    """Write job: forget a service's user in an account; False if it is another or none."""
    return bool(
        tx.run(
            "UPDATE _user SET provider_id = 0, provider_user_id = NULL, provider_avatar_url = NULL "
            "WHERE id = ?1 AND provider_id = ?2",
            (user_id, provider_id),
        )
    )
