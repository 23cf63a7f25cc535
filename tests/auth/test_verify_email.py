"""Confirming an address: the link, once and again, and another mail."""

import pytest

from trailbase_server.auth.tokens import TokenKind, mint_flow_token
from trailbase_server.ids import encode_b64u

PENDING, NORA = bytes(15) + b"\x06", bytes(15) + b"\x02"
LOGIN = {"username": "pending", "password": "PENDING-pass-77"}
TRIGGER = "/verify_email/trigger"


def link(token):
    return f"/verify_email/confirm/{token}"


@pytest.fixture
def token(state, clock):
    def make(who=PENDING, email="pending@auth.test", kind=TokenKind.VERIFY_EMAIL):
        claims = {"sub": encode_b64u(who), "email": email}
        return mint_flow_token(state.keys, kind, claims, clock.now_s() + 60)

    return make


async def test_following_the_link_confirms_and_does_not_log_in(server, token):
    assert (await server.post("/login", LOGIN)).status == 401
    answer = await server.get(link(token()))
    assert (answer.status, answer.cookies) == (200, [])
    assert (await server.post("/login", LOGIN)).status == 200
    assert (await server.get(link(token()))).status == 200


async def test_a_browser_goes_on(server, token):
    answer = await server.get(link(token()), query={"redirect_uri": "/in"})
    assert answer.location == "/in?alert=email+verified"
    answer = await server.get(link(token()), query={"redirect_uri": "//evil.test"})
    assert answer.status == 400


async def test_looking_at_the_link_changes_nothing(server, token):
    assert (await server.ask("HEAD", link(token()))).status == 200
    assert (await server.post("/login", LOGIN)).status == 401


async def test_links_that_do_not_count(server, state, token, clock):
    nobody = {"sub": "nobody", "email": "pending@auth.test"}
    odd = mint_flow_token(state.keys, TokenKind.VERIFY_EMAIL, nobody, clock.now_s() + 60)
    for bad in ("garbage", odd, (await server.login("nora"))["auth_token"]):
        assert (await server.get(link(bad))).status == 400
    assert (await server.get(link(token(bytes(16))))).status == 401
    assert (await server.get(link(token(NORA)))).status == 401
    good = token()
    clock.advance(121)
    assert (await server.get(link(good))).status == 400


async def test_another_mail_for_whoever_waits(server, mails):
    answer = await server.get(TRIGGER, query={"email": "pending@auth.test", "redirect_uri": "/s"})
    assert answer.location.startswith("/s?alert=")
    letter, to, values = mails.take()
    assert (letter, to, values["redirect_uri"]) == ("verify_email", "pending@auth.test", "/s")
    assert (await server.get(link(values["token"]))).status == 200


@pytest.mark.case("T-15")
async def test_the_others_are_answered_alike_and_not_mailed(server, mails):
    waiting = await server.get(TRIGGER, query={"email": "pending@auth.test"})
    mails.sent = []
    for email in ("nora@auth.test", "nobody@auth.test"):
        answer = await server.get(TRIGGER, query={"email": email})
        assert (answer.status, answer.text) == (200, waiting.text)
    assert mails.sent == []


@pytest.mark.case("T-15")
async def test_one_mail_in_four_hours_whatever_the_letters(server, clock, mails):
    for email, status in (
        ("pending@auth.test", 200),
        ("pending@auth.test", 429),
        (" PENDING@auth.test", 429),
        ("nobody@auth.test", 200),
        ("nobody@auth.test", 429),
    ):
        assert (await server.get(TRIGGER, query={"email": email})).status == status
    assert len(mails.sent) == 1
    clock.advance(4 * 3600)
    assert (await server.get(TRIGGER, query={"email": "pending@auth.test"})).status == 200


async def test_what_is_refused(server, mails):
    for query in (
        {},
        {"email": "pending"},
        {"email": "pending@auth.test", "redirect_uri": "https://evil.test/"},
    ):
        assert (await server.get(TRIGGER, query=query)).status == 400
    await server.ask("HEAD", TRIGGER, query={"email": "pending@auth.test"})
    assert mails.sent == []


async def test_a_broken_mail_server_is_not_told(server, mails):
    mails.fails = True
    assert (await server.get(TRIGGER, query={"email": "pending@auth.test"})).status == 200


async def test_whoever_confirms_first_owns_the_address(server, mails):
    for secret in ("first-one-1", "second-one-2"):
        body = {"email": "ivy@auth.test", "password": secret, "password_repeat": secret}
        await server.post("/register", body)
    second = mails.sent[1][2]["token"]
    assert (await server.get(link(second))).status == 200
    login = {"email": "ivy@auth.test", "password": "second-one-2"}
    assert (await server.post("/login", login)).status == 200
    assert (await server.post("/login", login | {"password": "first-one-1"})).status == 401
    assert (await server.get(link(mails.sent[0][2]["token"]))).status == 401
