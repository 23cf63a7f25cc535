import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.web.response import empty
from trailbase_server.web.route import BoundRoute, Route
from trailbase_server.web.router import Router


def handler(state, request):
    return empty()


def routed(*specs):
    routes = (spec.split(" ") for spec in specs)
    return Router(BoundRoute(Route(method, path, handler), None) for method, path in routes)


ROUTER = routed(
    "GET /a/{x}", "GET /a/fixed", "POST /a/fixed", "GET /a/{x}/b", "DELETE /a/{x}", "GET /"
)


@pytest.mark.parametrize(
    ("method", "path", "route", "params"),
    [
        ("GET", "/a/1", "/a/{x}", {"x": "1"}),
        ("HEAD", "/a/1", "/a/{x}", {"x": "1"}),
        ("GET", "/a/fixed", "/a/fixed", {}),
        ("GET", "/a/fixed/b", "/a/{x}/b", {"x": "fixed"}),
        ("GET", "/a/%2F%C3%A4", "/a/{x}", {"x": "/ä"}),
        ("GET", "/", "/", {}),
    ],
)
def test_a_path_finds_its_route(method, path, route, params):
    bound, found = ROUTER.match(method, path)
    assert (bound.route.path, found) == (route, params)


def test_a_wrong_method_gets_the_right_ones():
    assert ROUTER.match("PUT", "/a/1") == ["DELETE", "GET", "HEAD"]


@pytest.mark.parametrize("path", ["/a", "/a/", "/b", "/a/1/", "/a/1/c", "//", ""])
def test_an_unknown_path_finds_nothing(path):
    assert ROUTER.match("GET", path) is None


def test_two_handlers_for_one_route_are_refused():
    with pytest.raises(ValueError, match="two handlers"):
        routed("GET /a/{x}", "GET /a/{y}")


@given(st.text(max_size=40))
def test_no_path_is_an_accident(path):
    found = ROUTER.match("GET", "/" + path)
    assert found is None or isinstance(found, tuple | list)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/x",
        "/api/v1/x/1",
        "/api/v1/x/schema",
        "/api/v1",
        "/api/v1/",
        "/api/v1//",
        "/other/x",
    ],
)
def test_the_short_way_to_hot_routes_leads_to_the_same_places(path):
    specs = ["/api/v1/{a}", "/api/v1/{a}/{b}", "/api/v1/{a}/schema", "/other/{a}", "/api/v2/{a}"]
    plain = Router(BoundRoute(Route("GET", spec, handler), None) for spec in specs)
    hot = Router(BoundRoute(Route("GET", spec, handler, hot=True), None) for spec in specs)
    left, right = plain.match("GET", path), hot.match("GET", path)
    assert hot._prefix == "/api/v1/"
    assert (left is None) == (right is None)
    if left is not None:
        assert (left[0].route.path, left[1]) == (right[0].route.path, right[1])


FENCED = routed("GET /a/b", "POST /a/b", "* /a", "GET /ab")


@pytest.mark.parametrize(
    ("method", "path", "route", "params"),
    [
        ("GET", "/a", "/a", {}),
        ("GET", "/a/", "/a", {}),
        ("PUT", "/a/x/y", "/a", {}),
        ("PUT", "/a/b", "/a", {"allow": "GET,HEAD,POST"}),
        ("HEAD", "/a/b", "/a/b", {}),
    ],
)
def test_a_fence_gets_what_no_other_route_answers(method, path, route, params):
    bound, found = FENCED.match(method, path)
    assert (bound.route.path, found) == (route, params)


def test_a_fence_leaves_alone_what_is_not_below_it():
    assert FENCED.match("GET", "/abc") is None
    assert FENCED.match("OPTIONS", "/a/b") == ["GET", "HEAD", "POST"]
    assert FENCED.match("PUT", "/ab") == ["GET", "HEAD"]
