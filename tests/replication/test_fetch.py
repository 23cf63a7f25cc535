"""Databases out of a replica that the real Litestream has made."""

import os
import subprocess
import time

import apsw
import pytest

from trailbase_server.errors import OperatorError
from trailbase_server.replication.fetch import ReplicaReader
from trailbase_server.replication.program import build_environment, find_program
from trailbase_server.replication.render import render_config
from trailbase_server.replication.settings import ReplicationSettings
from trailbase_server.replication.target import Bucket, Directory


@pytest.fixture(scope="module")
def replica(tmp_path_factory):
    """Settings of a replica, and the moment between its two writes."""
    root = tmp_path_factory.mktemp("replica")
    settings = ReplicationSettings(Directory(root / "to"))
    data = root / "data"
    data.mkdir()
    config = root / "litestream.yml"
    config.write_text(render_config(settings, data, ["main.db"], None))
    connection = apsw.Connection(str(data / "main.db"))
    connection.pragma("journal_mode", "WAL")
    connection.wal_autocheckpoint(0)
    connection.execute("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
    ship(config, settings)
    time.sleep(1.2)
    between = time.time()
    time.sleep(1.2)
    connection.execute("INSERT INTO t VALUES (2)")
    ship(config, settings)
    connection.close()
    return settings, between


def ship(config, settings):
    environment = build_environment(settings.target, os.environ)
    command = [find_program(), "replicate", "-once", "-no-expand-env", "-config", config]
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=50)


def rows(path):
    connection = apsw.Connection(str(path))
    try:
        return [value for (value,) in connection.execute("SELECT a FROM t ORDER BY a")]
    finally:
        connection.close()


def test_the_latest_and_a_moment(replica, tmp_path):
    settings, between = replica
    reader = ReplicaReader(settings, tmp_path, os.environ)
    assert reader.fetch("main.db", tmp_path / "new.db", None)
    assert rows(tmp_path / "new.db") == [1, 2]
    assert (tmp_path / "new.db").stat().st_mode & 0o777 == 0o600
    assert reader.fetch("main.db", tmp_path / "old.db", between)
    assert rows(tmp_path / "old.db") == [1]


def test_what_is_not_there_is_told(replica, tmp_path):
    settings, _ = replica
    reader = ReplicaReader(settings, tmp_path, os.environ)
    assert not reader.fetch("main.db", tmp_path / "a.db", 1_000_000_000.0)
    assert not reader.fetch("tide.db", tmp_path / "b.db", None)
    assert not (tmp_path / "a.db").exists()


def test_a_replica_that_cannot_be_read_is_an_error(tmp_path):
    place = tmp_path / "to"
    place.write_text("a file")
    reader = ReplicaReader(ReplicationSettings(Directory(place)), tmp_path, os.environ)
    with pytest.raises(OperatorError, match=r"cannot read the replica of main\.db"):
        reader.fetch("main.db", tmp_path / "a.db", None)


def test_explanations_hold_no_keys_and_end(tmp_path):
    target = Bucket("bay", access_key="the-long-id", secret_access_key="the-long-key")
    reader = ReplicaReader(ReplicationSettings(target), tmp_path, {"PATH": os.environ["PATH"]})
    said = "first\nError: the-long-key is wrong " + "x" * 1000 + "\nlast"
    assert reader._explain(said).startswith("… is wrong xxx")
    assert len(reader._explain(said)) < 600
    assert reader._explain("") == "no reason given"
