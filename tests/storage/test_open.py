"""Which store a configuration means."""

import sys

import pytest

from trailbase_server.config.proto.config_pb2 import S3StorageConfig, ServerConfig
from trailbase_server.errors import OperatorError
from trailbase_server.storage.local import LocalStorage
from trailbase_server.storage.open import open_storage
from trailbase_server.storage.s3 import S3Storage


async def test_without_a_bucket_files_are_in_the_depot(tmp_path):
    storage = open_storage(ServerConfig(), tmp_path)
    assert isinstance(storage, LocalStorage)
    assert storage.spool.directory.parent == tmp_path
    await storage.close()


def test_a_bucket_is_used_when_it_is_configured(tmp_path):
    config = ServerConfig(
        s3_storage_config=S3StorageConfig(bucket_name="b", endpoint="http://s3.test", region="r")
    )
    storage = open_storage(config, tmp_path)
    assert isinstance(storage, S3Storage)
    assert storage.spool.directory.parent == tmp_path


def test_a_bucket_has_a_name(tmp_path):
    with pytest.raises(OperatorError, match="bucket_name is missing"):
        open_storage(ServerConfig(s3_storage_config=S3StorageConfig(region="r")), tmp_path)


def test_a_missing_library_is_said_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    config = ServerConfig(s3_storage_config=S3StorageConfig(bucket_name="b"))
    with pytest.raises(OperatorError, match="pip install"):
        open_storage(config, tmp_path)
