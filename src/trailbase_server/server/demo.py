"""
A demo: anybody may log in as an administrator, look around and try things, and spoil nothing.

What an administrator may change is refused in one place, unless it is listed here as harmless; so a
new operation is refused until somebody has thought about it. What accounts may not do in a demo is
in ``auth``, what is hidden in the access log in ``logs``.
"""

from dataclasses import replace

from trailbase_server.errors import PreconditionError
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response
from trailbase_server.web.route import BoundRoute

HARMLESS = frozenset(
    (
        "query_handler",  # only reads in a demo
        "parse_handler",
        "refuse_unknown_handler",
        "run_job_handler",
        "create_table_handler",
        "create_index_handler",
        "insert_row_handler",
        "update_row_handler",  # these look at the table: those of the server stay as they are
        "delete_row_handler",
        "delete_rows_handler",
    )
)
"""What changes nothing that others depend on."""

PRIVATE = frozenset(("list_audit_handler", "export_audit_handler"))
"""What tells visitors the addresses of other visitors."""

_READING = frozenset(("GET", "HEAD"))


def fence_demo(routes: list[BoundRoute]) -> list[BoundRoute]:
    """
    Have all operations refused with which visitors of a demo could spoil it.

    Args:
        routes: All that the server offers.

    Spec:
        server/demo
        admin-api/demo-mode-demo
    """
    return [_fenced(bound) if _is_spoiling(bound) else bound for bound in routes]


def _is_spoiling(bound: BoundRoute) -> bool:
    route = bound.route
    if route.audience != "admin":
        return False
    if route.method in _READING:
        return route.operation in PRIVATE
    return route.operation not in HARMLESS


def _fenced(bound: BoundRoute) -> BoundRoute:
    return replace(bound, route=replace(bound.route, handler=_refuse))


async def _refuse(_state: object, _request: Request) -> Response:
    raise PreconditionError("precondition failed: Disallowed in demo")
