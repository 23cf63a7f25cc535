import signal
import subprocess
import sys

import pytest

from tests.serving import Server


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_with_success(pier, number):
    with Server(pier.root) as server:
        server.process.send_signal(number)
        assert server.process.wait(10) == 0
    assert "Shut down gracefully" in server.log.read_text()


def test_a_second_server_on_one_depot_is_refused(pier):
    with Server(pier.root), pytest.raises(Exception, match="in use by another server"):
        Server(pier.root)


STARTED = """
import asyncio, sys
from pathlib import Path
import trailbase_server.cli.run, trailbase_server.server.serve
from trailbase_server.server.app import build_application
from trailbase_server.server.options import ServerOptions
from trailbase_server.server.running import background_work
from trailbase_server.server.start import open_depot

async def main():
    async with open_depot(ServerOptions(Path(sys.argv[1]))) as depot, background_work(depot):
        build_application(depot)
        print(*sys.modules)

asyncio.run(main())
"""
# Ours are without ``trailbase_server``. What one of them imports is left out.
WAITING = frozenset(
    (
        *("acme", "argon2", "authlib", "bcrypt", "cryptography", "filetype", "httpx", "idna"),
        *("jinja2", "jsonschema_rs", "jwt", "maxminddb", "mcp", "obstore", "opentelemetry"),
        *("prometheus_client", "re2", "rich", "shapely", "sqlite_vec", "starlette", "websockets"),
        *("admin.backups", "admin.config", "admin.jobs", "admin.users", "audit.search"),
        *("auth.accounts", "auth.avatar", "auth.oauth.callback", "auth.pages.profile"),
        *("auth.pages.sign_in", "auth.passkeys.enrol", "auth.passkeys.verify", "auth.register"),
        *("backups.bucket", "backups.create", "backups.restore", "backups.verify", "cli.user"),
        *("mail.sendmail", "mail.smtp", "server.acme.keeper", "server.metrics.reading"),
        *("server.replication", "server.static", "server.tls", "sqlite.backup"),
    )
)


def test_a_start_imports_nothing_that_a_server_may_never_need(tmp_path):
    command = [sys.executable, "-c", STARTED, str(tmp_path / "depot")]
    for _ in range(2):  # the first makes the depot: keys, a password
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = {name.removeprefix("trailbase_server.") for name in done.stdout.split()}
    assert "records.read" in imported
    assert sorted(imported & WAITING) == []
