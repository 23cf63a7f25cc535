"""
Static files of ``--public-dir``, with a single-page fallback on request (spec
server/static-files-public-dir).

Starlette serves the files. What differs: paths below ``/api/`` and ``/_/`` never reach the
fallback, other methods than GET and HEAD are refused, a not-found page is plain, and a file that
has a packed neighbour (``app.js.br``, ``.zst``, ``.gz``) is sent packed to whoever takes that.
"""

import re
from mimetypes import guess_type
from pathlib import Path

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

_FILE_LIKE = re.compile(r"\.\w+\Z")
NOT_FOUND = 404
# By how small they are as a rule; made beforehand, which costs no request anything.
_PACKED = (("br", ".br"), ("zstd", ".zst"), ("gzip", ".gz"))
_WEIGHT_ZERO = re.compile(r"q\s*=\s*0(?:\.0*)?")


class PublicDirectory:
    """
    An ASGI application for a directory.

    Args:
        directory: What to serve.
        spa: Answer unknown pages with ``index.html``.
    """

    def __init__(self, directory: Path, *, spa: bool) -> None:
        self._files = StaticFiles(directory=directory, html=False, follow_symlink=True)
        self._directory = directory
        self._spa = spa and (directory / "index.html").is_file()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        response = await self._respond(scope)
        response.headers["x-content-type-options"] = "nosniff"
        await response(scope, receive, send)

    async def _respond(self, scope: Scope) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            return Response(status_code=405, headers={"allow": "GET,HEAD"})
        path = scope["path"]
        if path.startswith(("/api/", "/_/")):
            return Response(status_code=NOT_FOUND)
        found = await self._file(path, scope)
        if found is not None:
            return found
        if self._spa and not _FILE_LIKE.search(path):
            return await self._files.get_response("index.html", scope)
        return Response("Not found", NOT_FOUND, media_type="application/octet-stream")

    async def _file(self, path: str, scope: Scope) -> Response | None:
        relative = path.lstrip("/")
        parts = relative.split("/")
        if ".." in parts or "\\" in path or "\0" in path:
            return None
        if path.endswith("/"):
            relative += "index.html"
        elif (self._directory / relative).is_dir():
            query = scope["query_string"].decode("latin-1")
            return RedirectResponse(f"{path}/" + (f"?{query}" if query else ""), 307)
        try:
            response = await self._files.get_response(relative, scope)
            for name, ending in self._packed_forms(relative, scope):
                response = await self._files.get_response(relative + ending, scope)
                response.headers["content-type"] = _type_of(relative)
                response.headers["content-encoding"] = name
                break
        except HTTPException:
            return None
        if self._is_packed(relative):
            response.headers["vary"] = "accept-encoding"
        return response

    def _is_packed(self, relative: str) -> bool:
        """Does the file have a neighbour with the same content in a packed form?"""
        return any((self._directory / f"{relative}{ending}").is_file() for _, ending in _PACKED)

    def _packed_forms(self, relative: str, scope: Scope) -> list[tuple[str, str]]:
        """Those of the neighbours that the client takes, best first."""
        taken = accepted_encodings(Headers(scope=scope).get("accept-encoding", ""))
        return [
            (name, ending)
            for name, ending in _PACKED
            if name in taken and (self._directory / f"{relative}{ending}").is_file()
        ]


def accepted_encodings(value: str) -> set[str]:
    """Names in an ``Accept-Encoding`` header, in lower case, without those of weight 0."""
    names = set()
    for part in value.lower().split(","):
        name, _, weight = part.partition(";")
        if not _WEIGHT_ZERO.fullmatch(weight.strip()):
            names.add(name.strip())
    return names


def _type_of(path: str) -> str:
    kind = guess_type(path)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
