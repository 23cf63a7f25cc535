"""
Calls of tools as HTTP requests to the server, in the name of one user.

The user's tokens go to that server alone: redirects are answered, not followed. An auth token that
is about to expire is renewed before it is used.
"""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from trailbase_server.clock import SYSTEM_CLOCK
from trailbase_server.errors import BadRequestError, OperatorError
from trailbase_server.mcp.tools import BODY, Tool

if TYPE_CHECKING:
    import httpx

REFRESH_BEFORE_S = 20  # seconds of validity that a token must have left to be used
CALL_TIMEOUT_S = 60  # for an answer: a backup takes its time
MAX_RESULT_CHARS = 200_000  # of an answer: what is longer fills the reader's memory
_AUTH = "/api/auth/v1"
_REFUSED = 400  # and above
_DOTS = (".", "..")


class InvalidArgumentsError(BadRequestError):
    """The arguments of a call do not fit its tool."""


@dataclass(slots=True)
class Tokens:
    """
    Whose name requests are made in.

    Attributes:
        auth_token, refresh_token, csrf_token: Of a log-in; the latter two are None until known.
    """

    auth_token: str
    refresh_token: str | None = None
    csrf_token: str | None = None

    @property
    def expires_at(self) -> float:
        """Unix seconds, as the token says; 0 if it does not."""
        try:
            claims = self.auth_token.split(".")[1]
            found = orjson.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
            return float(found["exp"])
        except (IndexError, KeyError, TypeError, ValueError):
            return 0.0


def parse_tokens(text: str) -> Tokens:
    """
    Read tokens as JSON, or as Base64 of it: the output of ``trail user mint``.

    Raises:
        OperatorError: It is neither.
    """
    try:
        stripped = text.strip()
        found = orjson.loads(
            stripped if stripped.startswith("{") else base64.b64decode(stripped, validate=True)
        )
        given = {name: found.get(name) for name in ("auth_token", "refresh_token", "csrf_token")}
    except (AttributeError, ValueError) as exc:
        raise OperatorError("the tokens are neither JSON nor Base64 of it") from exc
    if not isinstance(given["auth_token"], str):
        raise OperatorError("the tokens lack the member auth_token")
    for name in ("refresh_token", "csrf_token"):
        if not isinstance(given[name], str | None):
            raise OperatorError(f"the tokens' {name} is no text")
    return Tokens(**given)


class Proxy:
    """
    A connection to the server.

    Args:
        client: Knows the server's address.
        tokens: Kept fresh.
    """

    def __init__(self, client: "httpx.Client", tokens: Tokens) -> None:
        self._client = client
        self.tokens = tokens

    def sign_in(self) -> bool:
        """
        Find out whether the tokens are good, and the CSRF token.

        Returns:
            They were renewed.

        Raises:
            OperatorError: The server is not there or does not take them.
        """
        if self.tokens.refresh_token is not None:
            self._refresh()
            return True
        if self.tokens.csrf_token is None:
            found = self._ask("GET", f"{_AUTH}/status", None)
            self.tokens.csrf_token = found.get("csrf_token")
            if self.tokens.csrf_token is None:
                raise OperatorError("the server does not take the tokens")
        return False

    def keep_fresh(self) -> None:
        """
        Renew the auth token if it is about to expire and that is possible.

        Raises:
            OperatorError: See ``sign_in``.
        """
        left = self.tokens.expires_at - SYSTEM_CLOCK.now()
        if left < REFRESH_BEFORE_S and self.tokens.refresh_token is not None:
            self._refresh()

    def call(self, tool: Tool, arguments: Mapping[str, Any]) -> tuple[str, bool]:
        """
        Call a tool.

        Returns:
            The answer as text, and whether it is a failure.

        Raises:
            InvalidArgumentsError: They do not fit.

        Spec:
            server/mcp
        """
        import httpx  # noqa: PLC0415  # imported when first needed: start-up time

        path, query, body = place_arguments(tool, arguments)
        content = None if body is None else orjson.dumps(body)
        try:
            answer = self._client.request(
                tool.method, path, params=tuple(query), content=content, headers=self._headers()
            )
        except httpx.HTTPError as exc:
            return f"the server cannot be reached: {exc}", True
        text = answer.text if answer.charset_encoding or _is_text(answer) else "(binary)"
        if len(text) > MAX_RESULT_CHARS:
            text = f"{text[:MAX_RESULT_CHARS]}\n… {len(text) - MAX_RESULT_CHARS} characters more"
        if answer.status_code >= _REFUSED:
            return f"HTTP {answer.status_code} {answer.reason_phrase}\n{text}".rstrip(), True
        if answer.is_redirect:
            return f"redirected to {answer.headers.get('location', '')}", False
        return text, False

    def _headers(self) -> dict[str, str]:
        tokens = self.tokens
        return {
            "Authorization": f"Bearer {tokens.auth_token}",
            **({"Refresh-Token": tokens.refresh_token} if tokens.refresh_token else {}),
            **({"CSRF-Token": tokens.csrf_token} if tokens.csrf_token else {}),
            "Content-Type": "application/json",
        }

    def _refresh(self) -> None:
        found = self._ask("POST", f"{_AUTH}/refresh", {"refresh_token": self.tokens.refresh_token})
        self.tokens.auth_token = found["auth_token"]
        self.tokens.csrf_token = found.get("csrf_token")

    def _ask(self, method: str, path: str, body: Any) -> dict[str, Any]:
        import httpx  # noqa: PLC0415  # as above

        content = None if body is None else orjson.dumps(body)
        # A token that has expired would be refused, even where it is not looked at.
        headers = {"Content-Type": "application/json"} if body is not None else self._headers()
        try:
            answer = self._client.request(method, path, content=content, headers=headers)
        except httpx.HTTPError as exc:
            raise OperatorError(f"the server cannot be reached: {exc}") from exc
        if answer.status_code >= _REFUSED:
            raise OperatorError(f"the server does not take the tokens: {answer.status_code}")
        try:
            found: dict[str, Any] = answer.json()
        except ValueError as exc:
            raise OperatorError("what answers is no such server") from exc
        return found


def place_arguments(
    tool: Tool, arguments: Mapping[str, Any]
) -> tuple[str, list[tuple[str, str]], Any]:
    """
    Put arguments where a request carries them.

    Returns:
        Path, query, body; the latter None for none.

    Raises:
        InvalidArgumentsError: One is unknown, missing, or cannot be part of a path.
    """
    known = tool.path_names | tool.query_names | ({BODY} if tool.takes_body else set())
    unknown = sorted(set(arguments) - known)
    missing = [name for name in tool.input_schema.get("required", ()) if name not in arguments]
    if unknown or missing:
        words = [f"unknown: {', '.join(unknown)}"] if unknown else []
        words += [f"missing: {', '.join(missing)}"] if missing else []
        raise InvalidArgumentsError("; ".join(words))
    path = tool.path
    for name in tool.path_names:
        value = _text(arguments[name])
        if not value or value in _DOTS:
            raise InvalidArgumentsError(f"{name} cannot be '{value}'")
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    query = [
        pair
        for name in sorted(tool.query_names & set(arguments))
        for pair in _flatten(name, arguments[name])
    ]
    return path, query, arguments.get(BODY)


def _flatten(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Write nested objects and lists as ``name[member][0]=…``."""
    if isinstance(value, Mapping):
        for member, inner in value.items():
            yield from _flatten(f"{name}[{member}]", inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _flatten(f"{name}[{index}]", inner)
    elif value is not None:
        yield name, _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise InvalidArgumentsError("expected a text or a number")


def _is_text(answer: "httpx.Response") -> bool:
    kind = answer.headers.get("content-type", "text/plain")
    return kind.startswith("text/") or "json" in kind
