import httpx
import pytest

from tests.serving import Server, free_port

EVERYWHERE = ("/api/healthcheck",)
ADMINISTRATION = ("/api/_admin/info", "/api/_admin/config")


def status(url, path, **options):
    with httpx.Client(base_url=url, **options) as client:
        return client.get(path).status_code


@pytest.fixture
def apart(pier):
    """A server whose administration has a port of its own."""
    port = free_port()
    with Server(pier.root, "--admin-address", f"127.0.0.1:{port}") as server:
        server.admin_url = f"http://127.0.0.1:{port}"
        yield server


def test_administration_is_only_on_its_own_listener(apart):
    for path in ADMINISTRATION:
        assert status(apart.url, path) == 404
        assert status(apart.admin_url, path) == 401


def test_both_listeners_tell_their_health(apart):
    for path in EVERYWHERE:
        assert status(apart.url, path) == 200
        assert status(apart.admin_url, path) == 200


def test_an_administrator_can_log_in_where_administration_is(apart):
    answer = httpx.post(
        f"{apart.admin_url}/api/auth/v1/login", json={"email": "x@y.test", "password": "wrong"}
    )
    assert answer.status_code == 401
    assert status(apart.admin_url, "/api/auth/v1/status") == 200


def test_records_and_other_flows_of_accounts_are_not_on_the_listener_of_administration(apart):
    assert status(apart.admin_url, "/api/records/v1/anything") == 404
    assert httpx.post(f"{apart.admin_url}/api/auth/v1/register", json={}).status_code == 404


def test_administration_can_be_on_a_unix_socket(pier, tmp_path):
    path = tmp_path / "admin.sock"
    with Server(pier.root, "--admin-address", f"unix:{path}") as server:
        transport = httpx.HTTPTransport(uds=str(path))
        assert status("http://admin", ADMINISTRATION[0], transport=transport) == 401
        assert status(server.url, ADMINISTRATION[0]) == 404
    assert not path.exists()


def test_administration_can_be_off(pier):
    with Server(pier.root, "--no-admin") as server:
        assert status(server.url, ADMINISTRATION[0]) == 404
        assert status(server.url, "/api/auth/v1/status") == 200


def test_the_same_address_for_both_is_one_listener(pier):
    port = free_port()
    address = f"127.0.0.1:{port}"
    with Server(pier.root, "--admin-address", address, port=port) as server:
        assert status(server.url, ADMINISTRATION[0]) == 401
