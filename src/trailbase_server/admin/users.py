"""
Users, as administrators see and change them.

Administrators are neither changed nor deleted here, only on the command line: nobody who has got
hold of one account of theirs can lock the others out. Hashes and secrets are never shown, nor can
anybody filter or order by them. Whatever changes who may log in ends the sessions of that user: the
reference keeps them.
"""

from typing import Any, cast

from trailbase_server.auth.accounts import end_sessions
from trailbase_server.auth.identifiers import parse_email, parse_username
from trailbase_server.auth.letters import send_verification
from trailbase_server.auth.password import check_password
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.users import (
    User,
    UserChange,
    delete_user,
    find_user,
    insert_by_admin,
    update_user,
)
from trailbase_server.db.errors import ConstraintError
from trailbase_server.db.values import Row, SqlValue
from trailbase_server.errors import (
    BadRequestError,
    ConflictError,
    NotFoundError,
    PreconditionError,
    UnprocessableError,
)
from trailbase_server.ids import UserId, new_uuid4, parse_uuid_text, render_uuid_text
from trailbase_server.query.filter import FilterColumn
from trailbase_server.query.order import compile_order
from trailbase_server.query.parse import parse_list_query
from trailbase_server.query.sql import compile_filter
from trailbase_server.schema.model import DataType
from trailbase_server.web.audit import annotate
from trailbase_server.web.body import decode_json_object
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, json_value, text

DEFAULT_LIMIT = 50  # users per page where the request does not say
MAX_LIMIT = 1024  # some 300 KiB of JSON
_SHOWN = (
    "id",
    "email",
    "unverified_email",
    "username",
    "admin",
    "provider_id",
    "provider_user_id",
    "created",
    "updated",
)
_TEXTS = ("email", "unverified_email", "username", "provider_user_id", "provider_avatar_url")
_INTEGERS = ("admin", "created", "updated", "provider_id")
_COLUMNS = {
    "id": FilterColumn("id", DataType.BLOB),
    **{name: FilterColumn(name, DataType.TEXT) for name in _TEXTS},
    **{name: FilterColumn(name, DataType.INTEGER) for name in _INTEGERS},
}
_SELECT = f"SELECT {', '.join(_SHOWN)} FROM _user AS _ROW_"  # noqa: S608  # constants only


def list_users(state: AuthState, request: Request) -> Response:
    """
    Answer with a page of users, the newest first unless told otherwise.

    Raises:
        BadRequestError: Something in the query string.

    Spec:
        admin-api/get-user-list
    """
    query = parse_list_query(request.query)
    limit = DEFAULT_LIMIT if query.limit is None else query.limit
    if limit > MAX_LIMIT:
        raise BadRequestError(f"limit exceeds max limit of {MAX_LIMIT}")
    where, params = "", list[SqlValue]()
    if query.filter is not None:
        condition, params = compile_filter(query.filter, _COLUMNS, "_ROW_")
        where = f" WHERE {condition}"
        if " REGEXP " in condition:
            state.database.leave_loop()  # linear time, but in texts that anybody may have written
    order = compile_order(query.order, _COLUMNS, "_ROW_") if query.order else "_ROW_.rowid DESC"
    rows = state.database.read(
        f"{_SELECT}{where} ORDER BY {order} LIMIT ? OFFSET ?",
        [*params, limit, query.offset or 0],
    )
    [(total,)] = state.database.read(f"SELECT count(*) FROM _user AS _ROW_{where}", params)  # noqa: S608  # names come from the table above
    return json_value({"total_row_count": total, "users": [_render(row) for row in rows]})


def _render(row: Row) -> dict[str, Any]:
    user = dict(zip(_SHOWN, row, strict=True))
    return {**user, "id": render_uuid_text(cast(bytes, row[0])), "admin": bool(user["admin"])}


async def create_user(state: AuthState, request: Request) -> Response:
    """
    Add a user. An address that is not verified is mailed a link.

    Raises:
        UnprocessableError: A member is missing or of the wrong type.
        BadRequestError: Address or password do not do.
        ConflictError: The address is taken.
        DependencyError: The mail could not be sent; the user stays.

    Spec:
        admin-api/post-user-create
    """
    body = decode_json_object(request)
    email, password = _required(body, "email", str), _required(body, "password", str)
    verified, admin = _required(body, "verified", bool), _required(body, "admin", bool)
    address = parse_email(email)
    check_password(state.options.password_rules, password, password)
    password_hash = await state.passwords.hash(password)
    user_id = UserId(new_uuid4())
    annotate(
        object=render_uuid_text(user_id),
        after={"email": address, "verified": verified, "admin": admin},
    )
    if not await state.database.write(
        insert_by_admin, user_id, address, password_hash, verified=verified, admin=admin
    ):
        raise ConflictError("Already exists: user")
    if not verified:
        await send_verification(state, user_id, address, None)
    return json_value({"id": render_uuid_text(user_id)})


async def change_user(state: AuthState, request: Request) -> Response:
    """
    Change a user: absent members stay, empty ones are cleared.

    Raises:
        UnprocessableError: No id, or a member of the wrong type.
        PreconditionError: The user is an administrator.
        NotFoundError: There is no such user.
        BadRequestError: Something does not do.
        ConflictError: Address or name are taken.

    Spec:
        admin-api/patch-user-update
    """
    body = decode_json_object(request)
    user_id = _user_id(body)
    typed = {name: _optional(body, name) for name in ("email", "unverified_email", "username")}
    password = _optional(body, "password")
    user = await _find(state, user_id, "updated")
    annotate(
        before={name: getattr(user, name) for name, value in typed.items() if value is not None},
        after={name: value for name, value in body.items() if name in (*typed, "password")},
    )
    changes: list[UserChange] = []
    for name, value in typed.items():
        if value is not None:
            parse = parse_username if name == "username" else parse_email
            changes.append((name, parse(value) if value else None))
    if password is not None:
        if not password:
            raise BadRequestError("Password too short")
        changes.append(("password_hash", await state.passwords.hash(password)))
    if changes:
        await _change(state, user, changes)
    return text("updated")


async def _change(state: AuthState, user: User, changes: list[UserChange]) -> None:
    try:
        if not await state.database.write(update_user, user.id, changes):
            raise NotFoundError("race?")
    except ConstraintError as exc:
        raise ConflictError("address or username is taken", detail=exc.detail) from exc
    if {name for name, _ in changes} != {"username"}:
        await end_sessions(state, user)
        state.lockout.forget(user.id)


async def remove_user(state: AuthState, request: Request) -> Response:
    """
    Delete a user, what cascades from it, and its sessions.

    Raises:
        UnprocessableError: No id.
        PreconditionError: The user is an administrator.
        NotFoundError: There is no such user.
        ConstraintError: Other rows refer to it; it stays.

    Spec:
        admin-api/delete-user
    """
    user = await _find(state, _user_id(decode_json_object(request)), "deleted")
    annotate(before={name: getattr(user, name) for name in ("email", "username")})
    await state.database.write(delete_user, user.id)
    await end_sessions(state, user)
    return text("deleted")


async def _find(state: AuthState, user_id: UserId, verb: str) -> User:
    annotate(object=render_uuid_text(user_id))
    user = await find_user(state.database, user_id)
    if user is None:
        raise NotFoundError("race?")
    if user.admin:
        raise PreconditionError(f"Admins can only be {verb} using the CLI to prevent abuse")
    return user


def _required(body: dict[str, Any], name: str, kind: type) -> Any:
    value = body.get(name)
    if not isinstance(value, kind):
        raise UnprocessableError(f"missing or malformed member `{name}`")
    return value


def _optional(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is None or isinstance(value, str):
        return value
    raise UnprocessableError(f"malformed member `{name}`")


def _user_id(body: dict[str, Any]) -> UserId:
    data = parse_uuid_text(_required(body, "id", str))
    if data is None:
        raise UnprocessableError("malformed member `id`")
    return UserId(data)
