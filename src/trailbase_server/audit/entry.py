"""What is recorded of a deed: redacted by name, and bounded, whatever it comes from."""

from collections.abc import Mapping
from typing import Any, Literal

import orjson
from msgspec import Struct

MAX_TEXT_CHARS = 1_000  # of each text: addresses, objects and messages are clients' words
MAX_VALUE_BYTES = 16 * 1024  # of what was there before, and after: a whole schema is not kept
MAX_NAMES = 50  # members that are named where the values are too large
MAX_DEPTH = 16  # levels of a value
REDACTED = "<REDACTED>"
# Whatever hands values over should leave these out; this is for the case that it does not.
SECRETS = frozenset(
    (
        *("password", "old_password", "password_repeat", "password_hash", "secret", "totp_secret"),
        *("token", "auth_token", "refresh_token", "csrf_token", "code", "otp", "totp", "key"),
        *("recovery_codes", "client_secret", "smtp_password", "secret_access_key"),
    )
)

ActorKind = Literal["user", "command", "server"]
Outcome = Literal["done", "refused", "failed"]
Values = Mapping[str, Any]


class Actor(Struct, frozen=True):
    """
    Who did it.

    Attributes:
        kind: ``user``: somebody with an account, over HTTP. ``command``: somebody with a shell.
            ``server``: the server by itself, or told by a signal.
        id: Of the account, 16 bytes.
        name: Its address or name; who the shell belongs to.
    """

    kind: ActorKind
    name: str = ""
    id: bytes | None = None


class Entry(Struct, frozen=True):
    """
    One deed.

    Attributes:
        actor: Who.
        action: What, as ``noun.verb``: ``user.delete``.
        object: To what: an id, a name; empty: there is only one.
        before, after: What was changed, by name; None: nothing to tell.
        outcome: ``refused``: it was not allowed or made no sense. ``failed``: our fault.
        status: Of the answer over HTTP.
        message: What was said to whoever was refused.
        client_ip, request_id: Of the request.
    """

    actor: Actor
    action: str
    object: str = ""
    before: Values | None = None
    after: Values | None = None
    outcome: Outcome = "done"
    status: int | None = None
    message: str = ""
    client_ip: str = ""
    request_id: str = ""


def bounded_text(text: str) -> str:
    """Cut a text that is too long; what is no Unicode is replaced."""
    return text[:MAX_TEXT_CHARS].encode("utf-8", "replace").decode()


def encode_values(values: Values | None) -> str | None:
    """
    Render values as JSON, without secrets.

    Returns:
        Names only, with the size, where the whole is too large. None for None.
    """
    if values is None:
        return None
    data = orjson.dumps(_redacted(values, 0), default=str, option=orjson.OPT_NON_STR_KEYS)
    if len(data) > MAX_VALUE_BYTES:
        names = [bounded_text(str(name))[:100] for name in list(values)[:MAX_NAMES]]
        data = orjson.dumps({"too_large_bytes": len(data), "names": names})
    return data.decode()


def _redacted(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        return {
            bounded_text(str(name)): REDACTED
            if str(name).lower() in SECRETS and member is not None
            else _redacted(member, depth + 1)
            for name, member in value.items()
        }
    if isinstance(value, list | tuple):
        return [_redacted(member, depth + 1) for member in value]
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, int) and value.bit_length() > 63:  # JSON encoders stop there
        return str(value)[:100]
    return value
