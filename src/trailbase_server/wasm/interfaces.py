"""
What a component imports and exports, read from the binary without running it.

A component is a header and sections, each an id and a size. Names stand in the sections of imports
and exports; everything else, nested components included, is skipped.

.. code-block:: text

    import  = name externdesc             export = name sort index (00 | 01 externdesc)
    name    = 00 text | 01 text | 02 text text          text = length UTF-8
    externdesc = 00 11 index | 01 index | 02 bound | 03 bound | 04 index | 05 index
    sort    = 00 byte | byte              bound = 00 index | 01 [byte of a value's type]

An interface is called ``namespace:package/interface@version``.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from trailbase_server.errors import BadRequestError

MODULE_HEADER = b"\x00asm\x01\x00\x00\x00"
COMPONENT_HEADER = b"\x00asm\x0d\x00\x01\x00"
MAX_NAMES = 4096  # of imports and exports together: real components have some dozens
_IMPORTS, _EXPORTS = 10, 11
_MAX_BITS = 35  # of an index or size: five bytes of seven bits
_MORE = 0x80  # the bit of a byte that says: the number goes on
_CORE_MODULE = 0x11
_WITH_BOUND = (2, 3)
_VALUE = 2
_WITH_SUFFIX = 2
_LAST_KIND = 5
_INTERFACE = re.compile(r"([a-z0-9-]+):([a-z0-9-]+)/([a-z0-9-]+)(?:@([0-9A-Za-z.+-]+))?")


class InvalidComponentError(BadRequestError):
    """The file is no component."""


class Package(Struct, frozen=True):
    """
    Interfaces of one package that a component uses.

    Attributes:
        namespace, name: As in ``wasi:http``.
        version: None where none is given.
        interfaces: Names, sorted.
    """

    namespace: str
    name: str
    version: str | None
    interfaces: tuple[str, ...]


def read_packages(content: bytes) -> list[Package]:
    """
    List what a component imports and exports, by package.

    Args:
        content: The whole file. One of a core module, which has no interfaces, gives none.

    Raises:
        InvalidComponentError: It is neither, or broken.

    Spec:
        server/trail-components
    """
    if content.startswith(MODULE_HEADER):
        return []
    if not content.startswith(COMPONENT_HEADER):
        raise InvalidComponentError("no WebAssembly component")
    found: dict[tuple[str, str, str], set[str]] = {}
    try:
        for name in _names(content):
            parts = _INTERFACE.fullmatch(name)
            if parts is not None:
                namespace, package, interface, version = parts.groups()
                found.setdefault((namespace, package, version or ""), set()).add(interface)
    except (IndexError, UnicodeDecodeError) as exc:
        raise InvalidComponentError("a broken WebAssembly component") from exc
    return [
        Package(namespace, name, version or None, tuple(sorted(interfaces)))
        for (namespace, name, version), interfaces in sorted(found.items())
    ]


def _names(content: bytes) -> Iterator[str]:
    sections = _Reader(content, len(COMPONENT_HEADER), len(content))
    count = 0
    while sections.at < sections.end:
        kind = sections.byte()
        section = sections.part()
        if kind not in (_IMPORTS, _EXPORTS):
            continue
        for _ in range(section.number()):
            count += 1
            if count > MAX_NAMES:
                raise InvalidComponentError("too many imports and exports")
            yield section.name()
            if kind == _IMPORTS:
                section.skip_description()
            else:
                section.skip_export()


class _Reader:
    """A position in bytes; whatever would read beyond the end raises IndexError."""

    def __init__(self, content: bytes, at: int, end: int) -> None:
        self.content = content
        self.at = at
        self.end = end

    def byte(self) -> int:
        if self.at >= self.end:
            raise IndexError
        self.at += 1
        return self.content[self.at - 1]

    def number(self) -> int:
        """Read an unsigned LEB128 number."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & ~_MORE) << shift
            shift += 7
            if not byte & _MORE:
                return value
            if shift >= _MAX_BITS:
                raise IndexError

    def part(self) -> "_Reader":
        """Read a size and step over what has it."""
        size = self.number()
        if size > self.end - self.at:
            raise IndexError
        start, self.at = self.at, self.at + size
        return _Reader(self.content, start, self.at)

    def text(self) -> str:
        part = self.part()
        return part.content[part.at : part.end].decode()

    def name(self) -> str:
        kind = self.byte()
        name = self.text()
        if kind == _WITH_SUFFIX:
            self.text()
        return name

    def skip_description(self) -> None:
        kind = self.byte()
        if kind > _LAST_KIND or (kind == 0 and self.byte() != _CORE_MODULE):
            raise InvalidComponentError("an import or export of an unknown kind")
        if kind in _WITH_BOUND and self.byte() == 1 and kind != _VALUE:
            return  # a fresh resource type: nothing follows
        self.number()

    def skip_export(self) -> None:
        if self.byte() == 0:
            self.byte()
        self.number()
        if self.byte() == 1:
            self.skip_description()
