"""The table of routes."""

from trailbase_server.auth.routes import BASE, ROUTES
from trailbase_server.errors import AppError


def test_operations_are_unique_and_documented():
    assert len({route.operation for route in ROUTES}) == len(ROUTES)
    for route in ROUTES:
        assert route.operation
        assert route.summary.endswith(".")
        assert route.tag == "auth"
        assert route.path.startswith(f"{BASE}/")
        assert all(issubclass(error, AppError) for error in route.errors)


def test_what_changes_an_account_needs_its_owner():
    audiences = {route.path.removeprefix(BASE): route.audience for route in ROUTES}
    assert audiences["/change_password"] == audiences["/delete"] == "user"
