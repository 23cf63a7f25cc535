"""
The operations page at ``/_/admin/``: a few files that use the admin API like any other client.

They are for everybody: what they show is asked for with the credentials of whoever looks at them.
An address of an asset holds the hash of all, so browsers may keep it for good; every other path
answers the page itself. The full dashboard will take this place.
"""

from functools import cached_property
from hashlib import sha256
from pathlib import Path

from trailbase_server.errors import MethodNotAllowedError
from trailbase_server.web.request import Headers, Request
from trailbase_server.web.response import Response
from trailbase_server.web.route import Route
from trailbase_server.web.router import ANY_METHOD

PREFIX = "/_/admin"
FILES = Path(__file__).parent / "static"
INDEX = "index.html"
MEDIA_TYPES = {
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
}
HASH_CHARS = 16  # of SHA-256 in addresses: tells versions apart
# As the reference sends them: three headers, not one.
_FOR_GOOD: Headers = [
    (b"cache-control", b"public"),
    (b"cache-control", b"max-age=604800"),
    (b"cache-control", b"immutable"),
]
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SAFETY: Headers = [
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
]


class OperationsPage:
    """The files, read when somebody first asks for one."""

    @cached_property
    def assets(self) -> dict[str, bytes]:
        """What the page refers to, by name."""
        return {
            path.name: path.read_bytes()
            for path in sorted(FILES.iterdir())
            if path.suffix in MEDIA_TYPES
        }

    @cached_property
    def base(self) -> str:
        """Path of all assets."""
        whole = sha256()
        for name, content in self.assets.items():
            whole.update(name.encode() + b"\0" + content + b"\0")
        return f"{PREFIX}/assets/{whole.hexdigest()[:HASH_CHARS]}"

    @cached_property
    def index(self) -> bytes:
        """The page."""
        return (FILES / INDEX).read_text().replace("{assets}", self.base).encode()


def get_operations_page(state: OperationsPage, request: Request) -> Response:
    """
    Answer with an asset, else with the page.

    Raises:
        MethodNotAllowedError: It is not asked for with GET or HEAD.

    Spec:
        admin-api/static-ui
        server/dashboard-assets-admin
    """
    if request.method != "GET":
        raise MethodNotAllowedError("Method not allowed")
    place, _, name = request.path.rpartition("/")
    if place == state.base and name in state.assets:
        media_type = MEDIA_TYPES[Path(name).suffix]
        headers = [(b"content-type", media_type), *_FOR_GOOD, *_SAFETY]
        return Response(200, state.assets[name], headers)
    return Response(200, state.index, [(b"content-type", b"text/html; charset=utf-8"), *_SAFETY])


ADMIN_PAGE_ROUTES = (
    Route(
        ANY_METHOD,
        PREFIX,
        get_operations_page,
        audience="nobody",
        operation="show_operations",
        summary="The operations page and its files.",
        errors=(MethodNotAllowedError,),
        tag="pages",
    ),
)
"""Whatever is below the path; bound to an ``OperationsPage``."""
