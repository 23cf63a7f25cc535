"""
Read and replace the configuration, as protobuf messages.

The whole document is replaced: what an update leaves out is reset. The hash it carries is the one
of the document it was made from.
"""

from google.protobuf.message import DecodeError

from trailbase_server.admin.state import AdminState
from trailbase_server.config.changes import list_changes
from trailbase_server.config.fields import has_valid_text
from trailbase_server.config.proto.config_pb2 import GetConfigResponse, UpdateConfigRequest
from trailbase_server.config.vault import redact
from trailbase_server.errors import PreconditionError, UnprocessableError
from trailbase_server.web.audit import annotate
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, text

PROTOBUF_TYPE = (b"content-type", b"application/octet-stream")
HASH_HEADER = b"x-config-hash"


def get_config(state: AdminState, _request: Request) -> Response:
    """
    Answer with the configuration that runs, its secrets replaced by placeholders, and its hash.

    Spec:
        server/reading-updating-hash-protection
        admin-api/get-config
    """
    holder = state.config
    message = GetConfigResponse(config=redact(holder.config), hash=holder.hash)
    return Response(200, message.SerializeToString(deterministic=True), [PROTOBUF_TYPE])


async def update_config(state: AdminState, request: Request) -> Response:
    """
    Replace the configuration; what follows it has done so when the answer is sent.

    The answer's ``x-config-hash`` spares a client the reading before its next update.

    Raises:
        UnprocessableError: The body is no such message.
        PreconditionError: Hash or configuration are missing; updates are not allowed.
        BadRequestError: Something is wrong with the configuration.
        ConflictError: It was made from an older one.

    Spec:
        server/reading-updating-hash-protection
        admin-api/post-config
    """
    update = UpdateConfigRequest()
    try:
        update.ParseFromString(request.body)
    except DecodeError as exc:
        raise UnprocessableError("invalid input") from exc
    if not has_valid_text(update):
        raise UnprocessableError("invalid input")
    if state.demo:
        raise PreconditionError("precondition failed: Disallowed in demo")
    if not update.HasField("hash"):
        raise PreconditionError("precondition failed: Missing hash")
    if not update.HasField("config"):
        raise PreconditionError("precondition failed: Missing config")
    before = state.config.config
    await state.config.update(update.config, update.hash)
    old, new = list_changes(before, state.config.config)
    annotate(before=old, after=new)
    response = text("Config updated")
    response.headers.append((HASH_HEADER, state.config.hash.encode()))
    return response
