"""Settings of replication from the command line, the configuration and the environment."""

from pathlib import Path

import pytest

from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.errors import OperatorError
from trailbase_server.replication.settings import compile_replication
from trailbase_server.replication.target import Bucket, Directory

DEPOT = Path("/srv/depot")


def settings(wanted, config=None, environ=None):
    return compile_replication(wanted, config or Config(), DEPOT, environ or {})


def test_the_command_line_alone_is_enough():
    found = settings("file:///mnt/replica")
    assert found.target == Directory(Path("/mnt/replica"))
    assert (found.with_logs, found.keep_hours) == (False, 72)


@pytest.mark.parametrize("wanted", ["config", "sidecar"])
def test_the_configuration_says_where_to(wanted):
    config = Config()
    config.replication.directory = "../replica"
    config.replication.include_logs = True
    config.replication.keep_hours = 5
    found = settings(wanted, config)
    assert found.target == Directory(Path("/srv/replica"))
    assert (found.with_logs, found.keep_hours) == (True, 5)


@pytest.mark.parametrize("wanted", ["config", "sidecar"])
def test_a_configuration_without_a_target_is_told(wanted):
    with pytest.raises(OperatorError, match=r"replication\.directory"):
        settings(wanted)


def test_keys_of_the_same_bucket_are_found():
    config = Config()
    for s3 in (config.backups.s3, config.replication.s3):
        s3.bucket_name = "pier"
        s3.endpoint = "http://s3.test"
    config.backups.s3.access_key = config.backups.s3.secret_access_key = "of-backups"
    found = settings("s3://pier/x", config)
    assert found.target == Bucket("pier", "x", "http://s3.test", None, "of-backups", "of-backups")
    assert settings("s3://other", config).target == Bucket("other")
    config.replication.s3_prefix = "/a/"
    assert settings("config", config).target.prefix == "a"


def test_the_environment_fills_what_is_left():
    environ = {"AWS_ENDPOINT_URL": "http://e", "AWS_DEFAULT_REGION": "r", "AWS_REGION": "q"}
    assert settings("s3://bay", environ=environ).target == Bucket("bay", "", "http://e", "q")
    given = settings("s3://bay?endpoint=http://mine&region=x", environ=environ)
    assert given.target == Bucket("bay", "", "http://mine", "x")
