"""Addresses, names, and what a policy asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.auth.identifiers import (
    Identifier,
    check_registration,
    is_alphanumeric,
    is_numeric,
    parse_email,
    parse_email_or_username,
    parse_username,
)
from trailbase_server.auth.options import IdentifierPolicy as Policy
from trailbase_server.errors import BadRequestError


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" Nora@Auth.test ", "Nora@Auth.test"),
        ("admin@localhost", "admin@localhost"),
        ("x@[127.0.0.1]", "x@[127.0.0.1]"),
        ("ivy@bücher.test", "ivy@bücher.test"),
    ],
)
def test_addresses_are_stored_as_typed_without_blanks(typed, stored):
    assert parse_email(typed) == stored


@pytest.mark.case("T-14")
@pytest.mark.parametrize(
    "typed", ["", "  ", "nora", "@auth.test", "nora@", "no ra@auth.test", "a\r\nBcc: x@y@auth.test"]
)
def test_addresses_that_are_none(typed):
    with pytest.raises(BadRequestError, match="Invalid email"):
        parse_email(typed)


@pytest.mark.parametrize("name", ["nora", "a1b", "гвен", "a" * 32, "n2²"])
def test_names(name):
    assert parse_username(f" {name} ") == name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("ab", "too short"),
        ("", "too short"),
        ("a" * 33, "too long"),
        ("г" * 17, "too long"),
        ("1vy", "invalid characters"),
        ("iv_y", "invalid characters"),
        ("iv-y", "invalid characters"),
        ("iv y", "invalid characters"),
        ("iv\0y", "invalid characters"),
        ("iv@y", "invalid characters"),
    ],
)
def test_names_that_are_none(name, reason):
    with pytest.raises(BadRequestError, match=reason):
        parse_username(name)


@given(st.text(max_size=40))
def test_whatever_is_typed_is_an_identifier_or_refused(text):
    try:
        found = parse_email_or_username(text)
    except BadRequestError:
        return
    assert found == parse_email_or_username(found.text)
    assert found.is_email == ("@" in text)


def test_an_at_sign_tells_an_address_from_a_name():
    assert parse_email_or_username("nora") == Identifier("nora", is_email=False)
    assert parse_email_or_username("n@auth.test") == Identifier("n@auth.test", is_email=True)


E, U = "nora@auth.test", "nora"


@pytest.mark.parametrize(
    ("policy", "email", "username", "outcome"),
    [
        (Policy.UNDEFINED, E, None, (E, None)),
        (Policy.UNDEFINED, E, "", (E, None)),
        (Policy.UNDEFINED, E, U, "username not allowed"),
        (Policy.UNDEFINED, None, U, "username not allowed"),
        (Policy.UNDEFINED, "", None, "Missing email"),
        (Policy.ONLY_EMAIL, E, None, (E, None)),
        (Policy.ONLY_EMAIL, "nora", None, "Invalid email"),
        (Policy.REQUIRE_EMAIL, E, None, (E, None)),
        (Policy.REQUIRE_EMAIL, E, U, (E, U)),
        (Policy.REQUIRE_EMAIL, None, U, "Missing email"),
        (Policy.REQUIRE_EMAIL, "x", "y", "Invalid email"),
        (Policy.REQUIRE_EMAIL, E, "y", "too short"),
        (Policy.ONLY_USERNAME, None, U, (None, U)),
        (Policy.ONLY_USERNAME, "", U, (None, U)),
        (Policy.ONLY_USERNAME, E, U, "Email not allowed"),
        (Policy.ONLY_USERNAME, None, None, "Missing username"),
        (Policy.REQUIRE_USERNAME, None, U, (None, U)),
        (Policy.REQUIRE_USERNAME, E, U, (E, U)),
        (Policy.REQUIRE_USERNAME, E, None, "Missing username"),
        (Policy.REQUIRE_USERNAME, "x", "y", "Invalid email"),
        (Policy.REQUIRE_EMAIL_AND_USERNAME, E, U, (E, U)),
        (Policy.REQUIRE_EMAIL_AND_USERNAME, "", "", "Missing email"),
        (Policy.REQUIRE_EMAIL_AND_USERNAME, E, "", "Missing username"),
    ],
)
def test_what_a_policy_asks_for(policy, email, username, outcome):
    if isinstance(outcome, tuple):
        assert check_registration(policy, email, username) == outcome
    else:
        with pytest.raises(BadRequestError, match=outcome):
            check_registration(policy, email, username)


def test_digits_of_every_script_are_numeric():
    assert all(map(is_numeric, "7٣Ⅷ²"))
    assert not any(map(is_numeric, "a五-"))
    assert all(map(is_alphanumeric, "a五7"))
    assert not any(map(is_alphanumeric, "-_ !"))
