"""Requests that no client of good will sends, as strategies; derived from the table of routes."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

Headers = tuple[tuple[str, bytes], ...]
METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW")
ADMIN = "/api/_admin/"
_ENDS_IT = re.compile(r"/(?:config|backup|restore)")  # could switch off what is being tried
OWN_METHOD_SHARE = 5  # of six requests so many use the method of their route
NAMES = (
    *("email", "username", "email_or_username", "password", "password_repeat", "code", "totp"),
    *("mfa_token", "totp_url", "new_email", "old_email", "new_username", "new_password", "png"),
    *("old_password", "password_reset_token", "refresh_token", "authorization_code", "state"),
    *("pkce_code_verifier", "pkce_code_challenge", "response_type", "csrf_token", "redirect_uri"),
    *("mfa_redirect_uri", "err_redirect_uri", "error", "user", "rotate", "name", "credential"),
    *("limit", "offset", "cursor", "count", "order", "expand", "filter[id]", "filter[$and][0][x]"),
    *("text", "owner", "id", "operations", "Create", "api_name", "value", "admin", "verified"),
)
WORDS = (
    *("", "nora", "nora@quay.test", "NORA-pass-77", "boss@quay.test", "000000", "code", "token"),
    *("//evil.test", "/in", "quayapp://cb", "/\\evil", "javascript:alert(1)", "true", "null"),
    *("-1", "0", "1", "9223372036854775808", "1e400", "NaN", "0x10", "1.5", " 5 "),
    *("' OR 1=1 --", '"', "`", "%", "_", "$re", "(a+)+$", "../../etc/passwd", "%00", "%2e%2e%2f"),
    *("\0", "\r\nX: y", "\u202e", "\ufeff", "\ud7ff", "\U0010ffff", "é" * 200, "x" * 5000),
    "otpauth://totp/a:b?secret=GE3DIMZVGQ2TMNZYHE4DANBSGM2DKNRX&issuer=a",
    "AAAAAAAAAAAAAAAAAAAAAA==",
    "00000000-0000-4000-8000-000000000000",
    "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
)
TEXTS = st.one_of(st.sampled_from(WORDS), st.text(max_size=40))
SCALARS = st.one_of(
    TEXTS, st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.just(10**400)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.dictionaries(st.sampled_from(NAMES) | TEXTS, VALUES, max_size=8)
FORM_FIELDS = st.lists(st.tuples(st.sampled_from(NAMES), TEXTS), max_size=8)
TYPES = (
    *(b"application/json", b"application/json; charset=utf-16", b"APPLICATION/JSON", b"text/plain"),
    *(
        b"application/x-www-form-urlencoded",
        b"multipart/form-data; boundary=x",
        b"multipart/form-data",
    ),
    *(b"multipart/form-data; boundary=" + b"y" * 300, b"application/x-protobuf", b"", b"\xff/\xfe"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """
    One operation.

    Attributes:
        method, path: With names of parameters in braces.
    """

    method: str
    path: str


@dataclass(frozen=True, slots=True)
class Hostile:
    """
    One request.

    Attributes:
        place: The operation that it is meant for.
        method, target, headers, body: As sent.
    """

    place: Place
    method: str
    target: str
    headers: Headers
    body: bytes


def _dump(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode()


def _multipart(fields: Sequence[tuple[str, str]]) -> bytes:
    parts = [
        f'--x\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields
    ]
    return "".join([*parts, "--x--\r\n"]).encode("utf-8", "surrogatepass")


def _encoded(fields: Sequence[tuple[str, str]]) -> bytes:
    return urlencode(list(fields), errors="surrogatepass").encode()


BODIES = st.one_of(
    st.tuples(st.just(TYPES[0]), st.builds(_dump, FIELDS)),
    st.tuples(st.just(TYPES[0]), st.builds(_dump, VALUES)),
    st.tuples(st.just(b"application/x-www-form-urlencoded"), st.builds(_encoded, FORM_FIELDS)),
    st.tuples(st.just(b"multipart/form-data; boundary=x"), st.builds(_multipart, FORM_FIELDS)),
    st.tuples(
        st.sampled_from(TYPES),
        st.one_of(
            st.binary(max_size=200),
            st.sampled_from([b"[" * 50_000, b'{"a":' * 20_000, b"a&" * 20_000, b"--x\r\n" * 5_000]),
        ),
    ),
)
ODD_HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("origin", "referer", "host", "sec-fetch-site", "csrf-token", "refresh-token"),
                *("x-forwarded-for", "x-forwarded-host", "forwarded", "content-encoding", "range"),
                *("if-none-match", "last-event-id", "accept", "authorization", "cookie", "expect"),
                *("user-agent", "x-real-ip"),
            ]
        ),
        st.one_of(
            st.sampled_from(
                [
                    *(b"", b"null", b"https://evil.test", b"gzip", b"bytes=0-,5-1,-0", b"9.9.9.9"),
                    *(b"same-origin", b"Bearer", b"Bearer x.y.z", b"Basic eDp5", b"*", b"1;2;3"),
                    *(b"for=9.9.9.9;host=evil", b"auth_token=x; refresh_token=y; ;;=", b"\xff\xfe"),
                ]
            ),
            st.binary(max_size=30).map(lambda data: bytes(b for b in data if b not in b"\0\r\n")),
        ),
    ),
    max_size=4,
)


def credentials(tokens: Sequence[str]) -> st.SearchStrategy[Headers]:
    """
    Somebody's tokens, or what looks like them.

    Args:
        tokens: Good ones of every kind, and expired ones.
    """

    def mangle(token: str, at: int, by: int) -> str:
        at %= max(len(token), 1)
        return token[:at] + chr(33 + by) + token[at + 1 :]

    good = st.sampled_from(tokens)
    text = st.one_of(
        good, good, good, st.builds(mangle, good, st.integers(0, 999), st.integers(0, 90))
    )
    return st.one_of(
        st.just(()),
        text.map(lambda token: (("authorization", f"Bearer {token}".encode()),)),
        text.map(lambda token: (("cookie", f"auth_token={token}".encode()),)),
        st.tuples(text, text).map(
            lambda pair: (("cookie", f"auth_token={pair[0]}; refresh_token={pair[1]}".encode()),)
        ),
    )


def _target(path: str, parameters: Sequence[str], query: Sequence[tuple[str, str]]) -> str:
    left = iter(parameters)
    filled = re.sub(
        r"{\w+}", lambda _: quote(next(left, "x"), safe="", errors="surrogatepass"), path
    )
    encoded = urlencode(list(query), errors="surrogatepass")
    return f"{filled}?{encoded}" if encoded else filled


def requests(
    places: Sequence[Place], parameters: Sequence[str], tokens: Sequence[str], admin: Headers = ()
) -> st.SearchStrategy[Hostile]:
    """
    Requests to any of some operations.

    Args:
        places: Where to.
        parameters: What paths may name besides nonsense: APIs, ids, tokens.
        tokens: See ``credentials``.
        admin: Headers of an administrator, for what administration lets do without an end to it.
    """
    names = st.sampled_from([*parameters, *tokens]) | TEXTS

    def build(
        place: Place,
        own: int,
        other: str,
        filled: list[str],
        query: list[tuple[str, str]],
        body: tuple[bytes, bytes],
        who: Headers,
        odd: list[tuple[str, bytes]],
    ) -> Hostile:
        method = place.method if own else other
        kind, content = body
        is_admin = own > 1 and place.path.startswith(ADMIN) and not _ENDS_IT.search(place.path)
        headers: list[tuple[str, bytes]] = [*(admin if is_admin and method != "DELETE" else who)]
        headers += odd
        if method not in ("GET", "HEAD") or kind.startswith(b"text"):
            headers.append(("content-type", kind))
        else:
            content = b""
        return Hostile(place, method, _target(place.path, filled, query), tuple(headers), content)

    return st.builds(
        build,
        st.sampled_from(places),
        st.integers(0, OWN_METHOD_SHARE),
        st.sampled_from(METHODS),
        st.lists(names, min_size=3, max_size=3),
        st.lists(st.tuples(st.sampled_from(NAMES), TEXTS), max_size=4),
        BODIES,
        credentials(tokens),
        ODD_HEADERS,
    )
