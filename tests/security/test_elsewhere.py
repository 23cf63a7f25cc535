"""Ways that lead away from the site or come from another one: targets, mails, foreign pages."""

from email import message_from_bytes
from itertools import product
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest

from tests.security.conftest import AUTH, SITE
from trailbase_server.auth.routes import ROUTES
from trailbase_server.auth.totp import new_secret
from trailbase_server.server.app import build_application

EVIL = (
    "//evil.test",
    "/\\evil.test",
    "/\t/evil.test",
    "\\\\evil.test",
    "https:evil.test",
    "https://quay.test@evil.test/",
    f"{SITE}.evil.test/",
    f"{SITE}:8443/",
    "http://quay.test/",
    "https://evil.test/#https://quay.test/",
    "javascript:alert(1)",
    "data:text/html,x",
    "otherapp://x",
    "/ok\r\nSet-Cookie: a=b",
    "/a\0b",
)
TARGETS = ("redirect_uri", "err_redirect_uri", "mfa_redirect_uri")
PLACES = {
    # Every operation that sends browsers on: what it reads, and what else it needs.
    ("POST", "/login"): ({"username": "nora", "password": "NORA-pass-77"}, (0, 2)),
    ("POST", "/register"): (
        {"email": "n@quay.test", "password": "x" * 9, "password_repeat": "x" * 9},
        (0, 1),
    ),
    ("POST", "/login_mfa"): ({"mfa_token": "x", "totp": "000000"}, (0, 1, 2)),
    ("POST", "/otp/request"): ({"email": "nora@quay.test"}, (0,)),
    ("POST", "/otp/login"): ({"email": "nora@quay.test", "code": "x"}, (0, 1, 2)),
    ("POST", "/login_anonymous"): ({}, (0,)),
    ("POST", "/promote_anonymous"): ({"new_password": "x" * 9, "new_email": "a@b.test"}, (0, 1)),
    ("POST", "/change_password"): ({"old_password": "x", "new_password": "y" * 9}, (0, 1)),
    ("POST", "/change_username"): ({"new_username": "other"}, (0, 1)),
    ("POST", "/change_email/request"): ({"new_email": "a@b.test"}, (0,)),
    ("POST", "/reset_password/request"): ({"email": "nora@quay.test"}, (0,)),
    ("POST", "/reset_password/update"): (
        {"password": "x" * 9, "password_repeat": "x" * 9, "password_reset_token": "x"},
        (0, 1),
    ),
    ("GET", "/verify_email/trigger"): ({"email": "pending@quay.test"}, (0,)),
    ("GET", "/logout"): ({}, (0,)),
}


async def send(quay, place, fields, token, csrf):
    method, path = place
    headers = {"csrf-token": csrf}
    if method == "GET":
        return await quay.ask(method, AUTH + path, params=fields, bearer=token, headers=headers)
    return await quay.ask(method, AUTH + path, data=fields, bearer=token, headers=headers)


@pytest.mark.case("T-71")
async def test_no_parameter_leads_away(quay):
    session = await quay.log_in()
    for place, (fields, which) in PLACES.items():
        for name, target in product((TARGETS[index] for index in which), EVIL):
            answer = await send(
                quay, place, {**fields, name: target}, session["auth_token"], session["csrf_token"]
            )
            assert answer.status_code == 400, (place, name, target, answer.status_code)
            assert "location" not in answer.headers
    assert quay.mails == []


@pytest.mark.case("T-71")
async def test_what_was_checked_is_what_is_used(quay):
    secret = new_secret()
    await quay.run("UPDATE _user SET totp_secret = ?1 WHERE username = 'boss'", secret)
    for who in ("nora", "boss"):
        body = {
            "username": who,
            "password": f"{who.upper()}-pass-77",
            "redirect_uri": "https://evil.test/a",
            "mfa_redirect_uri": "https://evil.test/b",
        }
        query = {"redirect_uri": "/ok", "mfa_redirect_uri": "/mfa"}
        answer = await quay.ask("POST", f"{AUTH}/login", params=query, data=body)
        assert answer.status_code == 303
        assert answer.headers["location"].partition("?")[0] in ("/ok", "/mfa")
        assert "evil" not in answer.headers["location"]


@pytest.mark.case("T-72")
async def test_nothing_is_injected_into_a_target(quay):
    body = {"username": "nora", "password": "wrong", "redirect_uri": "/in?next=/a&alert=mine#top"}
    answer = await quay.post("/login", data=body)
    parts = urlsplit(answer.headers["location"])
    assert (parts.path, parts.fragment) == ("/in", "top")
    assert parse_qs(parts.query)["next"] == ["/a"]
    assert parse_qs(parts.query)["alert"][-1].startswith("Login Failed")


@pytest.mark.case("T-74")
@pytest.mark.parametrize("cookie", [None, "", "x", "a.b.c", "x" * 9000])
async def test_nobody_comes_back_who_was_not_sent(quay, cookie):
    jar = {} if cookie is None else {"oauth_state": cookie}
    for provider in ("discord", "oidc0", "nobody"):
        path = f"{AUTH}/oauth/{provider}/callback"
        answer = await quay.ask("GET", path, params={"code": "c", "state": "s"}, jar=jar)
        assert answer.status_code in (400, 405)
    assert [row[0] for row in await quay.depot.database.query("SELECT count(*) FROM _user")] == [3]


FOREIGN = (
    {"origin": "https://evil.test"},
    {"origin": "null"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
    {},
)
CHANGES = (
    ("POST", "/change_email/request", {"new_email": "thief@quay.test"}),
    ("POST", "/change_username", {"new_username": "stolen"}),
    ("POST", "/totp/unregister", {"totp": "000000"}),
    ("POST", "/totp/confirm", {"totp_url": "otpauth://totp/x", "totp": "000000"}),
    ("POST", "/totp/recovery_codes", {"totp": "000000"}),
    ("POST", "/promote_anonymous", {"new_email": "t@quay.test", "new_password": "stolen-one-1"}),
    ("POST", "/avatar", {}),
    ("DELETE", "/avatar", None),
    ("DELETE", "/sessions", None),
    ("DELETE", "/sessions/1", None),
    ("DELETE", "/delete", None),
    ("POST", "/oauth/discord/link", {}),
    ("DELETE", "/oauth/discord/link", None),
)


@pytest.mark.case("T-77")
async def test_a_foreign_page_changes_nothing(quay):
    jar = await quay.log_in_browser()
    before = await quay.find()
    for (method, path, fields), headers in product(CHANGES, FOREIGN):
        answer = await quay.ask(method, AUTH + path, data=fields, jar=jar, headers=headers)
        assert answer.status_code in (400, 401, 415), (path, headers, answer.status_code)
    assert await quay.find() == before
    token = {"refresh_token": jar["refresh_token"]}
    assert (await quay.post("/refresh", token)).status_code == 200
    assert quay.mails == []


# They have their own secret, or do nothing that a stranger could not do.
OPEN_TO_FOREIGN_PAGES = {
    *("/register", "/login", "/login_mfa", "/token", "/refresh", "/logout", "/login_anonymous"),
    *("/otp/request", "/otp/login", "/reset_password/request", "/reset_password/update"),
    "/change_email",  # bearer tokens only
    "/change_password",  # whoever knows the old one means it
    "/oauth/{provider}/callback",
}


@pytest.mark.case("T-77")
def test_every_change_is_tried():
    listed = {(method, path) for method, path, _ in CHANGES}
    for route in ROUTES:
        path = route.path.removeprefix(AUTH)
        if route.method != "GET" and path not in OPEN_TO_FOREIGN_PAGES:
            place = (route.method, path.replace("{id}", "1").replace("{provider}", "discord"))
            assert place in listed or "/passkey" in path, place


@pytest.mark.case("T-77")
async def test_the_short_way_to_change_an_address_wants_a_header(quay):
    jar = await quay.log_in_browser()
    answer = await quay.post("/change_email", {"new_email": "thief@quay.test"}, jar=jar)
    assert answer.status_code in (400, 401)
    assert quay.mails == []


@pytest.mark.case("T-77")
async def test_cookies_stay_with_the_site_and_away_from_scripts(quay):
    body = {"username": "nora", "password": "NORA-pass-77", "redirect_uri": "/"}
    answer = await quay.post("/login", data=body)
    cookies = answer.headers.get_list("set-cookie")
    assert len(cookies) == 2
    for cookie in cookies:
        for attribute in ("HttpOnly", "SameSite=Strict", "Secure", "Path=/"):
            assert attribute.lower() in cookie.lower(), cookie


@pytest.mark.case("T-78")
@pytest.mark.parametrize("origin", ["null", "https://evil.test", f"{SITE}.evil.test"])
async def test_foreign_origins_get_no_permission_to_use_credentials(quay, origin):
    preflight = {"origin": origin, "access-control-request-method": "POST"}
    for path in (f"{AUTH}/login", f"{AUTH}/status", "/api/_admin/info"):
        for method in ("OPTIONS", "GET"):
            answer = await quay.ask(method, path, headers=preflight)
            assert "access-control-allow-credentials" not in answer.headers


FORGED = {
    "host": "evil.test",
    "x-forwarded-host": "evil.test",
    "x-forwarded-proto": "http",
    "forwarded": "host=evil.test;proto=http",
    "x-original-host": "evil.test",
    "origin": "https://evil.test",
    "referer": "https://evil.test/",
}


@pytest.mark.case("T-79")
async def test_forged_hosts_do_not_get_into_mails(quay):
    for path, body in (
        ("/register", {"email": "n@quay.test", "password": "x" * 9, "password_repeat": "x" * 9}),
        ("/otp/request", {"email": "nora@quay.test"}),
        ("/reset_password/request", {"email": "nora@quay.test"}),
    ):
        assert (await quay.post(path, body, headers=FORGED)).status_code == 200
    assert len(quay.mails) == 3
    mailer = quay.depot.mailer
    for mail in quay.mails:
        message = message_from_bytes(mailer._write(mailer.settings, *mail).content)
        parts = [
            part.get_payload(decode=True).decode()
            for part in message.walk()
            if part.is_multipart() is False
        ]
        assert all(SITE in part for part in parts)
        assert "evil" not in message.as_string() + "".join(parts)


@pytest.mark.case("T-79")
@pytest.mark.parametrize("target", ["https://evil.test/x", "https://evil.test"])
async def test_a_forged_host_does_not_make_its_site_ours(quay, target):
    body = {"username": "nora", "password": "NORA-pass-77", "redirect_uri": target}
    assert (await quay.post("/login", data=body, headers=FORGED)).status_code == 400


@pytest.mark.case("T-80")
async def test_a_far_client_does_not_choose_its_address(quay):
    forged = (
        {"x-forwarded-for": "9.9.9.{}"},
        {"x-forwarded-for": "9.9.9.{}, 8.8.8.8"},
        {"x-real-ip": "9.9.9.{}"},
        {"cf-connecting-ip": "9.9.9.{}"},
        {"true-client-ip": "9.9.9.{}"},
        {"forwarded": "for=9.9.9.{}"},
    )
    quay.auth.address_limit.burst = 3
    far = httpx.ASGITransport(build_application(quay.depot), client=("93.184.216.34", 4000))
    async with httpx.AsyncClient(transport=far, base_url=SITE) as web:
        statuses = []
        for number, pattern in enumerate(forged):
            headers = {name: value.format(number) for name, value in pattern.items()}
            body = {"refresh_token": "x"}
            answer = await web.post(f"{AUTH}/refresh", json=body, headers=headers)
            statuses.append(answer.status_code)
    assert statuses == [401] * 3 + [429] * 3


@pytest.mark.case("T-76")
async def test_nothing_a_client_sends_is_fetched(quay, monkeypatch):
    asked = []

    def no_way_out(*args, **kwargs):
        asked.append(args)
        raise OSError

    monkeypatch.setattr("asyncio.base_events.BaseEventLoop.create_connection", no_way_out)
    monkeypatch.setattr("socket.create_connection", no_way_out)
    for inner in (
        "http://169.254.169.254/latest",
        "http://127.0.0.1:1/",
        "http://[::ffff:127.0.0.1]/",
        "http://2130706433/",
        "http://0177.0.0.1/",
    ):
        for name in (*TARGETS, "jwks_uri", "issuer", "avatar", "picture", "provider"):
            await quay.ask("GET", f"{AUTH}/oauth/{quote(inner, safe='')}/login")
            await quay.ask("GET", f"{AUTH}/oauth/oidc0/login", params={name: inner})
            await quay.post("/login", {"username": "nora", "password": "x", name: inner})
    assert asked == []
