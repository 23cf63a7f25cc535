"""The operations of this package as data; they are part of ``auth.routes.ROUTES``."""

from typing import TYPE_CHECKING

from trailbase_server.auth.routing import route
from trailbase_server.errors import (
    BadRequestError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    TooManyRequestsError,
    UnauthorizedError,
)
from trailbase_server.web.later import later

if TYPE_CHECKING:
    from trailbase_server.auth.passkeys import (
        enrol,
        own,
        sign_in,
    )
else:
    enrol = later("trailbase_server.auth.passkeys.enrol")
    own = later("trailbase_server.auth.passkeys.own")
    sign_in = later("trailbase_server.auth.passkeys.sign_in")

PASSKEY_ROUTES = (
    route(
        "POST",
        "/passkeys/register/begin",
        enrol.begin_registration,
        "begin_passkey_registration_handler",
        "Begin to add a passkey to the caller's account.",
        BadRequestError,
        ForbiddenError,
        NotFoundError,
        TooManyRequestsError,
        audience="user",
    ),
    route(
        "POST",
        "/passkeys/register/finish",
        enrol.finish_registration,
        "finish_passkey_registration_handler",
        "Add a passkey to the caller's account.",
        BadRequestError,
        NotFoundError,
        ConflictError,
        audience="user",
    ),
    route(
        "POST",
        "/passkeys/login/begin",
        sign_in.begin_passkey_login,
        "begin_passkey_login_handler",
        "Begin to log in with a passkey.",
        NotFoundError,
    ),
    route(
        "POST",
        "/passkeys/login/finish",
        sign_in.login_with_passkey,
        "finish_passkey_login_handler",
        "Log in with a passkey.",
        BadRequestError,
        UnauthorizedError,
        NotFoundError,
    ),
    route(
        "GET",
        "/passkeys",
        own.list_own_passkeys,
        "list_passkeys_handler",
        "List the caller's passkeys.",
        NotFoundError,
        audience="user",
    ),
    route(
        "PATCH",
        "/passkeys/{id}",
        own.rename_own_passkey,
        "rename_passkey_handler",
        "Give a passkey of the caller another name.",
        BadRequestError,
        NotFoundError,
        audience="user",
    ),
    route(
        "DELETE",
        "/passkeys/{id}",
        own.remove_own_passkey,
        "remove_passkey_handler",
        "Remove a passkey of the caller.",
        BadRequestError,
        ForbiddenError,
        NotFoundError,
        TooManyRequestsError,
        audience="user",
    ),
)
