"""Requests to services, and what does not come back from them."""

import asyncio
import socket

import pytest

from trailbase_server.auth.oauth import outgoing
from trailbase_server.auth.oauth.outgoing import Outgoing
from trailbase_server.errors import DependencyError, UnavailableError


@pytest.fixture
def outside():
    return Outgoing()


async def get(outside, url, **more):
    async with outside.open() as http:
        return await http.get(url, **more)


async def test_json_and_who_we_are(outside, service):
    service.says("/me", {"id": 7})
    assert await get(outside, f"{service.url}/me", headers={"X-One": "1"}) == {"id": 7}
    headers = service.asked[0]["headers"]
    assert (headers["accept"], headers["user-agent"], headers["x-one"]) == (
        "application/json",
        "TrailBase",
        "1",
    )


async def test_a_form(outside, service):
    service.says("/token", {"ok": True})
    async with outside.open() as http:
        assert await http.post(f"{service.url}/token", {"code": "a&b"}) == {"ok": True}
    assert service.asked[0]["form"] == {"code": "a&b"}


@pytest.mark.case("T-76")
@pytest.mark.parametrize(
    ("body", "status"),
    [({"error": "invalid_grant"}, 400), ({}, 500), ({}, 302), ({}, 201), (b"<html>", 200)],
    ids=str,
)
async def test_anything_but_good_json_is_a_failure(outside, service, body, status):
    service.says("/me", body, status)
    service.says("/elsewhere", {"id": 7})
    with pytest.raises(DependencyError) as caught:
        await get(outside, f"{service.url}/me?token=hush")
    assert caught.value.public == ""
    assert "hush" not in caught.value.detail
    assert service.requests("/elsewhere") == []


async def test_the_services_reason_is_for_the_log(outside, service):
    service.says("/me", {"error": "invalid_grant"}, 400)
    with pytest.raises(DependencyError, match="invalid_grant"):
        await get(outside, f"{service.url}/me")


@pytest.mark.case("T-75")
async def test_a_large_answer_is_cut_off(outside, service):
    service.says("/me", b'"' + b"x" * outgoing.MAX_ANSWER_BYTES + b'"')
    with pytest.raises(DependencyError, match="too large"):
        await get(outside, f"{service.url}/me")


async def test_nothing_is_unpacked(outside, service):
    import gzip

    service.says("/me", gzip.compress(b'{"id": 7}'))
    with pytest.raises(DependencyError, match="no JSON"):
        await get(outside, f"{service.url}/me")
    assert service.asked[0]["headers"]["accept-encoding"] == "identity"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x", "gopher://x/", "http://[x/", "/x"])
async def test_nobody_there(outside, url):
    with pytest.raises(DependencyError) as caught:
        await get(outside, f"{url}?token=hush")
    assert "hush" not in caught.value.detail


@pytest.mark.case("T-75")
async def test_a_service_that_is_silent(outside, monkeypatch):
    monkeypatch.setattr(outgoing, "TOTAL_TIMEOUT_S", 0.2)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(DependencyError, match="too long"),
    ):
        await get(outside, f"http://127.0.0.1:{silent.getsockname()[1]}/")


async def test_only_so_many_at_once(outside, monkeypatch):
    monkeypatch.setattr(outgoing, "MAX_RUNNING", 1)
    async with outside.open():
        with pytest.raises(UnavailableError):
            async with outside.open():
                pass
    async with outside.open():  # the place is free again
        await asyncio.sleep(0)
