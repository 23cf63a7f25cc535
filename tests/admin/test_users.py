"""The user API behind the handlers: pages, filters, changes, what ends sessions."""

import json
from urllib.parse import urlencode

import pytest

from trailbase_server.admin.users import change_user, create_user, list_users, remove_user
from trailbase_server.auth.keys import SigningKeys, _derive_public
from trailbase_server.auth.sessions import find_session, insert_session, stored_form
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.users import find_by_email, find_user
from trailbase_server.clock import FrozenClock
from trailbase_server.crypto import verify_password
from trailbase_server.ids import encode_b64u, render_uuid_text
from trailbase_server.migrations.embedded import system_migrations
from trailbase_server.migrations.runner import migrate
from trailbase_server.schema.registry import SchemaRegistry
from trailbase_server.sqlite.database import SqliteDatabase
from trailbase_server.sqlite.functions import register_functions
from trailbase_server.sqlite.open import DatabaseFiles, open_connection
from trailbase_server.web.errors import error_response
from trailbase_server.web.request import Request

SEED = bytes(range(32))
BOSS, NORA, LENA, WAITING = (bytes(15) + bytes([n]) for n in range(1, 5))
TOKEN = "t" * 86
PEOPLE = (
    (BOSS, "boss@auth.test", None, "boss", 1),
    (NORA, "nora@auth.test", None, "nora", 0),
    (LENA, "lena@auth.test", None, None, 0),
    (WAITING, None, "waiting@auth.test", "waiting", 0),
)


def prepare(connection):
    register_functions(connection, SchemaRegistry(), None)


@pytest.fixture(scope="module")
def templates(tmp_path_factory):
    directory = tmp_path_factory.mktemp("templates")
    for kind in ("main", "session"):
        connection = open_connection(
            DatabaseFiles(directory / f"{kind}.db", prepare=prepare), "migrator"
        )
        migrate(connection, system_migrations(kind), kind)
        if kind == "main":
            connection.executemany(
                "INSERT INTO _user (id, email, unverified_email, username, admin, password_hash, "
                "totp_secret) VALUES (?, ?, ?, ?, ?, 'x', 'y')",
                PEOPLE,
            )
        connection.close()
    return directory


@pytest.fixture
async def state(templates, tmp_path):
    opened = []
    for kind in ("main", "session"):
        path = tmp_path / f"{kind}.db"
        path.write_bytes((templates / path.name).read_bytes())
        opened.append(SqliteDatabase(DatabaseFiles(path, prepare=prepare)))
    state = AuthState(*opened, SigningKeys(SEED, _derive_public(SEED)), FrozenClock())
    yield state
    state.close()
    for database in opened:
        await database.close()


def listed(state, query=None):
    try:
        response = list_users(state, Request("GET", "/", urlencode(query or {})))
    except Exception as exc:  # noqa: BLE001  # as the dispatcher does
        return error_response(exc).status
    return json.loads(response.body)


def names(state, **query):
    return [user["username"] for user in listed(state, query)["users"]]


async def send(handler, state, body, kind=b"application/json"):
    request = Request("POST", "/", "", [(b"content-type", kind)], json.dumps(body).encode())
    try:
        return await handler(state, request)
    except Exception as exc:  # noqa: BLE001  # as the dispatcher does
        return error_response(exc)


async def change(state, who=NORA, **members):
    return await send(change_user, state, {"id": render_uuid_text(who), **members})


async def open_session(state, who=NORA):
    write = state.session_database.write
    await write(insert_session, who, stored_form(TOKEN), 0, 2**40)


async def is_live(state):
    return await find_session(state.session_database, TOKEN, 0) is not None


def test_a_page_without_secrets(state):
    page = listed(state)
    assert page["total_row_count"] == 4
    assert [user["id"][-2:] for user in page["users"]] == ["04", "03", "02", "01"]
    first = page["users"][0]
    assert isinstance(first.pop("created"), int)
    assert isinstance(first.pop("updated"), int)
    assert first == {
        "id": "00000000-0000-0000-0000-000000000004",
        "email": None,
        "unverified_email": "waiting@auth.test",
        "username": "waiting",
        "admin": False,
        "provider_id": 0,
        "provider_user_id": None,
    }
    assert page["users"][3]["admin"] is True


def test_order_page_and_filters(state):
    assert names(state, limit=2, offset=1, order="username") == ["boss", "nora"]
    assert listed(state, {"limit": 1})["total_row_count"] == 4
    page = listed(state, {"filter[email][$like]": "%n%@%"})
    assert (page["total_row_count"], len(page["users"])) == (2, 2)
    assert names(state, **{"filter[admin]": 1}) == ["boss"]
    assert names(state, **{"filter[id]": encode_b64u(NORA)}) == ["nora"]
    assert listed(state, {"limit": 0})["users"] == []


async def test_patterns_are_matched_off_the_loop(state):
    query = {"filter[email][$re]": "^nora"}
    assert (await state.database.on_pool(listed, state, query))["total_row_count"] == 1


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 1025},
        {"filter[colour]": "blue"},
        {"filter[password_hash]": "x"},
        {"filter[totp_secret][$like]": "A%"},
        {"order": "password_hash"},
        {"order": "colour"},
        {"filter[created]": "yesterday"},
    ],
)
def test_lists_that_are_refused(state, query):
    assert listed(state, query) == 400


def fresh(**more):
    return {
        "email": " ivy@auth.test ",
        "password": "tulip-and-rope-9",
        "verified": True,
        "admin": False,
        **more,
    }


async def test_making_users(state):
    made = await send(create_user, state, fresh())
    assert made.status == 200
    user = await find_by_email(state.database, "IVY@auth.test")
    assert json.loads(made.body) == {"id": render_uuid_text(user.id)}
    assert verify_password(user.password_hash, "tulip-and-rope-9")
    assert not user.admin
    await send(create_user, state, fresh(email="gwen@auth.test", admin=True))
    assert (await find_by_email(state.database, "gwen@auth.test")).admin


async def test_who_is_not_verified_is_mailed(state):
    sent = []

    async def mailer(*mail):
        sent.append(mail)

    state.mailer = mailer
    made = await send(create_user, state, fresh(verified=False))
    assert made.status == 200
    [(letter, to, _)] = sent
    assert (letter, to) == ("verify_email", "ivy@auth.test")
    assert await find_by_email(state.database, "ivy@auth.test") is None
    assert (await send(create_user, state, fresh(verified=False))).status == 409
    assert (await send(create_user, state, fresh())).status == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (fresh(email="NORA@auth.test"), 409),
        (fresh(email="ivy"), 400),
        (fresh(password="short"), 400),
        (fresh(verified=None), 422),
        (fresh(admin=1), 422),
        (fresh(email=7), 422),
        ([], 422),
        ({}, 422),
    ],
)
async def test_users_that_are_not_made(state, body, status):
    assert (await send(create_user, state, body)).status == status
    assert listed(state)["total_row_count"] == 4


async def test_only_json_is_taken(state):
    assert (await send(create_user, state, fresh(), b"text/plain")).status == 415


@pytest.mark.parametrize(
    ("members", "ends"),
    [
        ({"username": "norah"}, False),
        ({"username": ""}, False),
        ({}, False),
        ({"email": None, "password": None}, False),
        ({"email": "norah@auth.test"}, True),
        ({"email": "", "unverified_email": "nora@auth.test"}, True),
        ({"password": "x"}, True),
    ],
)
async def test_what_is_changed_and_what_ends_sessions(state, members, ends):
    await open_session(state)
    before = await find_user(state.database, NORA)
    assert (await change(state, **members)).status == 200
    after = await find_user(state.database, NORA)
    for name in ("email", "unverified_email", "username"):
        wanted = members.get(name)
        assert getattr(after, name) == (getattr(before, name) if wanted is None else wanted or None)
    assert (after.password_hash != before.password_hash) == bool(members.get("password"))
    assert await is_live(state) != ends


@pytest.mark.parametrize(
    ("who", "members", "status"),
    [
        (NORA, {"email": "nora"}, 400),
        (NORA, {"username": "n_o"}, 400),
        (NORA, {"password": ""}, 400),
        (NORA, {"email": 7}, 422),
        (NORA, {"email": "lena@auth.test"}, 409),
        (NORA, {"username": "BOSS"}, 409),
        (BOSS, {"username": "keeper"}, 412),
        (BOSS, {}, 412),
        (bytes(16), {"username": "nobody"}, 404),
    ],
)
async def test_changes_that_are_refused(state, who, members, status):
    await open_session(state)
    assert (await change(state, who, **members)).status == status
    assert await is_live(state)


@pytest.mark.parametrize("handler", [change_user, remove_user])
async def test_an_id_is_a_uuid(state, handler):
    for body in ({}, {"id": encode_b64u(NORA)}, {"id": 7}, {"id": "nora"}):
        assert (await send(handler, state, body)).status == 422


async def test_deleting(state):
    await open_session(state)
    statuses = [
        (await send(remove_user, state, {"id": render_uuid_text(who)})).status
        for who in (NORA, NORA, BOSS)
    ]
    assert statuses == [200, 404, 412]
    assert not await is_live(state)
    assert await find_user(state.database, NORA) is None


async def test_who_is_referred_to_stays(state):
    await state.database.write(refer)
    assert (await send(remove_user, state, {"id": render_uuid_text(NORA)})).status == 400
    assert await find_user(state.database, NORA) is not None


def refer(tx):
    tx.run("CREATE TABLE note (user BLOB REFERENCES _user (id)) STRICT")
    tx.run("INSERT INTO note VALUES (?1)", (NORA,))
