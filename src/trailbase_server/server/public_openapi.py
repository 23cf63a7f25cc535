"""
The typed OpenAPI document at a public address, where the configuration offers it.

Rendered anew when the record APIs have changed, so asking for it often costs nothing.
"""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING

from trailbase_server.errors import NotFoundError
from trailbase_server.records.state import RecordsState
from trailbase_server.server.openapi import render_document
from trailbase_server.server.typed_openapi import build_typed_document
from trailbase_server.web.conditional import is_known
from trailbase_server.web.request import Request
from trailbase_server.web.response import JSON_TYPE, Response
from trailbase_server.web.route import Route

if TYPE_CHECKING:
    from trailbase_server.records.api import RecordApi

_HASH_CHARS = 16  # of SHA-256 in entity tags: tells versions apart


class PublicDocument:
    """
    The document of the record APIs that are served now.

    Args:
        records: Has the APIs.
        is_public: The configuration offers it.
        site: Where clients reach the server, None if that is not known.
    """

    def __init__(
        self,
        records: RecordsState,
        is_public: Callable[[], bool],
        site: Callable[[], str | None],
    ) -> None:
        self._records = records
        self._site = site
        self._rendered: tuple[Mapping[str, RecordApi], str | None, bytes, str] | None = None
        self.is_public = is_public

    def current(self) -> tuple[bytes, str]:
        """Document and entity tag."""
        apis, site = self._records.apis, self._site()
        kept = self._rendered
        if kept is None or kept[0] is not apis or kept[1] != site:
            content = render_document(build_typed_document(self._records, site))
            tag = f'"{sha256(content).hexdigest()[:_HASH_CHARS]}"'
            kept = self._rendered = (apis, site, content, tag)
        return kept[2], kept[3]


def get_public_openapi(state: PublicDocument, request: Request) -> Response:
    """
    Answer with the document.

    Raises:
        NotFoundError: The configuration does not offer it.

    Spec:
        server/developer-experience-p3
    """
    if not state.is_public():
        raise NotFoundError
    content, tag = state.current()
    headers = [(b"etag", tag.encode()), (b"cache-control", b"no-cache")]
    if is_known(request, tag):
        return Response(304, b"", headers)
    return Response(200, content, [JSON_TYPE, *headers])


PUBLIC_OPENAPI_ROUTES = (
    Route(
        "GET",
        "/api/openapi.json",
        get_public_openapi,
        audience="nobody",
        operation="public_openapi_handler",
        summary="Read the OpenAPI document of the record APIs.",
        errors=(NotFoundError,),
        tag="server",
    ),
)
"""404 unless `server.public_openapi` is set."""
