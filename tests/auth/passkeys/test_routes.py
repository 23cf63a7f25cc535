"""The table of routes, and that nothing a client sends is an error of the server."""

import copy
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.auth.passkeys.conftest import ORIGIN, PATH
from tests.passkey_device import Device, encode
from trailbase_server.auth.passkeys.routes import PASSKEY_ROUTES
from trailbase_server.auth.routes import ROUTES


def test_they_are_part_of_all_routes():
    assert set(PASSKEY_ROUTES) <= set(ROUTES)
    assert {route.audience for route in PASSKEY_ROUTES if "/login/" not in route.path} == {"user"}


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=30),
    st.binary(max_size=60).map(encode),
    st.sampled_from([{}, [], "x" * 40_000, "\x00", "public-key"]),
)


def places(value, path=()):
    """Where a JSON value can be spoilt."""
    yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(inner, (*path, name))


@pytest.fixture
def ceremonies(server):
    async def ceremonies():
        tokens = await server.login("nora")
        headers = {"refresh-token": tokens["refresh_token"]}
        options = {"bearer": tokens["auth_token"], "headers": headers}
        device = Device(ORIGIN)
        begun = await server.post(f"{PATH}/register/begin", {}, **options)
        made = device.create(begun.json)
        begun = await server.post(f"{PATH}/login/begin", {})
        return (
            ("/register/finish", {"credential": made, "name": "Key"}, options),
            ("/login/finish", {"credential": device.get(begun.json)}, {}),
        )

    return ceremonies


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(data=st.data())
async def test_spoilt_credentials_are_the_clients_mistake(data, server, ceremonies):
    for path, body, options in await ceremonies():
        place = data.draw(st.sampled_from(list(places(body))))
        leaf = data.draw(LEAVES)
        spoilt = copy.deepcopy(body)
        at = spoilt
        for name in place[:-1]:
            at = at[name]
        if place:
            at[place[-1]] = leaf
        else:
            spoilt = leaf
        answer = await server.post(PATH + path, spoilt, **options)
        assert answer.status < 500, json.dumps(spoilt)
