import gc
from dataclasses import fields
from pathlib import Path

import click
import pytest

from trailbase_server.cli.main import run_command
from trailbase_server.cli.run import build_options, run
from trailbase_server.server.options import ServerOptions

GENERAL = ServerOptions(depot=Path("here"), public_url="http://a.test")


def options(*words):
    return build_options(GENERAL, run.make_context("run", list(words)).params)


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for parameter in run.params:
        monkeypatch.delenv(str(parameter.envvar), raising=False)


def test_every_option_is_one_of_a_start_and_has_its_default():
    names = {parameter.name for parameter in run.params}
    assert names | {"depot", "public_url"} == {field.name for field in fields(ServerOptions)}
    assert options() == GENERAL


def test_flags_are_taken_over():
    given = options(
        *("-a", "[::1]:80", "--public-dir", "pub", "--spa", "--geoip-db-path=g.mmdb", "--dev"),
        *("--cors-allowed-origins", "http://a.test", "--cors-allowed-origins", "http://b.test"),
        *("--runtime-threads", "3", "--synchronous", "normal", "--config-readonly"),
        *("--trusted-proxies", "10.0.0.0/8,unix", "--trusted-proxies", "private"),
        *("--proxy-hops", "2", "--rate-limit", "600/60:50"),
        *("--tls-cert", "c.pem", "--tls-key", "k.pem", "--tls-min-version", "1.3"),
        *("--http-redirect-address", "[::]:80", "--acme-domain", "a.test"),
        *("--acme-domain", "b.test", "--acme-email", "a@b.test"),
        *("--acme-directory", "staging", "--acme-ca-file", "ca.pem"),
    )
    assert given == ServerOptions(
        depot=Path("here"),
        public_url="http://a.test",
        address="[::1]:80",
        public_dir=Path("pub"),
        spa=True,
        geoip_db_path=Path("g.mmdb"),
        dev=True,
        cors_allowed_origins=("http://a.test", "http://b.test"),
        runtime_threads=3,
        synchronous="NORMAL",
        config_readonly=True,
        trusted_proxies=("10.0.0.0/8,unix", "private"),
        proxy_hops=2,
        rate_limit="600/60:50",
        tls_cert=Path("c.pem"),
        tls_key=Path("k.pem"),
        tls_min_version="1.3",
        http_redirect_address="[::]:80",
        acme_domain=("a.test", "b.test"),
        acme_email="a@b.test",
        acme_directory="staging",
        acme_ca_file=Path("ca.pem"),
    )


def test_origins_are_not_split_at_commas():
    assert options("--cors-allowed-origins", "a,b").cors_allowed_origins == ("a,b",)


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        ("ADDRESS", "0.0.0.0:80", "address", "0.0.0.0:80"),
        ("PUBLIC_DIR", "pub", "public_dir", Path("pub")),
        ("SPA", "true", "spa", True),
        ("SPA", "0", "spa", False),
        ("GEOIP_DB_PATH", "g", "geoip_db_path", Path("g")),
        ("RUNTIME_THREADS", "2", "runtime_threads", 2),
        ("SYNCHRONOUS", "NORMAL", "synchronous", "NORMAL"),
        ("CONFIG_READONLY", "1", "config_readonly", True),
        ("TRUSTED_PROXIES", "10.0.0.0/8,::1 unix", "trusted_proxies", ("10.0.0.0/8,::1", "unix")),
        ("PROXY_HOPS", "3", "proxy_hops", 3),
        ("RATE_LIMIT", "5/1", "rate_limit", "5/1"),
        ("ACCESS_LOG", "stdout", "access_log", "stdout"),
        ("LOG_FORMAT", "json", "log_format", "json"),
        ("SLOW_QUERY_MS", "20", "slow_query_ms", 20),
    ],
)
def test_variables_are_taken_over(monkeypatch, variable, text, field, value):
    monkeypatch.setenv(variable, text)
    assert getattr(options(), field) == value


def test_a_flag_wins_over_its_variable(monkeypatch):
    monkeypatch.setenv("ADDRESS", "a:1")
    assert options("--address", "b:2").address == "b:2"


@pytest.mark.parametrize(
    "words",
    [
        ["--runtime-threads", "-1"],
        ["--runtime-threads", "many"],
        ["--synchronous", "off"],
        ["--trusted-proxies", "example.org"],
        ["--trusted-proxies", "none", "--trusted-proxies", "private"],
        ["--proxy-hops", "0"],
        ["--rate-limit", "fast"],
        ["--access-log", "file"],
        ["--slow-query-ms", "-1"],
        ["--address"],
    ],
)
def test_nonsense_is_wrong_usage(words):
    with pytest.raises(click.UsageError):
        options(*words)


def test_a_start_that_fails_leaves_the_collector_on(tmp_path, capsys):
    words = ["--depot", str(tmp_path / "depot"), "run", "--public-dir", str(tmp_path / "nowhere")]
    assert run_command(words) == 1
    assert "Path not found" in capsys.readouterr().err
    assert gc.isenabled()
