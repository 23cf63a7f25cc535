"""A depot that has been started once, and ways to look into its files."""

import asyncio
import shutil
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from tests.pier import Pier
from trailbase_server.backups.create import Order, create_backup
from trailbase_server.backups.settings import BackupSettings
from trailbase_server.backups.sources import find_sources
from trailbase_server.sqlite.functions import register_functions

KEYS = [f"0190a000-0000-7000-8000-00000000000{n}" for n in range(4)]


def prepare_for(_home):
    def prepare(connection):
        register_functions(connection, registry=None, geoip=None)

    return prepare


def ask(path, sql):
    with closing(apsw.Connection(str(path))) as connection:
        prepare_for("")(connection)
        connection.set_busy_timeout(5000)
        return connection.execute(sql).fetchall()


def boats(depot):
    return [name for (name,) in ask(depot / "data" / "main.db", "SELECT name FROM boat ORDER BY 1")]


def add_boat(depot, name):
    ask(depot / "data" / "main.db", f"INSERT INTO boat (name) VALUES ('{name}')")


def order_of(depot, **changes):
    settings = BackupSettings(depot / "backups", **changes)
    return Order(depot, find_sources(depot / "data", with_logs=settings.with_logs), settings)


async def back_up(depot, **changes):
    return await create_backup(order_of(depot, **changes))


async def _start_once(root):
    async with Pier(root).opened():
        pass


@pytest.fixture(scope="session")
def started(tmp_path_factory):
    root = tmp_path_factory.mktemp("template") / "depot"
    asyncio.run(_start_once(root))
    add_boat(root, "one")
    for key in KEYS[:2]:
        (root / "uploads" / key).write_text(key)
    return root


@pytest.fixture
def depot(started, tmp_path):
    """A depot on disk with one boat and two uploaded objects."""
    return Path(shutil.copytree(started, tmp_path / "depot"))
