import sqlite3

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


def test_metrics_are_only_on_their_own_listener(pier):
    port = free_port()
    with Server(pier.root, "--metrics-address", f"127.0.0.1:{port}") as server:
        own = f"http://127.0.0.1:{port}"
        assert [status(own, path) for path in ("/metrics", *EVERYWHERE)] == [200, 200]
        assert status(server.url, "/metrics") == 404
        assert status(own, ADMINISTRATION[0]) == 404
        assert status(own, "/api/records/v1/boat") == 404


def test_metrics_can_be_on_a_unix_socket(pier, tmp_path):
    path = tmp_path / "metrics.sock"
    with Server(pier.root, "--metrics-address", f"unix:{path}"):
        assert status("http://m", "/metrics", transport=httpx.HTTPTransport(uds=str(path))) == 200


def test_the_listener_of_administration_has_metrics_for_those_with_a_token(pier, tmp_path):
    token, port = tmp_path / "token", free_port()
    token.write_text("a-token-for-scrapers")
    options = ("--admin-address", f"127.0.0.1:{port}", "--metrics-token-file", token)
    with Server(pier.root, *options) as server:
        admin = f"http://127.0.0.1:{port}"
        headers = {"authorization": "Bearer a-token-for-scrapers"}
        assert status(admin, "/metrics", headers=headers) == 200
        assert status(admin, "/metrics") == 401
        assert status(server.url, "/metrics", headers=headers) == 404


def test_without_a_token_the_listener_of_administration_has_no_metrics(apart):
    assert status(apart.admin_url, "/metrics") == 404


def test_scrapes_are_not_in_the_access_log(pier):
    port = free_port()
    with Server(pier.root, "--metrics-address", f"127.0.0.1:{port}") as server:
        assert status(f"http://127.0.0.1:{port}", "/metrics") == 200
        assert status(server.url, "/api/auth/v1/status") == 200
    with sqlite3.connect(pier.root / "data" / "logs.db") as logs:
        urls = {url for (url,) in logs.execute("SELECT url FROM _logs")}
    assert "/metrics" not in urls
    assert "/api/auth/v1/status" in urls


def test_the_same_address_for_both_is_one_listener(pier):
    port = free_port()
    address = f"127.0.0.1:{port}"
    with Server(pier.root, "--admin-address", address, port=port) as server:
        assert status(server.url, ADMINISTRATION[0]) == 401
