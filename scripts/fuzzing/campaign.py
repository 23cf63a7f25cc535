"""
Send hostile requests for a while and judge the answers.

A campaign is rounds of some hundred requests. Before each one there are new people with good
tokens, since requests that succeed by accident end sessions, change names and delete accounts.
"""

import http.client
import json
import sqlite3
import time
from base64 import urlsafe_b64decode
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.serving import Server
from trailbase_server.auth.keys import SigningKeys, load_keys
from trailbase_server.auth.tokens import TokenKind, mint_flow_token, sign_claims
from trailbase_server.ids import encode_b64u

from .hostile import Hostile, Place, requests

ROUND = 300  # requests with the same people
TIMEOUT_S = 10  # no answer for so long is one that hangs
UNAVAILABLE = 503
FIRST_SERVER_ERROR = 500
SERVER_ERRORS = ("Traceback (most recent call last)", "internal error", " ERROR ")
PARAMETERS = ("board", "chest", "1", "0", "discord", "oidc0", "schema", "file", "x.png")
ADMIN = "/api/_admin"


class UnsoundAnswerError(AssertionError):
    """An answer that no request may get."""


@dataclass(slots=True)
class Tally:
    """
    What has happened so far.

    Attributes:
        requests: How many were answered.
        statuses: Answers by status.
        places: Requests by operation.
        slowest_ms: The slowest answer.
    """

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
    slowest_ms: float = 0.0

    def summary(self) -> dict[str, object]:
        """For a file of results."""
        return {
            "requests": self.requests,
            "statuses": {str(status): self.statuses[status] for status in sorted(self.statuses)},
            "server_errors": sum(n for s, n in self.statuses.items() if s == FIRST_SERVER_ERROR),
            "operations": len(self.places),
            "fewest_per_operation": min(self.places.values(), default=0),
            "slowest_ms": round(self.slowest_ms),
        }


class Campaign:
    """
    Requests to one server.

    Args:
        server: Of the depot of ``tests/security``.
        places: Operations to try.
    """

    def __init__(self, server: Server, places: Sequence[Place]) -> None:
        self.tally = Tally()
        self._server = server
        self._places = places
        self._keys = load_keys(Path(server.depot) / "secrets" / "keys")

    def run(self, *, seconds: float, first_seed: int, rounds: int | None = None) -> Tally:
        """
        Send rounds until the time is over.

        Args:
            seconds: No round begins afterwards, and no request is sent.
            first_seed: Of the first round; the others count on.
            rounds: How many at most.

        Raises:
            UnsoundAnswerError: With the shortest request that leads to it.
        """
        end = time.monotonic() + seconds
        number = first_seed
        while time.monotonic() < end and (rounds is None or number - first_seed < rounds):
            self._round(number, lambda: time.monotonic() < end)
            number += 1
        self._check_log()
        return self.tally

    def _round(self, number: int, goes_on: Callable[[], bool]) -> None:
        tokens = list(self._people(number))
        boss = _boss_token(self._server, self._keys)
        admin = tuple((name, value.encode()) for name, value in boss.items())

        @seed(number)
        @settings(
            max_examples=ROUND,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        @given(requests(self._places, PARAMETERS, tokens, admin))
        def send(request: Hostile) -> None:
            if goes_on():
                self.send(request)

        send()

    def _people(self, number: int) -> Iterator[str]:
        """Tokens of every kind; of a new user for each round."""
        name = f"guest{number}"
        boss = _boss_token(self._server, self._keys)
        user = {"email": f"{name}@quay.test", "password": "GUEST-pass-77", "verified": True}
        self._ask("POST", f"{ADMIN}/user", {**user, "admin": False}, boss)
        body = {"email": user["email"], "password": user["password"]}
        session = self._ask("POST", "/api/auth/v1/login", body)
        yield from (session["auth_token"], session["refresh_token"])
        now_s = int(time.time())
        claims = json.loads(_payload(session["auth_token"]))
        yield sign_claims(self._keys, {**claims, "exp": now_s - 3600})
        yield sign_claims(self._keys, {**claims, "sub": "x"})
        subject = claims["sub"]
        for kind, more in (
            (TokenKind.PENDING_LOGIN, {"method": "pw"}),
            (TokenKind.RESET_PASSWORD, {"sub": user["email"], "pwd": "x"}),
            (TokenKind.CHANGE_EMAIL, {"old_email": "", "new_email": "other@quay.test"}),
            (TokenKind.VERIFY_EMAIL, {"email": str(user["email"])}),
        ):
            texts = {"sub": subject, **more}
            yield mint_flow_token(self._keys, kind, texts, now_s + 600)  # type: ignore[arg-type]

    def _ask(
        self, method: str, path: str, body: object, headers: dict[str, str] | None = None
    ) -> dict[str, str]:
        connection = self._connect()
        sent = {"content-type": "application/json", **(headers or {})}
        connection.request(method, path, json.dumps(body), sent)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        if answer.status != http.client.OK:
            raise UnsoundAnswerError(f"{method} {path}: {answer.status} {data!r}")
        try:
            found = json.loads(data)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=TIMEOUT_S)

    def send(self, request: Hostile) -> None:
        """
        Send one request and judge its answer.

        Raises:
            UnsoundAnswerError: It is a 500, late, or not what its type says.
        """
        connection = self._connect()
        started = time.perf_counter()
        try:
            connection.putrequest(request.method, request.target, skip_accept_encoding=True)
            for name, value in request.headers:
                if name != "host":
                    connection.putheader(name, value)
            connection.putheader("content-length", str(len(request.body)))
            connection.putheader("connection", "close")
            connection.endheaders(request.body)
            answer = connection.getresponse()
            data = answer.read()
        except TimeoutError as exc:
            raise UnsoundAnswerError(f"no answer within {TIMEOUT_S} s: {request}") from exc
        except (http.client.HTTPException, ConnectionError) as exc:
            raise UnsoundAnswerError(f"{type(exc).__name__}: {request}") from exc
        finally:
            connection.close()
        self._judge(request, answer, data)
        self.tally.requests += 1
        self.tally.statuses[answer.status] += 1
        self.tally.places[f"{request.place.method} {request.place.path}"] += 1
        took_ms = (time.perf_counter() - started) * 1000
        self.tally.slowest_ms = max(self.tally.slowest_ms, took_ms)

    def _judge(self, request: Hostile, answer: http.client.HTTPResponse, data: bytes) -> None:
        status = answer.status
        if status >= FIRST_SERVER_ERROR and status != UNAVAILABLE:
            raise UnsoundAnswerError(f"{status}: {request}")
        kind = answer.headers.get("content-type", "")
        if b"Traceback" in data:
            raise UnsoundAnswerError(f"a traceback: {request}")
        try:
            if data and "json" in kind:
                json.loads(data)
            elif kind.startswith("text/"):
                data.decode()
        except ValueError as exc:
            raise UnsoundAnswerError(f"not {kind}: {request}") from exc
        for name, value in answer.headers.items():
            if "\n" in value or "\r" in value:
                raise UnsoundAnswerError(f"header {name} is broken: {request}")

    def _check_log(self) -> None:
        log = self._server.log.read_text("utf-8", "replace")
        for mark in SERVER_ERRORS:
            if mark in log:
                raise UnsoundAnswerError(f"the log has {mark!r}: {log[log.index(mark) :][:4000]}")


def _boss_token(server: Server, keys: SigningKeys) -> dict[str, str]:
    """Credentials of an administrator, whatever has become of their password."""
    with sqlite3.connect(f"file:{server.depot}/data/main.db?mode=ro", uri=True) as database:
        rows = database.execute("SELECT id FROM _user WHERE admin > 0 LIMIT 1").fetchall()
    database.close()
    if not rows:
        raise UnsoundAnswerError("there is no administrator any more")
    now_s = int(time.time())
    csrf_token = "c" * 20
    claims = {"sub": encode_b64u(rows[0][0]), "iat": now_s, "exp": now_s + 600, "type": 1}
    token = sign_claims(keys, {**claims, "csrf_token": csrf_token, "email": None})
    return {"authorization": f"Bearer {token}", "csrf-token": csrf_token}


def _payload(token: str) -> bytes:
    part = token.split(".")[1]
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))
