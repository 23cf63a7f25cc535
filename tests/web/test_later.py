import inspect
import sys

import pytest

from trailbase_server.admin import routes as admin_tables
from trailbase_server.auth.pages.routes import PAGE_ROUTES
from trailbase_server.auth.routes import ROUTES as AUTH_ROUTES
from trailbase_server.auth.routes import WELL_KNOWN_ROUTES
from trailbase_server.records.routes import ROUTES as RECORD_ROUTES
from trailbase_server.web.later import LaterHandler, later
from trailbase_server.web.response import Response


def handlers_of(*tables):
    """Those that are imported later, below whatever is wrapped around them."""
    for table in tables:
        for route in table:
            handler = inspect.unwrap(route.handler)
            if isinstance(handler, LaterHandler):
                yield handler


ADMIN = [getattr(admin_tables, name) for name in vars(admin_tables) if name.endswith("ROUTES")]
HANDLERS = list(handlers_of(*ADMIN, AUTH_ROUTES, WELL_KNOWN_ROUTES, PAGE_ROUTES))


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda one: f"{one.__module__}.{one.__name__}")
def test_every_handler_of_the_tables_is_a_function_of_state_and_request(handler):
    function = handler.resolve()
    assert inspect.isfunction(function)
    assert len(inspect.signature(function).parameters) == 2


def test_most_of_the_administration_and_of_the_pages_waits():
    assert len(HANDLERS) > 80


def test_what_is_hot_is_at_hand():
    assert not list(handlers_of(RECORD_ROUTES))


@pytest.fixture
def written(tmp_path, monkeypatch):
    """A module that says how often it was imported."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "written_handlers.py").write_text(
        "from trailbase_server.web.response import Response\n"
        "def tell(state, request):\n    return Response(200, (state + request).encode())\n"
        "async def tell_slowly(state, request):\n    return tell(state, request)\n"
    )
    yield "written_handlers"
    sys.modules.pop("written_handlers", None)


async def test_a_module_is_imported_by_the_first_call(written):
    module = later(written)
    tell, tell_slowly = module.tell, module.tell_slowly
    assert written not in sys.modules
    assert tell("a", "b").body == b"ab"
    assert written in sys.modules
    answer = await tell_slowly("c", "d")
    assert isinstance(answer, Response)
    assert answer.body == b"cd"
    assert tell.resolve() is sys.modules[written].tell


def test_a_name_that_is_not_there_shows_when_it_is_called(written):
    missing = later(written).missing
    with pytest.raises(AttributeError, match="missing"):
        missing(None, None)
