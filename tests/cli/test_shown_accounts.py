import json

from trailbase_server.auth.users import User
from trailbase_server.cli.shown_accounts import (
    print_accounts,
    print_json,
    render_account,
    render_time,
)

NORA = User(
    bytes(15) + b"\x07", "n@x.test", None, "nora", "$argon2id$x", False, "SECRET", 17, 0, 90
)


def test_hashes_and_secrets_are_not_shown():
    shown = render_account(NORA)
    assert shown["id"] == "00000000-0000-0000-0000-000000000007"
    assert (shown["has_password"], shown["has_totp"], shown["provider"]) == (True, True, "github")
    assert not any(text in str(shown) for text in ("argon2", "SECRET"))


def test_lines(capsys):
    print_accounts([NORA])
    assert capsys.readouterr().out.splitlines()[1] == (
        "00000000-0000-0000-0000-000000000007\tn@x.test\t1970-01-01T00:00:00Z\t1970-01-01T00:01:30Z"
    )


def test_documents(capsys):
    print_json({"a": [1]})
    assert json.loads(capsys.readouterr().out) == {"a": [1]}
    assert render_time(1_790_000_000) == "2026-09-21T14:13:20Z"
