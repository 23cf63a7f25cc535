"""
The grammar of the ``Forwarded`` header (RFC 7239): who asked for what, as each proxy on the way saw
it.

.. code-block:: text

    Forwarded = element *( "," element )       one a proxy, the nearest to us last
    element   = [ pair ] *( ";" [ pair ] )
    pair      = token "=" ( token / quoted-string )

Names are case-insensitive and occur once in an element. Blanks are allowed around every separator,
and a value may hold the characters of an address or a host without quotes: many proxies forget
them.
"""

import re

# Without quotes: what tokens and addresses are made of. Each part ends where another begins, so
# matching is linear.
_BARE = r"[!#$%&'*+.^_`|~0-9A-Za-z:\[\]/-]+"
_QUOTED = r'"(?:[^"\\\r\n]|\\[^\r\n])*"'
_PAIR = re.compile(
    rf"[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*({_QUOTED}|{_BARE})[ \t]*)?([;,]|\Z)"
)
_ESCAPED = re.compile(r"\\(.)")

Element = dict[str, str]
"""Values by name in lower case, without quotes."""


def parse_forwarded(value: str) -> list[Element]:
    """
    Parse the header.

    Args:
        value: Of all headers of that name in their order, joined by commas.

    Returns:
        One element a proxy, in the order written; empty ones are left out.

    Raises:
        ValueError: It is malformed: then nothing of it is to be believed.
    """
    elements: list[Element] = []
    element: Element = {}
    at = 0
    while True:
        found = _PAIR.match(value, at)
        if found is None:
            raise ValueError("malformed Forwarded header")
        name, text, end = found.groups()
        if name is not None:
            name = name.lower()
            if name in element:
                raise ValueError(f"{name} occurs twice")
            element[name] = _ESCAPED.sub(r"\1", text[1:-1]) if text.startswith('"') else text
        if end != ";":
            if element:
                elements.append(element)
                element = {}
            if not end:
                return elements
        at = found.end()
