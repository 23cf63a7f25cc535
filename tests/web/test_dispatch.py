import pytest

TOKEN_OF_BOSS = "CSRF-Token: csrf-of-boss"


@pytest.mark.case("T-36")
@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "body"),
    [
        ("GET", "/user", [], 401, ""),
        ("GET", "/user", ["Authorization: Bearer forged"], 401, ""),
        ("GET", "/user", ["Authorization: Basic alice"], 401, ""),
        ("GET", "/user", ["Authorization: Bearer alice"], 200, "alice@web.test"),
        ("GET", "/user", ["Cookie: who=alice"], 200, "alice@web.test"),
        ("GET", "/nobody", ["Authorization: Bearer alice"], 200, "anonymous"),
        ("POST", "/admin", [], 401, ""),
        ("POST", "/admin", ["Authorization: Bearer alice", TOKEN_OF_BOSS], 403, ""),
        ("POST", "/admin", ["Authorization: Bearer boss"], 400, "admin APIs require csrf header"),
        (
            "POST",
            "/admin",
            ["Authorization: Bearer boss", "CSRF-Token: x"],
            400,
            "invalid CSRF token",
        ),
        ("POST", "/admin", ["Authorization: Bearer boss", TOKEN_OF_BOSS], 200, "boss@web.test"),
    ],
)
async def test_who_gets_in(client, method, path, headers, status, body):
    answer = await client.ask(method, path, headers)
    assert answer[0] == status
    assert body in answer[2]
    assert bool(body) == bool(answer[2])


async def test_what_a_handler_says_of_a_cookie_comes_after_what_its_refresh_says(client):
    raw = await client.raw(
        b"GET /logout HTTP/1.1\r\nHost: x\r\nCookie: who=alice\r\nConnection: close\r\n\r\n"
    )
    assert raw.index("auth_token=new") < raw.index("auth_token=; Max-Age=0")
