from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailbase_server.admin.config import get_config, update_config
from trailbase_server.admin.state import AdminState
from trailbase_server.config.holder import ConfigHolder
from trailbase_server.config.load import load_config
from trailbase_server.config.proto.config_pb2 import Config, GetConfigResponse, UpdateConfigRequest
from trailbase_server.schema.model import Catalog
from trailbase_server.web.errors import error_response
from trailbase_server.web.request import Request

CONFIG = """\
email { smtp_host: "127.0.0.1" smtp_port: 25 smtp_encryption: SMTP_ENCRYPTION_NONE
  smtp_password: "horn-and-seal" smtp_username: "post" }
server { application_name: "Harbor" }
"""
MISSING_SECRET = (
    b'Config: Valiation error: auth.oauth_providers["github"].client_secret: '
    b'Missing secret for: ["AUTH", "OAUTH_PROVIDERS", "GITHUB", "CLIENT_SECRET"]'
)


@pytest.fixture
def state(tmp_path):
    (tmp_path / "config.textproto").write_text(CONFIG)
    holder = ConfigHolder(load_config(tmp_path, {}), {})
    return AdminState(holder, Catalog, public_key_pem="", threads=1, started_at=0)


def read(state):
    response = get_config(state, Request("GET", "/api/_admin/config"))
    assert response.status == 200
    assert response.headers == [(b"content-type", b"application/octet-stream")]
    return GetConfigResponse.FromString(response.body)


async def send(state, body):
    if not isinstance(body, bytes):
        body = body.SerializeToString()
    request = Request("POST", "/api/_admin/config", body=body)
    try:
        return await update_config(state, request)
    except Exception as exc:  # noqa: BLE001  # as the dispatcher does
        return error_response(exc)


@pytest.mark.case("T-94")
def test_reading_shows_placeholders_and_the_hash(state):
    answer = read(state)
    assert answer.config.email.smtp_password == "<REDACTED>"
    assert answer.config.server.application_name == "Harbor"
    assert answer.config.HasField("jobs")
    assert answer.hash == state.config.hash
    assert read(state) == answer


async def test_what_was_read_is_sent_back_changed(state):
    answer = read(state)
    answer.config.server.application_name = "Haven"
    response = await send(state, UpdateConfigRequest(config=answer.config, hash=answer.hash))
    assert (response.status, response.body) == (200, b"Config updated")
    fresh = read(state)
    assert fresh.config.server.application_name == "Haven"
    assert dict(response.headers)[b"x-config-hash"] == fresh.hash.encode() != answer.hash.encode()
    assert state.config.config.email.smtp_password == "horn-and-seal"


async def test_the_whole_document_is_replaced(state):
    update = UpdateConfigRequest(
        config=Config(server={"application_name": "Haven"}), hash=state.config.hash
    )
    assert (await send(state, update)).status == 200
    assert not read(state).config.email.HasField("smtp_host")


@pytest.mark.parametrize(
    ("change", "status", "body"),
    [
        (lambda update: b"\xff\xff\xff", 422, b"invalid input"),
        (lambda update: b"", 412, b"precondition failed: Missing hash"),
        (lambda update: update.ClearField("hash"), 412, b"precondition failed: Missing hash"),
        (lambda update: update.ClearField("config"), 412, b"precondition failed: Missing config"),
        (
            lambda update: setattr(update, "hash", "stale"),
            409,
            b"Config: Update error: Config update failed: mismatching or stale hash",
        ),
        (
            lambda update: setattr(update.config.server, "application_name", ""),
            400,
            b"Config: Valiation error: server.application_name: Application name must not be empty",
        ),
        (
            lambda update: update.config.auth.oauth_providers["github"].MergeFromString(
                b"\x0a\x01a\x12\x0a<REDACTED>\x18\x11"
            ),
            400,
            MISSING_SECRET,
        ),
    ],
)
async def test_refusals(state, change, status, body):
    answer = read(state)
    update = UpdateConfigRequest(config=answer.config, hash=answer.hash)
    changed = change(update)
    response = await send(state, changed if isinstance(changed, bytes) else update)
    assert (response.status, response.body) == (status, body)
    assert read(state) == answer


async def test_nothing_is_changed_in_a_demo(state):
    state.demo = True
    response = await send(state, UpdateConfigRequest())
    assert (response.status, response.body) == (412, b"precondition failed: Disallowed in demo")


async def test_nothing_is_changed_while_updates_are_off(state):
    state.config.readonly = True
    answer = read(state)
    response = await send(state, UpdateConfigRequest(config=answer.config, hash=answer.hash))
    assert (response.status, response.body) == (
        412,
        b"precondition failed: the configuration is read-only",
    )


@pytest.mark.parametrize(
    "body",
    [
        b"\n\xff\xff\xff\xff\x0f",
        b"\x0a\x02\x1a\x05",
        b"\n\x00\x12\x01\xff",
        b"\x0a\x05\x1a\x03\x0a\x01\xff\x12\x01a",
        b"\x0a\x08\x22\x06\xaa\x01\x01\xff\x5a\x00\x12\x01a",
        b"\x0a\x07\x22\x05\x5a\x03\x0a\x01\xff\x12\x01a",
        b"\x0a\x07\x5a\x05\x52\x03ab\xff\x12\x01a",
    ],
)
async def test_broken_messages_are_the_clients_mistake(state, body):
    response = await send(state, body)
    assert (response.status, response.body) == (422, b"invalid input")


@settings(deadline=None)  # a busy machine
@given(st.binary(max_size=60))
async def test_no_body_is_a_server_error(body):
    with TemporaryDirectory() as depot:
        (Path(depot) / "config.textproto").write_text(CONFIG)
        holder = ConfigHolder(load_config(Path(depot), {}), {})
        made = AdminState(holder, Catalog, public_key_pem="", threads=1, started_at=0)
        assert (await send(made, body)).status < 500
