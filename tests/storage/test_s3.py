"""The bucket: what is particular to it. That it keeps the contract is tested in ``test_base``."""

import socket

import pytest

from tests.storage.conftest import bucket
from tests.storage.test_base import new_key
from trailbase_server.storage import s3
from trailbase_server.storage.base import StorageUnavailableError


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(s3, "RETRIES", 0)
    monkeypatch.setattr(s3, "CONNECT_TIMEOUT_S", 1)


async def test_a_bucket_that_is_down_is_unavailable(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    storage = bucket(f"http://127.0.0.1:{port}", "b", tmp_path)
    for operation in (
        storage.put(new_key(), b"x"),
        storage.open(new_key()),
        storage.delete(new_key()),
    ):
        with pytest.raises(StorageUnavailableError):
            await operation
    with pytest.raises(StorageUnavailableError):
        [key async for key in storage.list()]


async def test_a_bucket_that_does_not_exist_takes_nothing(s3_server, tmp_path):
    storage = bucket(s3_server, "no-such-bucket", tmp_path)
    with pytest.raises(StorageUnavailableError):
        await storage.put(new_key(), b"x")


async def test_settings_come_from_the_environment_where_the_options_have_none(
    s3_server, tmp_path, monkeypatch
):
    from tests.storage.conftest import make_bucket

    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    make_bucket(s3_server, "from-env")
    storage = s3.S3Storage(s3.S3Options("from-env"), tmp_path)
    key = new_key()
    await storage.put(key, b"x")
    assert [found async for found in storage.list()] == [key]
