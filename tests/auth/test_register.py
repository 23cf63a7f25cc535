"""Registering: what is stored, mailed and answered."""

from time import perf_counter

import jwt
import pytest

from trailbase_server.auth.users import find_by_username

SECRET = "tulip-and-rope-9"


def person(email="ivy@auth.test", secret=SECRET, repeat=None, **more):
    body = {"email": email, "password": secret, "password_repeat": repeat or secret, **more}
    return {name: value for name, value in body.items() if value is not ...}


async def rows(state):
    return await state.database.query(
        "SELECT unverified_email, email, username, admin, provider_id FROM _user "
        "WHERE id NOT IN (SELECT id FROM _user WHERE LENGTH(LTRIM(HEX(id), '0')) < 3)"
    )


@pytest.mark.parametrize("how", ["json_body", "form"])
async def test_an_account_that_waits_for_its_confirmation(server, state, mails, how):
    body = person(colour="blue", admin="true", email_verified="true")
    answer = await server.ask("POST", "/register", **{how: body})
    assert answer.status == 200
    assert await rows(state) == [("ivy@auth.test", None, None, 0, 0)]
    [(letter, to, values)] = mails.sent
    assert (letter, to, values["redirect_uri"]) == ("verify_email", "ivy@auth.test", None)
    claims = jwt.decode(values["token"], options={"verify_signature": False})
    assert list(claims) == ["sub", "exp", "type", "email"]
    assert (claims["type"], claims["email"]) == (5, "ivy@auth.test")
    login = await server.post("/login", {"email": "ivy@auth.test", "password": SECRET})
    assert login.status == 401


async def test_without_a_transport_the_mail_counts_as_sent(server, state, caplog):
    assert (await server.post("/register", person())).status == 200
    assert "not sent" in caplog.text
    assert "ey" not in caplog.messages[-1]


@pytest.mark.case("T-14")
async def test_taken_and_free_look_the_same(server, state, mails):
    free = await server.post("/register", person("free@auth.test"))
    for body in (person("nora@auth.test"), person("x@auth.test", username="NORA")):
        taken = await server.post("/register", body)
        assert taken.status == free.status
        assert taken.text.replace(body["email"], "") == free.text.replace("free@auth.test", "")
    assert [row[0] for row in await rows(state)] == ["free@auth.test"]
    assert [to for _, to, _ in mails.sent] == ["free@auth.test"]


async def test_several_may_wait_for_the_same_address(server, state, mails):
    await server.post("/register", person())
    await server.post("/register", person(secret="another-one-1"))
    assert len(await rows(state)) == 2
    assert len(mails.sent) == 2


async def test_a_mail_that_fails_is_not_told_and_the_account_stays(server, state, mails):
    mails.fails = True
    assert (await server.post("/register", person())).status == 200
    assert len(await rows(state)) == 1


async def test_targets(server, mails):
    for how in ("json_body", "form"):
        body = person(f"{how}@auth.test", redirect_uri="/body")
        answer = await server.ask("POST", "/register", query={"redirect_uri": "/q"}, **{how: body})
        assert answer.status == 303
        assert answer.location.startswith(f"/q?alert=Registered+{how}%40auth.test")
    assert mails.sent[0][2]["redirect_uri"] == "/q"
    for bad in ("https://evil.test/", "", "welcome"):
        answer = await server.post("/register", form=person("e@auth.test", redirect_uri=bad))
        assert answer.status == 400


async def test_a_weak_password_sends_a_form_back(server):
    body = person(secret="short", redirect_uri="/welcome")
    answer = await server.post("/register", form=body)
    assert answer.location == "/welcome?alert=Bad+request%3A+Password+too+short"
    body["err_redirect_uri"] = "/again"
    answer = await server.post("/register", form=body)
    assert answer.location == "/again?alert=Bad+request%3A+Password+too+short"
    assert (await server.post("/register", body)).status == 400
    assert (await server.post("/register", form=person(secret="short"))).status == 400


@pytest.mark.parametrize(
    "body",
    [
        person(...),
        person(""),
        person("ivy"),
        person(7),
        person(username="i_y"),
        person(repeat="something-else"),
        person(password=...),
        person(password_repeat=...),
        person(password=None),
        person(password=12345678),
        [],
    ],
)
async def test_what_is_refused(server, state, body):
    answer = await server.post("/register", body)
    assert answer.status == 400
    assert answer.content
    assert await rows(state) == []


async def test_registration_can_be_switched_off(server, state, config):
    config.disable_password_auth = True
    state.configure(config, None)
    answer = await server.post("/register", person())
    assert (answer.status, answer.content) == (403, b"")
    assert (await server.post("/register", {"email": "ivy"})).status == 400
    await server.login("nora")


async def test_who_has_no_address_needs_no_confirmation(server, state, config, mails):
    config.user_identifier = config.user_identifier.__class__(4)
    state.configure(config, None)
    body = person(..., username="hugo", redirect_uri="/in")
    assert (await server.post("/register", form=body)).location == "/in"
    assert (await find_by_username(state.database, "hugo")).unverified_email is None
    assert mails.sent == []
    login = await server.post("/login", {"username": "hugo", "password": SECRET})
    assert login.status == 200


@pytest.mark.case("T-14")
@pytest.mark.parametrize("email", ["free@auth.test", "nora@auth.test"])
async def test_the_time_does_not_tell(server, state, mails, email):
    state.background.pace_s = 0.3
    await server.post("/register", person("other@auth.test"))  # loads the hash function
    started = perf_counter()
    await server.post("/register", person(email))
    assert perf_counter() - started >= 0.3


async def test_a_database_that_refuses_is_told(server, state):
    await state.database.close()
    assert (await server.post("/register", person())).status == 503
