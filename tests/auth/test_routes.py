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


async def test_posts_of_one_client_are_limited(server, state, config):
    state.configure(config, None, 2)
    for _ in range(2):
        answer = await server.post("/refresh", {"refresh_token": "x"})
        assert answer.status == 401
        assert answer.header(b"x-ratelimit-limit") == "2"
    answer = await server.post("/login", {"username": "nora", "password": "NORA-pass-77"})
    assert (answer.status, answer.text) == (429, "Too Many Requests! Wait for 1s")
    assert answer.header(b"retry-after") == "1"
    answer = await server.get("/status")
    assert answer.status == 200
    assert answer.header(b"x-ratelimit-whitelisted") == "true"


async def test_nobody_is_limited_otherwise(server, state, config):
    answer = await server.get("/status")
    assert answer.header(b"x-ratelimit-whitelisted") is None
    state.dev = True
    state.configure(config, None, 1)
    for _ in range(3):
        assert (await server.post("/refresh", {"refresh_token": "x"})).status == 401
