"""The operations of this package as data; they are part of ``auth.routes.ROUTES``."""

from trailbase_server.auth.passkeys.enrol import begin_registration, finish_registration
from trailbase_server.auth.passkeys.own import (
    list_own_passkeys,
    remove_own_passkey,
    rename_own_passkey,
)
from trailbase_server.auth.passkeys.sign_in import begin_passkey_login, login_with_passkey
from trailbase_server.auth.routing import route
from trailbase_server.errors import (
    BadRequestError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    TooManyRequestsError,
    UnauthorizedError,
)

PASSKEY_ROUTES = (
    route(
        "POST",
        "/passkeys/register/begin",
        begin_registration,
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
        finish_registration,
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
        begin_passkey_login,
        "begin_passkey_login_handler",
        "Begin to log in with a passkey.",
        NotFoundError,
    ),
    route(
        "POST",
        "/passkeys/login/finish",
        login_with_passkey,
        "finish_passkey_login_handler",
        "Log in with a passkey.",
        BadRequestError,
        UnauthorizedError,
        NotFoundError,
    ),
    route(
        "GET",
        "/passkeys",
        list_own_passkeys,
        "list_passkeys_handler",
        "List the caller's passkeys.",
        NotFoundError,
        audience="user",
    ),
    route(
        "PATCH",
        "/passkeys/{id}",
        rename_own_passkey,
        "rename_passkey_handler",
        "Give a passkey of the caller another name.",
        BadRequestError,
        NotFoundError,
        audience="user",
    ),
    route(
        "DELETE",
        "/passkeys/{id}",
        remove_own_passkey,
        "remove_passkey_handler",
        "Remove a passkey of the caller.",
        BadRequestError,
        ForbiddenError,
        NotFoundError,
        TooManyRequestsError,
        audience="user",
    ),
)
