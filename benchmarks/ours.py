"""This server, on the depot of ``examples/chat`` with more rows."""

import json
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

import seed
from contender import KEYS, LIST_LENGTH, Calls
from load import Call
from process import Process, free_port
from web import send

from trailbase_server.ids import encode_b64u

ROOT = Path(__file__).resolve().parents[1]
TRAIL = ROOT / ".venv" / "bin" / "trail"
HEALTH = "/api/healthcheck"
ROWS_PER_STATEMENT = 500


class TrailServer:
    """``trail`` of this checkout."""

    name = "trailbase-server"

    def __init__(self) -> None:
        done = subprocess.run([TRAIL, "--version"], capture_output=True, text=True, check=True)
        self.version = done.stdout.splitlines()[0]

    def seed(self, data: Path) -> None:
        """Copy the example and add a migration with the rows, which the first start applies."""
        shutil.copytree(
            ROOT / "examples" / "chat" / "depot", data, ignore=shutil.ignore_patterns("data")
        )
        migration = data / "migrations" / "main" / "U1790000100__load.sql"
        migration.write_text("\n".join(_statements()))
        self.start(data).stop()

    def start(self, data: Path, durability: str = "FULL", *options: str) -> Process:
        """Start ``trail run``, with more options if there are any."""
        port = free_port()
        command = [str(TRAIL), "--depot", str(data), "run", "--address", f"127.0.0.1:{port}"]
        if durability != "FULL":
            command += ["--synchronous", durability.lower()]
        command += options
        return Process(command, port, HEALTH, data.with_suffix(".log"))

    def calls(self, process: Process) -> Calls:
        """Log in; render the calls."""
        credentials = {"email_or_username": seed.EMAIL, "password": seed.PASSWORD}
        tokens = send("POST", f"{process.url}/api/auth/v1/login", credentials)
        token = f"Bearer {tokens['auth_token']}"
        api = "/api/records/v1"
        mine = [m for m in seed.messages(seed.MESSAGES) if seed.is_load_users(m.room)]
        rooms = [_id(_room(r)) for r in range(seed.ROOMS) if seed.is_load_users(r)]
        owner = _id(_user(0))
        page = f"limit={LIST_LENGTH}&order=-id&expand=room"
        return {
            "read": [
                Call("GET", f"{api}/message_api/{_id(_message(m.number))}", token)
                for m in mine[:KEYS]
            ],
            "public": [Call("GET", f"{api}/notices/{_id(_notice(n))}", token) for n in range(KEYS)],
            "insert": [
                Call(
                    "POST",
                    f"{api}/message_api",
                    token,
                    json.dumps({"_owner": owner, "room": room, "data": seed.TEXT}),
                )
                for room in rooms
            ],
            "list": [
                Call("GET", f"{api}/message_api?{page}&filter[room]={quote(room)}", token)
                for room in rooms
            ],
            "list_public": [Call("GET", f"{api}/notices?limit={LIST_LENGTH}&order=-id", token)],
            "login": [Call("POST", "/api/auth/v1/login", "", json.dumps(credentials))],
        }


def _key(kind: int, number: int) -> bytes:
    version = "4" if kind == 1 else "7"
    return bytes.fromhex(f"0193a5d4c100{version}0008{kind:03x}{number:012x}")


def _user(number: int) -> bytes:
    return _key(1, number)


def _room(number: int) -> bytes:
    return _key(2, number)


def _message(number: int) -> bytes:
    return _key(3, number)


def _notice(number: int) -> bytes:
    return _key(4, number)


def _id(key: bytes) -> str:
    return encode_b64u(key)


def _blob(key: bytes) -> str:
    return f"X'{key.hex()}'"


def _statements() -> list[str]:
    users = [f"({_blob(_user(0))}, '{seed.EMAIL}', hash_password('{seed.PASSWORD}'))"]
    users += [f"({_blob(_user(n))}, 'u{n}@chat.example', NULL)" for n in range(1, seed.USERS)]
    rooms = [f"({_blob(_room(n))}, 'Room {n}')" for n in range(seed.ROOMS)]
    members = [f"({_blob(_user(u))}, {_blob(_room(r))})" for u, r in seed.members()]
    messages = [
        f"({key}, {_blob(_user(m.owner))}, {_blob(_room(m.room))}, '{m.data}')"
        for m in seed.messages(seed.MESSAGES)
        for key in [_blob(_message(m.number))]
    ]
    notices = [
        f"({_blob(_notice(m.number))}, {_blob(_room(m.room))}, '{m.data}')"
        for m in seed.messages(seed.NOTICES)
    ]
    return [
        *_insert("_user (id, email, password_hash)", users),
        *_insert("room (id, name)", rooms),
        *_insert("room_members (user, room)", members),
        *_insert("message (id, _owner, room, data)", messages),
        *_insert("notice (id, room, data)", notices),
    ]


def _insert(target: str, rows: list[str]) -> list[str]:
    return [
        f"INSERT INTO {target} VALUES\n  " + ",\n  ".join(rows[at : at + ROWS_PER_STATEMENT]) + ";"
        for at in range(0, len(rows), ROWS_PER_STATEMENT)
    ]
