"""Exports of another service."""

import json

import pytest

from trailbase_server.auth.imports import ImportedUser, parse_import
from trailbase_server.errors import OperatorError

BCRYPT = "$2b$04$BVXaM8VLYaW6MqiR02WpK.gb/nQRl0Xo4VauN3U9o3EqSazJaflrm"
ARGON2 = "$argon2id$v=19$m=64,t=1,p=1$Y29uZm9ybWFuY2Utc2FsdA$9TQdRRd30ryy4DRfY2U3C3otQ2u3DsMH"


def line(**changes):
    entry = {
        "email": "kim@auth.test",
        "email_verified": True,
        "passwordHash": BCRYPT,
        "password_set_date": {"$date": "2026-01-02T03:04:05.000Z"},
        "tenant": "x",
        **changes,
    }
    return json.dumps({name: value for name, value in entry.items() if value is not ...})


def test_lines_become_users():
    other = line(email="lee@auth.test", email_verified=False, passwordHash=ARGON2)
    assert parse_import(f"\n{line()}\r\n  \n{other}\n") == [
        ImportedUser("kim@auth.test", True, BCRYPT),
        ImportedUser("lee@auth.test", False, ARGON2),
    ]
    assert parse_import("") == []


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("{", "line 2"),
        ("[]", "expected an object"),
        (line(email=...), "`email`"),
        (line(email=7), "`email`"),
        (line(email="nobody"), "Invalid email"),
        (line(email_verified="true"), "`email_verified`"),
        (line(passwordHash="plain"), "invalid hash"),
        (line(passwordHash="$1$abc"), "invalid hash"),
        (line(passwordHash=BCRYPT[:-1]), "invalid hash"),
        (line(passwordHash="$argon2id$v=19$m=64"), "invalid hash"),
        (line(password_set_date=...), "`password_set_date`"),
        (line(password_set_date={}), r"`\$date`"),
        (line(password_set_date={"$date": "yesterday"}), "line 2"),
        (line(password_set_date={"$date": "2026-01-02T03:04:05"}), "no time zone"),
    ],
)
def test_a_bad_line_is_named(bad, reason):
    with pytest.raises(OperatorError, match=reason) as caught:
        parse_import(f"{line()}\n{bad}\n")
    assert str(caught.value).startswith("line 2: ")
