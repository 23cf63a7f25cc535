"""
What an account can be called: e-mail addresses, usernames, and which of them a new account needs.

Both are stored as typed, without surrounding blanks; the database compares them without regard to
ASCII case.
"""

import unicodedata

from msgspec import Struct

from trailbase_server.auth.lookalikes import check_distinct
from trailbase_server.auth.options import IdentifierPolicy
from trailbase_server.errors import BadRequestError
from trailbase_server.schema.email import is_email

USERNAME_BYTES = range(3, 33)  # of UTF-8, measured after trimming


class Identifier(Struct, frozen=True):
    """
    What somebody typed to say who they are.

    Attributes:
        text: Without surrounding blanks.
        is_email: An address, else a username.
    """

    text: str
    is_email: bool


def parse_email(text: str) -> str:
    """
    Trim and check an e-mail address.

    Raises:
        BadRequestError: It is none.

    Spec:
        auth/e-mail
    """
    address = text.strip()
    if not is_email(address):
        raise BadRequestError("Invalid email")
    return address


def parse_username(text: str) -> str:
    """
    Trim and check a username: a letter, then letters and digits of any script.

    Raises:
        BadRequestError: It is too short, too long or has other characters.

    Spec:
        auth/username
    """
    name = text.strip()
    length = len(name.encode())
    if length < USERNAME_BYTES.start:
        raise BadRequestError("username too short")
    if length >= USERNAME_BYTES.stop:
        raise BadRequestError("username too long")
    if not name[0].isalpha() or not all(map(is_alphanumeric, name)):
        raise BadRequestError("username contains invalid characters")
    return name


def parse_new_username(text: str) -> str:
    """
    Trim and check a name that somebody chooses; it must not be mistaken for another one.

    Raises:
        BadRequestError: It does not do.

    Spec:
        auth/username
    """
    name = parse_username(text)
    check_distinct(name)
    return name


def parse_email_or_username(text: str) -> Identifier:
    """
    Tell an address from a name by its ``@``.

    Raises:
        BadRequestError: It is neither.
    """
    if "@" in text:
        return Identifier(parse_email(text), is_email=True)
    return Identifier(parse_username(text), is_email=False)


def check_registration(
    policy: IdentifierPolicy, email: str | None, username: str | None
) -> tuple[str | None, str | None]:
    """
    Check what a new account is to be called.

    Args:
        policy: Of the configuration.
        email, username: As typed; empty counts as absent.

    Returns:
        Address and name, trimmed; None for what is absent.

    Raises:
        BadRequestError: Something is missing, not allowed or malformed.

    Spec:
        auth/user-identifier-policy-auth-user-identifier
    """
    if policy in (IdentifierPolicy.UNDEFINED, IdentifierPolicy.ONLY_EMAIL):
        if username:
            raise BadRequestError("username not allowed")
        return parse_email(_required(email, "Missing email")), None
    if policy == IdentifierPolicy.ONLY_USERNAME:
        if email:
            raise BadRequestError("Email not allowed")
        return None, parse_new_username(_required(username, "Missing username"))
    if policy != IdentifierPolicy.REQUIRE_USERNAME:
        _required(email, "Missing email")
    if policy != IdentifierPolicy.REQUIRE_EMAIL:
        _required(username, "Missing username")
    address = parse_email(email) if email else None
    return address, parse_new_username(username) if username else None


def is_numeric(character: str) -> bool:
    """Is it a digit or number sign of any script?"""
    return unicodedata.category(character)[0] == "N"


def is_alphanumeric(character: str) -> bool:
    """Is it a letter, digit or number sign of any script?"""
    return character.isalpha() or is_numeric(character)


def _required(text: str | None, message: str) -> str:
    if not text:
        raise BadRequestError(message)
    return text
