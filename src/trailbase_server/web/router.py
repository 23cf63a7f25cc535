"""
Find the route of a request: one dictionary look-up per path segment, built once from the table of
routes.

A literal segment wins over a ``{name}``. Segments are split before they are percent-decoded, so an
encoded slash stays inside its segment. There is no tolerance for trailing slashes (spec
records/routes).

A route of the method ``*`` is a fence: it gets whatever below its path no other route answers.
"""

from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from trailbase_server.web.route import BoundRoute

Match = tuple[BoundRoute, dict[str, str]]
_NAME = "{}"
ANY_METHOD = "*"
ALLOW = "allow"  # parameter of a fence: what the ``Allow`` header says if the path is known


class _Node:
    __slots__ = ("literals", "methods", "wildcard")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.wildcard: _Node | None = None
        self.methods: dict[str, tuple[BoundRoute, tuple[str, ...]]] = {}


class Router:
    """
    The compiled table of routes.

    Args:
        routes: All operations of the server.

    Raises:
        ValueError: Two routes have the same method and path.
    """

    def __init__(self, routes: Iterable[BoundRoute]) -> None:
        self.routes = tuple(routes)
        self._root = _Node()
        self._fences: dict[str, BoundRoute] = {}
        for bound in self.routes:
            if bound.route.method == ANY_METHOD:
                self._fences[bound.route.path] = bound
            else:
                self._add(bound)
        self._prefix, self._inner = self._longest_way()

    def _add(self, bound: BoundRoute) -> None:
        node = self._root
        names: list[str] = []
        for segment in bound.route.path.split("/")[1:]:
            if segment.startswith("{"):
                names.append(segment[1:-1])
                if node.wildcard is None:
                    node.wildcard = _Node()
                node = node.wildcard
            else:
                node = node.literals.setdefault(segment, _Node())
        if bound.route.method in node.methods:
            raise ValueError(f"two handlers for {bound.route.method} {bound.route.path}")
        node.methods[bound.route.method] = (bound, tuple(names))

    def _longest_way(self) -> tuple[str, _Node]:
        """
        Find the node where most hot routes begin to differ, to start there.

        On the way there is no wildcard, so whoever has the prefix gets there anyway.
        """
        hot = [bound.route.path.split("/{", 1)[0] + "/" for bound in self.routes if bound.route.hot]
        if not hot:
            return "", self._root
        prefix = max(set(hot), key=hot.count)
        node = self._root
        for segment in prefix.split("/")[1:-1]:
            if node.wildcard is not None:
                return "", self._root
            node = node.literals[segment]
        return prefix, node

    def match(self, method: str, raw_path: str) -> Match | list[str] | None:
        """
        Look a request up.

        Args:
            method: Upper case; ``HEAD`` is looked up as ``GET``.
            raw_path: Path as received, still percent-encoded.

        Returns:
            Route and decoded parameters; the allowed methods if only the method does not fit; None
            for an unknown path. The latter two only where no fence stands.
        """
        found = self._look_up(method, raw_path)
        if self._fences and not isinstance(found, tuple) and method != "OPTIONS":
            for path, bound in self._fences.items():
                if raw_path == path or raw_path.startswith(f"{path}/"):
                    return bound, {} if found is None else {ALLOW: ",".join(found)}
        return found

    def _look_up(self, method: str, raw_path: str) -> Match | list[str] | None:
        values: list[str] = []
        prefix = self._prefix
        if prefix and raw_path.startswith(prefix):
            node = self._find(self._inner, raw_path[len(prefix) :].split("/"), 0, values)
        else:
            node = self._find(self._root, raw_path.split("/"), 1, values)
        if node is None:
            return None
        found = node.methods.get("GET" if method == "HEAD" else method)
        if found is None:
            return allowed_methods(node.methods)
        bound, names = found
        # As many names as values, by construction; ``strict`` would cost more than the rest.
        return bound, dict(zip(names, values))  # noqa: B905

    def _find(self, node: _Node, segments: list[str], at: int, values: list[str]) -> _Node | None:
        while at < len(segments):
            segment = segments[at]
            at += 1
            literal = node.literals.get(segment)
            if literal is None:
                if node.wildcard is None or not segment:
                    return None
                values.append(_decode(segment) if "%" in segment else segment)
                node = node.wildcard
            elif node.wildcard is None:
                node = literal
            else:
                # Both fit: the literal first, the wildcard if that leads nowhere.
                found = self._find(literal, segments, at, values)
                if found is not None:
                    return found
                values.append(segment)
                node = node.wildcard
        return node if node.methods else None


def allowed_methods(methods: Iterable[str]) -> list[str]:
    """What the ``Allow`` header says: GET also means HEAD."""
    names = sorted(methods)
    if "GET" in names:
        names.insert(names.index("GET") + 1, "HEAD")
    return names


def _decode(segment: str) -> str:
    return unquote_to_bytes(segment).decode("utf-8", "replace")
