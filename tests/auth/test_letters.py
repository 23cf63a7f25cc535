"""What is mailed, and what its tokens are bound to."""

import logging

import jwt
import pytest
from msgspec.structs import replace

from trailbase_server.auth.letters import (
    notify_old_address,
    password_mark,
    send_change_email,
    send_letter,
    send_reset,
    send_verification,
)
from trailbase_server.auth.users import find_by_username
from trailbase_server.errors import DependencyError
from trailbase_server.ids import encode_b64u


@pytest.fixture
async def nora(state):
    return await find_by_username(state.database, "nora")


def claims(mail):
    return jwt.decode(mail[2]["token"], options={"verify_signature": False, "verify_exp": False})


async def test_a_confirmation_names_account_and_address(state, mails, clock, nora):
    await send_verification(state, nora.id, "new@auth.test", "/in", 60)
    mail = mails.take()
    assert (mail[0], mail[1], mail[2]["redirect_uri"]) == ("verify_email", "new@auth.test", "/in")
    assert claims(mail) == {
        "sub": encode_b64u(nora.id),
        "exp": clock.now_s() + 60,
        "type": 5,
        "email": "new@auth.test",
    }


async def test_a_new_address_is_mailed_and_both_are_named(state, mails, clock, nora):
    await send_change_email(state, nora, "new@auth.test", None)
    await send_change_email(state, replace(nora, email=None), "new@auth.test", None)
    assert [mail[:2] for mail in mails.sent] == [("change_email", "new@auth.test")] * 2
    assert [claims(mail)["old_email"] for mail in mails.sent] == ["nora@auth.test", ""]
    assert claims(mails.sent[0])["exp"] == clock.now_s() + 4 * 3600


async def test_a_reset_names_the_address_and_marks_the_password(state, mails, clock, nora):
    await send_reset(state, nora, "nora@auth.test")
    found = claims(mails.take())
    mark = found.pop("pwd")
    assert found == {"sub": "nora@auth.test", "exp": clock.now_s() + 3600, "type": 3}
    assert mark == password_mark(state.keys, nora)
    other = replace(nora, password_hash=None)
    assert password_mark(state.keys, other) != mark
    assert password_mark(state.keys, replace(other, id=bytes(16))) != password_mark(
        state.keys, other
    )


async def test_a_notice_that_fails_is_only_logged(state, mails, caplog):
    mails.fails = True
    with caplog.at_level(logging.WARNING):
        await notify_old_address(state, "old@auth.test", None)
    assert "not notified" in caplog.text
    with pytest.raises(DependencyError):
        await send_letter(state, "otp", "old@auth.test", {"code": "AAAAAA"})


async def test_without_a_transport_secrets_are_not_logged(state, caplog):
    await send_letter(state, "otp", "old@auth.test", {"code": "AAAAAA"})
    assert "not sent" in caplog.text
    assert "AAAAAA" not in caplog.text
