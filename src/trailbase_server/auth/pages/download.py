"""
A file that pages refer to is answered.

Its address names the hash of the content, so browsers may keep it for good; with another hash, as
after an update, it answers what is there now, to be checked again.
"""

from trailbase_server.auth.state import AuthState
from trailbase_server.errors import NotFoundError
from trailbase_server.web.conditional import is_known
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response

# A picture that is opened by itself is a document, and must not do anything.
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; sandbox"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


async def get_asset(state: AuthState, request: Request) -> Response:
    """
    Answer with a file.

    Raises:
        NotFoundError: There is none of that name.

    Spec:
        auth/pages
    """
    assets = (await state.pages.current()).assets
    asset = assets.by_name.get(request.params["name"])
    if asset is None:
        raise NotFoundError
    etag = f'"{asset.hash}"'
    is_current = request.params["hash"] == asset.hash
    cache = b"public, max-age=31536000, immutable" if is_current else b"no-cache"
    headers = [(b"etag", etag.encode()), (b"cache-control", cache), *_HEADERS]
    if is_known(request, etag):
        return Response(304, b"", headers)
    return Response(200, asset.content, [(b"content-type", asset.media_type.encode()), *headers])
