"""
Static files of ``--public-dir``, with a single-page fallback on request (spec
server/static-files-public-dir).

Starlette serves the files. What differs: paths below ``/api/`` and ``/_/`` never reach the
fallback, other methods than GET and HEAD are refused, and a not-found page is plain.
"""

import re
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

_FILE_LIKE = re.compile(r"\.\w+\Z")
NOT_FOUND = 404


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
            return await self._files.get_response(relative, scope)
        except HTTPException:
            return None
