"""
Headers about parts and versions of a representation: ranges, entity tags, attachments.

Text in, values out. What a client asks for in a way that is not understood is ignored, as the
standard wants: it gets the whole.
"""

import re
from urllib.parse import quote

from trailbase_server.errors import AppError
from trailbase_server.web.request import Request

_RANGE = re.compile(r"bytes\s*=\s*([0-9]{0,20})\s*-\s*([0-9]{0,20})\s*\Z", re.IGNORECASE)
_UNQUOTABLE = re.compile(r'[^\x20-\x7e]|["\\%]')  # what a quoted file name cannot say
_NO_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


class RangeNotSatisfiableError(AppError):
    """The range begins behind the end: 416."""

    status = 416


def parse_range(request: Request, size: int, etag: str) -> tuple[int, int] | None:
    """
    Read which part of a representation is asked for.

    Args:
        request: Of a GET.
        size: Bytes of the whole.
        etag: Its tag, in quotes; a range that ``If-Range`` binds to another version is ignored.

    Returns:
        First byte and the one behind the last; None for the whole: no range, one that is not
        understood, or several.

    Raises:
        RangeNotSatisfiableError: No byte of it exists.
    """
    text = request.header_text(b"range")
    found = _RANGE.match(text.strip()) if text is not None else None
    condition = request.header_text(b"if-range")
    if found is None or condition not in (None, etag):
        return None
    first, last = found.groups()
    if first:
        start, stop = int(first), int(last) + 1 if last else size
        if last and stop <= start:
            return None
    elif last:
        start, stop = max(size - int(last), 0), size
        if int(last) == 0:
            raise RangeNotSatisfiableError
    else:
        return None
    if start >= size:
        raise RangeNotSatisfiableError
    return start, min(stop, size)


def is_known(request: Request, etag: str) -> bool:
    """Does the client have this version already: ``If-None-Match``?"""
    text = request.header_text(b"if-none-match")
    if text is None:
        return False
    known = [part.strip().removeprefix("W/") for part in text.split(",")]
    return etag in known or known == ["*"]


def render_attachment(filename: str | None) -> bytes:
    """
    Render ``Content-Disposition`` for something that is to be saved, not shown.

    Args:
        filename: Any text from anywhere; path separators and what does not print are replaced.
    """
    name = _NO_TEXT.sub("", filename or "").replace("/", "_").replace("\\", "_").strip(" .")
    if not name:
        return b"attachment"
    plain = _UNQUOTABLE.sub("_", name)
    value = f'attachment; filename="{plain}"'
    if plain != name:
        value += f"; filename*=UTF-8''{quote(name, safe='')}"
    return value.encode("ascii")
