"""
An HTML body as plain text, for readers that show no HTML.

Blocks become paragraphs, list items get a dash, the target of a link stands in angle brackets
behind its words, everything in the head is left out. What is not HTML at all comes out as it is.
"""

import re
from html import unescape
from html.parser import HTMLParser

_HIDDEN = frozenset(("head", "script", "style", "template", "title"))
_PARAGRAPHS = frozenset(
    (
        *("article", "blockquote", "body", "div", "dl", "footer", "h1", "h2", "h3", "h4", "h5"),
        *("h6", "header", "hr", "main", "ol", "p", "pre", "section", "table", "ul"),
    )
)
_LINES = frozenset(("br", "dd", "dt", "li", "tr"))
_TARGETS = ("http://", "https://", "mailto:")
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_SEVERAL = re.compile(r" {2,}")
_AROUND_LINE = re.compile(r" *\n *")
_EMPTY_LINES = re.compile(r"\n{3,}")
_TAG = re.compile(r"<[^>]*>")


def render_plain_text(html: str) -> str:
    """
    Make plain text of HTML.

    Args:
        html: Need not be well formed.

    Returns:
        Lines ending with a line feed, the last one too; paragraphs are an empty line apart.
    """
    reader = _Reader()
    try:
        reader.feed(html)
        reader.close()
        text = "".join(reader.parts)
    except AssertionError:
        # The parser of the standard library gives up on some declarations (``<![x``).
        text = _BLANKS.sub(" ", unescape(_TAG.sub(" ", html)))
    text = _AROUND_LINE.sub("\n", _SEVERAL.sub(" ", text))
    return _EMPTY_LINES.sub("\n\n", text).strip() + "\n"


class _Reader(HTMLParser):
    """Collects what a reader would see in ``parts``."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden: str | None = None  # the element that hides what we read
        self._target: str | None = None  # of the link we are in
        self._label_from = 0  # where its words begin in ``parts``

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        # An element without end tag hides no more than its document would hide it.
        if self._hidden is not None and tag != "body":
            return
        self._hidden = tag if tag in _HIDDEN else None
        if tag in _PARAGRAPHS:
            self.parts.append("\n\n")
        elif tag in _LINES:
            self.parts.append("\n- " if tag == "li" else "\n")
        elif tag == "td":
            self.parts.append(" ")
        elif tag == "img":
            self.parts.append(dict(attrs).get("alt") or "")
        elif tag == "a":
            href = (dict(attrs).get("href") or "").strip()
            self._target = href if href.lower().startswith(_TARGETS) else None
            self._label_from = len(self.parts)

    def handle_endtag(self, tag: str) -> None:
        """End an element."""
        if self._hidden is not None:
            if tag == self._hidden:
                self._hidden = None
            return
        if tag in _PARAGRAPHS:
            self.parts.append("\n\n")
        elif tag == "a" and self._target is not None:
            label = "".join(self.parts[self._label_from :]).strip()
            if label != self._target:
                self.parts.append(f" <{self._target}>" if label else self._target)
            self._target = None

    def handle_data(self, data: str) -> None:
        """Read text between tags."""
        if self._hidden is None:
            self.parts.append(_BLANKS.sub(" ", data))
