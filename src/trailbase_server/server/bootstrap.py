"""The first administrator of a new depot, and how the operator learns the password."""

import logging
import sys
from dataclasses import dataclass

import apsw

from trailbase_server.crypto import hash_password, random_text

log = logging.getLogger(__name__)
EMAIL = "admin@localhost"
USERNAME = "admin"
PASSWORD_LENGTH = 20  # of letters and digits: 119 bits
_HAS_ADMIN = "SELECT EXISTS (SELECT 1 FROM main._user WHERE admin)"
_INSERT = """
INSERT INTO main._user (email, username, password_hash, admin)
SELECT ?1, ?2, ?3, TRUE WHERE NOT EXISTS (SELECT 1 FROM main._user WHERE admin)
"""


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """
    What the first administrator logs in with. Not shown by ``repr``.

    Attributes:
        email: Address.
        password: In clear; nobody else has it.
    """

    email: str
    password: str


def bootstrap_admin(connection: apsw.Connection) -> Credentials | None:
    """
    Add an administrator to a new main database that has none.

    Args:
        connection: Writable, up to date, no transaction; some 20 ms of work.

    Returns:
        None where there is one already, or where somebody else has the name or the address, which
        is worth a warning.

    Spec:
        server/admin-bootstrap-ops
        auth/first-start
    """
    if connection.execute(_HAS_ADMIN).get:
        return None
    credentials = Credentials(EMAIL, random_text(PASSWORD_LENGTH))
    values = (credentials.email, USERNAME, hash_password(credentials.password))
    try:
        connection.execute(_INSERT, values)
    except apsw.ConstraintError:
        log.warning(
            "No administrator was created, as '%s' or '%s' is a user already: "
            "see trail admin promote",
            EMAIL,
            USERNAME,
        )
        return None
    return credentials if connection.changes() else None


def announce(credentials: Credentials) -> None:
    """Print the credentials on standard error, whatever the log level: they are told once."""
    print(  # noqa: T201  # for the operator
        "Created new admin user:\n"
        f"\temail: '{credentials.email}'\n"
        f"\tpassword: '{credentials.password}'",
        file=sys.stderr,
        flush=True,
    )
