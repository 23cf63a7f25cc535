"""
Subscribe to a table or a record: server-sent events, or a WebSocket.

Order of checks: API 405, switched on 403, query string 400; id 400, table permission 403, filter
400; for a record read rule 403, row 404. The stream exists before the row is looked at, so no
change can fall between.

Over a WebSocket everything up to the id is refused as HTTP. What follows needs to know the caller,
who may send the token as the first message: so it happens after the upgrade, and refusals are codes
of the closing frame.
"""

import asyncio

import orjson

from trailbase_server.db.errors import OverBudgetError
from trailbase_server.errors import (
    AppError,
    BadRequestError,
    ForbiddenError,
    NotFoundError,
    UnauthorizedError,
)
from trailbase_server.query.parse import SubscribeQuery, parse_subscribe_query
from trailbase_server.records.access import READ, read_ruled, user_of
from trailbase_server.records.api import RecordApi
from trailbase_server.records.columns import Key
from trailbase_server.records.realtime.broker import Broker, Subscription
from trailbase_server.records.realtime.subscriber import Subscriber
from trailbase_server.records.state import RecordsState
from trailbase_server.web.identity import Identity
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response
from trailbase_server.web.sse import EVENT_STREAM
from trailbase_server.web.websocket import SocketClosedError, WebSocket

WHOLE_TABLE = "*"
JAVASCRIPT_CLIENT = b"credentials"  # a header that only it sends; it reads message by message
INIT_TIMEOUT_S = 10  # for the first message of a WebSocket
NORMAL, GOING_AWAY, POLICY_VIOLATION, INTERNAL_ERROR = 1000, 1001, 1008, 1011
"""Codes of closing frames (RFC 6455)."""


def check_subscription(
    state: RecordsState, request: Request
) -> tuple[RecordApi, Key | None, SubscribeQuery]:
    """
    Make the checks that do not depend on the caller.

    Returns:
        The API, the key of the record (None for the whole table), the query.

    Raises:
        MethodNotAllowedError: No such API.
        ForbiddenError: Subscriptions are off.
        InvalidQueryError, InvalidIdError: 400.

    Spec:
        records/endpoint-and-set-up-checks
    """
    api = state.api(request.params["api"])
    if not api.enable_subscriptions:
        raise ForbiddenError
    query = parse_subscribe_query(request.query)
    record = request.params["record"]
    return api, None if record == WHOLE_TABLE else api.parse_id(record), query


async def subscribe(state: RecordsState, request: Request) -> Response:
    """
    Answer with a stream of events.

    Raises:
        MethodNotAllowedError: No such API.
        ForbiddenError: Subscriptions are off, no table permission, or the read rule says no.
        InvalidQueryError, InvalidIdError: 400.
        NotFoundError: No such row, and no rule.
        TooManyRequestsError: Too many streams.

    Spec:
        records/endpoint-and-set-up-checks
    """
    api, key, query = check_subscription(state, request)
    if query.ws:
        raise BadRequestError("ws: not a WebSocket handshake")
    stream = await _open(state, request, api, key, query, request.identity)
    if request.head:
        stream.detach()
        return Response(200, headers=list(EVENT_STREAM))
    return Response(200, headers=list(EVENT_STREAM), feed=stream)


async def subscribe_socket(state: RecordsState, request: Request, socket: WebSocket) -> None:
    """
    Serve a subscription over a WebSocket; ``check_subscription`` has passed.

    Spec:
        records/websocket-form-ws-true
    """
    api, key, query = check_subscription(state, request)
    await socket.accept()
    try:
        identity = await _authenticate(request, socket)
        stream = await _open(state, request, api, key, query, identity)
    except (UnauthorizedError, ForbiddenError):
        await socket.close(POLICY_VIOLATION, "unauthorized")
    except TimeoutError:
        await socket.close(INTERNAL_ERROR, "unexpected message")
    except SocketClosedError:
        return
    except AppError as exc:
        unexpected = isinstance(exc, UnexpectedMessageError)
        reason = "unexpected message" if unexpected else "subscription failed"
        await socket.close(INTERNAL_ERROR, reason)
    else:
        await _pass_on(state.broker, stream, socket)


class UnexpectedMessageError(BadRequestError):
    """The first message is not text."""


async def _authenticate(request: Request, socket: WebSocket) -> Identity | None:
    """Find out who subscribes: from the handshake, else from the first message."""
    if request.identity is not None or request.header(b"authorization") is not None:
        return request.identity
    async with asyncio.timeout(INIT_TIMEOUT_S):
        text = await socket.receive()
    if not isinstance(text, str):
        raise UnexpectedMessageError
    token = _read_init(text)
    if token is None:
        return None
    identity = socket.authenticate(token)
    if identity is None:
        raise UnauthorizedError
    return identity


def _read_init(text: str) -> str | None:
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError as exc:
        raise UnauthorizedError from exc
    init = message.get("Init") if isinstance(message, dict) else None
    if not isinstance(init, dict) or "auth_token" not in init:
        raise UnauthorizedError
    token = init["auth_token"]
    if token is not None and not isinstance(token, str):
        raise UnauthorizedError
    return token


async def _pass_on(broker: Broker, stream: Subscriber, socket: WebSocket) -> None:
    """Send events until the stream or the connection ends."""
    listening = asyncio.ensure_future(_ignore_messages(stream, socket))
    try:
        async for messages in stream.messages():
            for message in messages:
                await socket.send(message.decode())
        await socket.close(GOING_AWAY if broker.is_closed else NORMAL, "")
    except SocketClosedError:
        pass
    finally:
        stream.detach()
        listening.cancel()


async def _ignore_messages(stream: Subscriber, socket: WebSocket) -> None:
    # The JavaScript client sends its token whether it was needed or not.
    try:
        while True:
            await socket.receive()
    except SocketClosedError:
        stream.detach()


async def _open(
    state: RecordsState,
    request: Request,
    api: RecordApi,
    key: Key | None,
    query: SubscribeQuery,
    identity: Identity | None,
) -> Subscriber:
    api.check_permission(identity, READ)
    last_event_id = request.header_text(b"last-event-id")
    stream = await state.broker.subscribe(
        api,
        Subscription(
            key=key,
            filter=query.filter,
            identity=identity,
            address=request.client_ip,
            is_aligned=request.header(JAVASCRIPT_CLIENT) is not None,
            resumable=query.resume or last_event_id is not None,
            last_event_id=last_event_id,
        ),
    )
    if key is not None:
        try:
            await _check_row(state, api, key, identity)
        except BaseException:
            stream.detach()
            raise
    return stream


async def _check_row(
    state: RecordsState, api: RecordApi, key: Key, identity: Identity | None
) -> None:
    rule = api.read_rule
    database = state.database
    if rule is None:
        if not await database.query(api.read_sql, (key,)):
            raise NotFoundError
        return
    params = rule.bind(user_of(identity), key)
    try:
        read_ruled(database.read, rule.sql, params)
    except OverBudgetError:
        await database.on_pool(read_ruled, database.read, rule.sql, params)
