"""
Rows of ``_otp_code``: codes sent by mail, at most one for an address.

Stored as keyed digests: a plain one of six characters is found in seconds. Rows that the reference
server wrote hold the code itself and are accepted; a digest has a prefix that no code may contain.
"""

import re
import string
from typing import cast

from trailbase_server.auth.keys import SigningKeys
from trailbase_server.crypto import random_text
from trailbase_server.db.base import Transaction, single_statement
from trailbase_server.ids import UserId, encode_b64u

OTP_LENGTH = 6  # characters
OTP_TTL_S = 300  # of a code in a mail
_ALPHABET = string.ascii_uppercase + string.digits
_CODE = re.compile(rf"[A-Z0-9]{{{OTP_LENGTH}}}\Z")
_DIGEST_PREFIX = "hmac:"


def new_otp() -> str:
    """Make a code."""
    return random_text(OTP_LENGTH, _ALPHABET)


def stored_otp(keys: SigningKeys, email: str, code: str) -> str:
    """What is stored of a code for an address, whose letter case does not matter."""
    message = f"one-time code:{email.lower()}\0{code}".encode(errors="surrogatepass")
    return _DIGEST_PREFIX + encode_b64u(keys.derive(message))


@single_statement
def insert_otp(tx: Transaction, user_id: UserId, email: str, stored: str, created: int) -> None:
    """Write job: store a code for ``OTP_TTL_S`` seconds; an earlier one of the address is void."""
    tx.run(
        "INSERT INTO _otp_code (user, email, otp_code, created, expires) "
        "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (email) DO UPDATE SET user = excluded.user, "
        "otp_code = excluded.otp_code, created = excluded.created, expires = excluded.expires",
        (user_id, email, stored, created, created + OTP_TTL_S),
    )


@single_statement
def take_otp(tx: Transaction, email: str, code: str, stored: str, now_s: int) -> UserId | None:
    """
    Write job: use a code up.

    Args:
        email: Address it was sent to.
        code: As typed.
        stored: What ``stored_otp`` makes of it.
        now_s: Unix seconds.

    Returns:
        Who it was made for; None if it is wrong or expired.
    """
    if not _CODE.match(code):
        return None
    rows = tx.read(
        "DELETE FROM _otp_code WHERE email = ?1 AND otp_code IN (?2, ?3) AND expires > ?4 "
        "RETURNING user",
        (email, stored, code, now_s),
    )
    return UserId(cast(bytes, rows[0][0])) if rows else None
