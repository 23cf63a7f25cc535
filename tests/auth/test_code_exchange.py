"""Codes become tokens once, for whoever asked for them."""

import asyncio
from hashlib import sha256

import pytest

from trailbase_server.ids import encode_b64u

VERIFIER = "v" * 43
CHALLENGE = encode_b64u(sha256(VERIFIER.encode()).digest()).rstrip("=")


@pytest.fixture
async def code(server):
    answer = await server.post(
        "/login",
        {
            "username": "nora",
            "password": "NORA-pass-77",
            "redirect_uri": "authapp://cb",
            "response_type": "code",
            "pkce_code_challenge": CHALLENGE,
        },
    )
    assert (answer.status, answer.content, answer.cookies) == (303, b"", [])
    where, _, code = answer.location.partition("?code=")
    assert (where, len(code)) == ("authapp://cb", 48)
    return code


def delete_all(tx):
    tx.run("DELETE FROM _user")


def take_confirmation_back(tx):
    tx.run("UPDATE _user SET unverified_email = email, email = NULL")


def body(code, verifier=VERIFIER):
    return {"authorization_code": code, "pkce_code_verifier": verifier}


@pytest.mark.case("T-73")
async def test_once(server, code):
    answer = await server.post("/token", body(code))
    assert list(answer.json) == ["auth_token", "refresh_token", "csrf_token"]
    assert await server.is_live(answer.json["refresh_token"])
    assert (await server.post("/token", body(code))).status == 404


@pytest.mark.case("T-73")
async def test_a_second_use_ends_the_session_of_the_first(server, code):
    session = (await server.post("/token", body(code))).json["refresh_token"]
    other = (await server.login("nora"))["refresh_token"]
    assert (await server.post("/token", body(code, "w" * 43))).status == 404
    assert await server.is_live(session)
    assert (await server.post("/token", body(code))).status == 404
    assert not await server.is_live(session)
    assert await server.is_live(other)


@pytest.mark.case("T-73")
async def test_many_at_once_get_one_session(server, code):
    answers = await asyncio.gather(*(server.post("/token", body(code)) for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [200] + [404] * 7


async def test_a_wrong_verifier_leaves_the_code_alone(server, code):
    for wrong in ("w" * 43, CHALLENGE, "", None, "ü"):
        assert (await server.post("/token", body(code, wrong))).status == 404
    assert (await server.post("/token", body(code))).status == 200


@pytest.mark.case("T-73")
async def test_for_five_minutes(server, code, clock):
    clock.advance(300)
    assert (await server.post("/token", body(code))).status == 404


@pytest.mark.parametrize("change", [delete_all, take_confirmation_back])
async def test_not_for_somebody_who_is_gone_or_pending(server, code, state, change):
    await state.database.write(change)
    assert (await server.post("/token", body(code))).status == 404


@pytest.mark.case("T-73")
@pytest.mark.parametrize(
    ("value", "status"),
    [(None, 400), ("", 400), ("abc", 400), ("a" * 48, 404), ("ü" * 24, 404), ("ü" * 48, 400)],
)
async def test_what_is_no_code(server, value, status):
    assert (await server.post("/token", body(value))).status == status


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"form": {"authorization_code": "x"}}, 415),
        ({"json_body": {}}, 400),
        ({"json_body": {"authorization_code": 7}}, 422),
        ({"json_body": []}, 422),
        ({"body": b"{", "headers": {"content-type": "application/json"}}, 400),
    ],
)
async def test_other_bodies(server, options, status):
    assert (await server.ask("POST", "/token", **options)).status == status
