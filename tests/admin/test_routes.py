import pytest

from trailbase_server.admin.routes import ROUTES, USER_ROUTES
from trailbase_server.web.route import bind_routes
from trailbase_server.web.router import Router


@pytest.mark.case("T-36")
@pytest.mark.parametrize(
    "route", ROUTES + USER_ROUTES, ids=lambda route: f"{route.method} {route.path}"
)
def test_every_operation_is_for_administrators_and_described(route):
    assert route.audience == "admin"
    assert route.path.startswith("/api/_admin/")
    assert route.operation
    assert route.summary.endswith(".")
    assert route.tag == "admin"


def test_operations_have_the_names_of_the_wire():
    names = {
        (route.method, route.path.removeprefix("/api/_admin")): route.operation for route in ROUTES
    }
    assert names[("GET", "/config")] == "get_config_handler"
    assert names[("POST", "/config")] == "update_config_handler"
    assert names[("GET", "/info")] == "info_handler"
    assert names[("GET", "/public_key")] == "get_public_key"
    assert names[("GET", "/tables")] == "list_tables_handler"


def test_they_do_not_collide():
    router = Router(bind_routes(ROUTES + USER_ROUTES, None))
    assert router.match("PUT", "/api/_admin/config") == ["GET", "HEAD", "POST"]
