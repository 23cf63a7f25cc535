"""
Avatars: ``/avatar`` uploads and deletes the caller's own, ``/avatar/{user_id}`` shows anybody's.

A picture is what its bytes say, PNG or JPEG, whatever the client declares; what they say beside
that is dropped (``auth.pictures``), so nobody publishes where they live. Row and object are kept
together as those of records are (``storage.deletions``): the object is announced, stored, referred
to; the one before it is deleted after the commit.
"""

import logging
from pathlib import Path
from typing import NamedTuple

from trailbase_server.auth.authenticate import caller_of
from trailbase_server.auth.csrf import check_intent
from trailbase_server.auth.pictures.strip import MEDIA_TYPES, strip_picture
from trailbase_server.auth.state import AuthState
from trailbase_server.db.base import Transaction
from trailbase_server.db.errors import ConstraintError
from trailbase_server.errors import AppError, BadRequestError, NotFoundError
from trailbase_server.ids import UUID_BYTES, UserId, decode_b64u, new_uuid4, render_uuid_text
from trailbase_server.storage.base import Storage
from trailbase_server.storage.deletions import (
    Claim,
    PendingUpload,
    announce_uploads,
    claim_since,
    delete_claimed,
    last_row,
    queue_name,
    settle_claims,
    take_upload,
)
from trailbase_server.storage.download import CACHE_CHECKED, send_object
from trailbase_server.storage.metadata import describe_file, render_metadata, stored_entries
from trailbase_server.web.body import Body, received_body
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, empty

log = logging.getLogger(__name__)
FIELD = "file"
MAX_NAME_CHARS = 255  # of the name that is kept
TABLE = "_user_avatar"
_QUEUE = queue_name(None)


class _Picture(NamedTuple):
    key: str
    metadata: str
    content: bytes | Path


async def get_avatar(state: AuthState, request: Request) -> Response:
    """
    Answer with somebody's picture.

    Raises:
        BadRequestError: That is no user id.
        NotFoundError: No such user, or no picture.
        StorageUnavailableError: The store does not answer.

    Spec:
        auth/avatars
    """
    user_id = decode_b64u(request.params["user_id"])
    if user_id is None or len(user_id) != UUID_BYTES:
        raise BadRequestError("Invalid user id")
    rows = await state.database.query("SELECT file FROM _user_avatar WHERE user = ?1", (user_id,))
    entries = stored_entries(rows[0][0]) if rows else []
    if not entries:
        raise NotFoundError
    # What the uploader called it is nobody else's business.
    shown = {name: entries[0].get(name) for name in ("id", "mime_type")}
    response = await send_object(_storage(state), request, shown, CACHE_CHECKED)
    # Browsers keep it by its tag alone: official ones see no further header.
    response.headers = [one for one in response.headers if one[0] != b"cache-control"]
    return response


async def create_avatar(state: AuthState, request: Request) -> Response:
    """
    Replace the caller's picture.

    Raises:
        BadRequestError: No multipart form with exactly one picture, or not PNG nor JPEG, or one
            that is damaged or has too many pixels.
        NotFoundError: The account is gone.
        StorageUnavailableError: It is not stored, nothing has changed.

    Spec:
        auth/avatars
    """
    identity = caller_of(request)
    check_intent(state, request, identity)
    storage = _storage(state)
    async with received_body(request, storage.spool) as body:
        picture = await _read_picture(body)
        await _store(state, storage, identity.user_id, picture)
    return empty()


async def _read_picture(body: Body) -> _Picture:
    if body.kind != "multipart":
        raise BadRequestError("expected a multipart form")
    if len(body.files) != 1 or body.files[0].name != FIELD:
        raise BadRequestError(f"expected exactly one file, named `{FIELD}`")
    part = body.files[0]
    key = render_uuid_text(new_uuid4())
    name = part.filename[:MAX_NAME_CHARS] if part.filename is not None else None
    metadata = describe_file(key, name, None, part.head)
    media_type = metadata.get("mime_type")
    if media_type not in MEDIA_TYPES:
        raise BadRequestError("expected a PNG or a JPEG")
    content = await strip_picture(media_type, part.content)
    return _Picture(key, render_metadata(metadata), content)


async def _store(state: AuthState, storage: Storage, user_id: UserId, picture: _Picture) -> None:
    announced = (_QUEUE, TABLE, picture.metadata)
    [row_id] = await state.database.write(announce_uploads, [announced])
    pending = PendingUpload(row_id, picture.metadata)
    try:
        await storage.put(picture.key, picture.content)
        claims = await state.database.write(set_avatar, user_id, picture.metadata, pending)
    except AppError as exc:
        await _discard(state, storage, picture.key, pending)
        if isinstance(exc, ConstraintError) and exc.kind == "fk":
            raise NotFoundError from exc
        raise
    await delete_claimed(state.database, storage, claims)


async def _discard(state: AuthState, storage: Storage, key: str, pending: PendingUpload) -> None:
    """Delete an object that no row refers to; what cannot be deleted now is left to the job."""
    try:
        await storage.delete(key)
        await state.database.write(settle_claims, _QUEUE, [pending], [])
    except AppError as exc:
        log.warning("a picture that was not used is left to the job: %s", exc.detail)


def set_avatar(
    tx: Transaction, user_id: UserId, metadata: str, pending: PendingUpload
) -> list[Claim]:
    """
    Write job: refer to a picture that has been stored.

    Returns:
        What to delete after the commit.

    Raises:
        ConstraintError: The account is gone.
        UploadExpiredError: The picture is being deleted already.
    """
    last = last_row(tx, _QUEUE)
    tx.run(
        "INSERT INTO _user_avatar (user, file) VALUES (?1, ?2) "
        "ON CONFLICT (user) DO UPDATE SET file = excluded.file",
        (user_id, metadata),
    )
    claims = claim_since(tx, _QUEUE, last)
    take_upload(tx, _QUEUE, pending)
    return claims


async def delete_avatar(state: AuthState, request: Request) -> Response:
    """
    Delete the caller's picture, if there is one.

    Raises:
        BadRequestError: Cookies alone, from a foreign page.

    Spec:
        auth/avatars
    """
    identity = caller_of(request)
    check_intent(state, request, identity)
    claims = await state.database.write(drop_avatar, identity.user_id)
    if claims:
        await delete_claimed(state.database, _storage(state), claims)
    return empty()


def drop_avatar(tx: Transaction, user_id: UserId) -> list[Claim]:
    """Write job: forget a picture; returns what to delete after the commit."""
    last = last_row(tx, _QUEUE)
    tx.run("DELETE FROM _user_avatar WHERE user = ?1", (user_id,))
    return claim_since(tx, _QUEUE, last)


def _storage(state: AuthState) -> Storage:
    if state.storage is None:
        raise NotFoundError
    return state.storage
