"""``routes.md``: every operation of the server, by area."""

from collections.abc import Iterator

from trailbase_server.server import app
from trailbase_server.web.route import Route

from .markdown import code, first_sentence, table
from .source import all_modules, constants_of

HEAD = """\
# Routes

Who may call: *nobody* in particular (credentials are not looked at), *anyone* (credentials count
if they are valid), a *user* (401 without valid credentials), an *admin* (401, 403, and 400 without
the `CSRF-Token` header). What a record API itself allows comes on top. Every GET also answers
HEAD. A body above the limit is refused with 413 before anything else; a database that is busy or
full is a 503. *Refuses with* lists what else the operation may say.
"""
Table = tuple[Route, ...]


def render_routes() -> str:
    """Render the page."""
    by_tag: dict[str, list[tuple[Route, str]]] = {}
    for routes, note in route_tables():
        for route in routes:
            by_tag.setdefault(route.tag, []).append((route, note))
    return "\n".join((HEAD, *(_render_tag(tag, found) for tag, found in by_tag.items())))


def route_tables() -> Iterator[tuple[Table, str]]:
    """All tables that the application is made of, each with what is said about it."""
    notes = {
        id(constant.value): constant.reason
        for module in all_modules()
        for constant in constants_of(module)
        if _is_table(constant.value)
    }
    for value in vars(app).values():
        if _is_table(value):
            yield value, notes[id(value)]


def _is_table(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(v, Route) for v in value)


def _render_tag(tag: str, found: list[tuple[Route, str]]) -> str:
    rows = [
        (
            f"{code(route.method)} {code(route.path)}",
            route.summary,
            route.audience,
            ", ".join(str(status) for status in sorted({e.status for e in route.errors})),
            code(route.operation),
        )
        for route, _ in found
    ]
    notes = [
        f"{', '.join(code(r.path) for r, n in found if n == note)}: {first_sentence(note)}"
        for note in dict.fromkeys(note for _, note in found)
        if note
    ]
    head = ("request", "what it does", "who", "refuses with", "operation")
    return "\n\n".join((f"## {tag}", table(head, rows).rstrip(), *notes)) + "\n"
