"""Logging in: identifiers, bodies, where failures go, locks, the second factor."""

from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

RIGHT = "NORA-pass-77"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def credentials(who="nora", **more):
    return {"email_or_username": who, "password": f"{who.upper()}-pass-77", **more}


@pytest.mark.parametrize(
    "identifier",
    [
        {"email_or_username": "nora@auth.test"},
        {"email_or_username": "nora"},
        {"email": " NORA@auth.test "},
        {"username": " Nora "},
        {"email_or_username": "nora", "email": "lena@auth.test", "username": "solo"},
        {"email": "nora@auth.test", "username": "solo"},
        {"email_or_username": None, "email": None, "username": "nora"},
    ],
)
async def test_by_any_identifier(server, identifier):
    answer = await server.post("/login", {**identifier, "password": RIGHT})
    assert answer.status == 200
    assert list(answer.json) == ["auth_token", "refresh_token", "csrf_token"]
    claims = jwt.decode(answer.json["auth_token"], options={"verify_signature": False})
    assert (claims["email"], claims["username"]) == ("nora@auth.test", "nora")
    assert claims["csrf_token"] == answer.json["csrf_token"]
    assert len(answer.json["refresh_token"]) == 86
    assert answer.cookies == []


@pytest.mark.case("T-09")
@pytest.mark.parametrize(
    "body",
    [
        {"username": "nora", "password": "wrong"},
        {"username": "nora", "password": ""},
        {"username": "solo", "password": " SOLO-pass-77"},
        {"email": "nobody@auth.test", "password": RIGHT},
        {"username": "nobody", "password": RIGHT},
        {"email": "pending@auth.test", "password": "PENDING-pass-77"},
        {"username": "pending", "password": "PENDING-pass-77"},
        {"email": "linked@auth.test", "password": ""},
        {"username": "nora", "password": "a" * 1_000_000},
    ],
)
async def test_all_failures_are_401_without_a_word(server, body):
    answer = await server.post("/login", body)
    assert (answer.status, answer.content) == (401, b"")


@pytest.mark.parametrize(
    "body",
    [
        {"email": "nora", "password": RIGHT},
        {"username": "nora@auth.test", "password": RIGHT},
        {"password": RIGHT},
        {"username": "nora"},
        {"username": "nora", "password": 77},
        {"email_or_username": "", "password": "x"},
        {"username": "nora' OR '1'='1", "password": "x"},
        {"username": "no\0ra", "password": "x"},
        {"username": {"$ne": None}, "password": "x"},
        {"username": "a" * 1_000_000, "password": "x"},
        credentials(redirect_uri="https://evil.test/"),
        credentials(response_type="id_token"),
        [],
    ],
)
async def test_malformed_bodies(server, body):
    answer = await server.post("/login", body)
    assert answer.status == 400
    assert answer.content


@pytest.mark.case("T-07")
async def test_a_stale_bearer_token_does_not_matter(server):
    assert (await server.post("/login", credentials(), bearer="x.y.z")).status == 200


async def test_a_form_gets_cookies_and_goes_on(server):
    answer = await server.post("/login", form=credentials(redirect_uri="/home"))
    assert (answer.status, answer.location) == (303, "/home")
    assert set(answer.jar) == {"auth_token", "refresh_token"}
    answer = await server.post("/login", query={"redirect_uri": "/query"}, form=credentials())
    assert answer.location == "/query"


@pytest.mark.case("T-71")
async def test_only_the_merged_target_counts(server):
    for body in (credentials(), credentials("nobody")):
        answer = await server.post(
            "/login",
            query={"redirect_uri": "/query"},
            form={**body, "redirect_uri": "https://evil.test/steal"},
        )
        assert answer.location.startswith("/query")


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/login", "/login?alert=Login+Failed%3A+401+Unauthorized"),
        ("/login?a=1", "/login?a=1&alert=Login+Failed%3A+401+Unauthorized"),
    ],
)
async def test_a_failed_form_goes_back_with_the_reason(server, target, location):
    for who in ("nobody", "pending"):
        form = {"username": who, "password": "x", "redirect_uri": target}
        answer = await server.post("/login", form=form)
        assert (answer.status, answer.location, answer.cookies) == (303, location, [])


async def test_a_failed_form_without_target_is_a_plain_401(server):
    answer = await server.post("/login", form={"username": "solo", "password": "x"})
    assert (answer.status, answer.location) == (401, None)


async def test_malformed_forms_are_never_redirected(server):
    for form in (
        {"email": "nobody", "password": "x", "redirect_uri": "/login"},
        {"username": "nora", "password": "x", "redirect_uri": "https://evil.test"},
        {"username": "nora", "password": "x", "redirect_uri": ""},
    ):
        assert (await server.post("/login", form=form)).status == 400


async def test_a_repeated_field_is_refused(server):
    answer = await server.post(
        "/login",
        body=b"username=nora&username=lena&password=x",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert answer.status == 400


async def test_three_failures_lock_the_account_by_every_name(server, clock):
    for _ in range(3):
        answer = await server.post("/login", {"username": "nora", "password": "x"})
        assert answer.status == 401
    for identifier in ({"username": "nora"}, {"email": "NORA@auth.test"}):
        answer = await server.post("/login", {**identifier, "password": RIGHT})
        assert (answer.status, answer.content) == (429, b"")
    answer = await server.post("/login", form=credentials(redirect_uri="/login"))
    assert answer.location == "/login?alert=Login+Failed%3A+429+Too+Many+Requests"
    assert (await server.post("/login", credentials("solo"))).status == 200
    clock.advance(61)
    assert (await server.post("/login", credentials())).status == 200


@pytest.mark.case("T-10")
@pytest.mark.parametrize(
    "name", ["nora", "nobody", "pending", "linked", "nobody@auth.test", "pending@auth.test"]
)
async def test_the_lock_does_not_tell_which_accounts_there_are(server, clock, name):
    bodies = [{"email_or_username": name.upper(), "password": "x"}] * 5
    answers = [await server.post("/login", body) for body in bodies]
    assert [answer.status for answer in answers] == [401, 401, 401, 429, 429]
    assert {answer.content for answer in answers[3:]} == {b""}
    clock.advance(61)
    assert (await server.post("/login", bodies[0])).status == 401


async def test_a_flood_of_invented_names_unlocks_nobody(server, state):
    for _ in range(3):
        await server.post("/login", {"username": "nora", "password": "x"})
    for number in range(2000):
        async with state.stranger_lockout.attempt(b"%d" % number):
            pass
    assert (await server.post("/login", credentials())).status == 429


def spoil_hash(tx):
    tx.run("UPDATE _user SET password_hash = 'plain' WHERE username = 'solo'")


async def test_an_error_of_ours_drops_the_cookies(server, state):
    await state.database.write(spoil_hash)
    assert (await server.post("/login", credentials("solo"))).status == 500
    answer = await server.post(
        "/login", form=credentials("solo", redirect_uri="/login"), jar={"auth_token": "x"}
    )
    assert answer.location.endswith("500+Internal+Server+Error")
    assert answer.cookies == ["auth_token=; HttpOnly; SameSite=Lax; Path=/; Max-Age=1"]


async def test_who_has_a_second_factor_gets_a_pending_token_and_no_session(server, state):
    answer = await server.post("/login", credentials("otto"))
    assert (answer.status, list(answer.json)) == (403, ["mfa_token"])
    claims = jwt.decode(answer.json["mfa_token"], options={"verify_signature": False})
    assert list(claims) == ["sub", "exp", "type", "method", "jti"]
    assert (claims["type"], claims["method"]) == (2, "pw")
    assert await state.session_database.query("SELECT COUNT(*) FROM _session") == [(0,)]
    assert (await server.get("/status", bearer=answer.json["mfa_token"])).json["auth_token"] is None


async def test_a_wrong_password_does_not_tell_of_a_second_factor(server):
    answer = await server.post("/login", {"username": "otto", "password": "x"})
    assert answer.status == 401


async def test_a_form_is_sent_to_the_page_of_the_second_factor(server):
    answer = await server.post("/login", form=credentials("otto", mfa_redirect_uri="/mfa"))
    assert answer.status == 303
    assert answer.location.startswith("/mfa?mfa_token=ey")
    assert answer.cookies == []
    assert (await server.post("/login", form=credentials("otto"))).status == 400


async def test_which_is_told_what_was_begun(server):
    form = credentials(
        "otto",
        redirect_uri="authapp://cb",
        mfa_redirect_uri="/mfa",
        response_type="code",
        pkce_code_challenge=CHALLENGE,
    )
    answer = await server.post("/login", form=form)
    parameters = parse_qs(urlsplit(answer.location).query)
    assert parameters["redirect_uri"] == ["authapp://cb"]
    assert parameters["response_type"] == ["code"]
    assert parameters["pkce_code_challenge"] == [CHALLENGE]


async def test_failed_json_is_never_redirected(server):
    answer = await server.post("/login", {**credentials("nobody"), "redirect_uri": "/login"})
    assert (answer.status, answer.location) == (401, None)
