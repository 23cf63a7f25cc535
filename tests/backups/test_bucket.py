"""Backups in a real S3 server, with the objects that they share."""

import shutil
import time

import pytest

from tests.backups.conftest import KEYS, back_up, boats, prepare_for
from tests.serving import free_port
from tests.storage.conftest import make_bucket, s3_server  # noqa: F401  # a fixture
from trailbase_server.backups.bucket import BucketShelf
from trailbase_server.backups.errors import BackupError, UnknownBackupError
from trailbase_server.backups.retention import Retention
from trailbase_server.backups.service import open_bucket_shelf, prune, upload_missing
from trailbase_server.backups.settings import BackupSettings
from trailbase_server.backups.shelf import Shelf
from trailbase_server.backups.verify import verify_backup
from trailbase_server.errors import OperatorError
from trailbase_server.storage.s3 import S3Options


def options_of(url, name):
    return S3Options(name, url, "us-east-1", "key", "secret")


@pytest.fixture
def options(s3_server):  # noqa: F811
    name = f"b{time.monotonic_ns()}"
    make_bucket(s3_server, name)
    return options_of(s3_server, name)


async def keys(bucket):
    return sorted(await bucket._keys(""))


@pytest.mark.timeout(120)
@pytest.mark.parametrize("prefix", ["", "pier/", "deep/pier"])
async def test_there_and_back(depot, options, prefix, tmp_path):
    bucket = BucketShelf(options, prefix)
    assert await bucket.list() == []
    one, two = await back_up(depot, compress=bool(prefix)), await back_up(depot)
    for backup in (one, two):
        await bucket.store(backup)
    assert await bucket.list() == [one.timestamp, two.timestamp]
    assert [key for key in await keys(bucket) if "objects" in key] == [
        f"objects/{key}" for key in KEYS[:2]
    ]
    shelf = Shelf(tmp_path / "fetched")
    with shelf.locked():
        fetched = await bucket.fetch(one.timestamp, shelf)
        with pytest.raises(UnknownBackupError):
            await bucket.fetch(5, shelf)
    names = {path.relative_to(fetched.path) for path in fetched.path.rglob("*")}
    assert names == {path.relative_to(one.path) for path in one.path.rglob("*")}
    assert verify_backup(fetched, prepare_for).problems == []
    assert boats(depot) == ["one"]


@pytest.mark.timeout(120)
async def test_objects_go_with_the_last_backup_that_has_them(depot, options):
    bucket = BucketShelf(options, "")
    one = await back_up(depot)
    (depot / "uploads" / KEYS[0]).unlink()
    (depot / "uploads" / KEYS[2]).write_text("new")
    two = await back_up(depot)
    for backup in (one, two):
        await bucket.store(backup)
    await bucket.remove([one.timestamp])
    assert await bucket.list() == [two.timestamp]
    left = await keys(bucket)
    assert [key for key in left if key.startswith("objects/")] == [
        f"objects/{key}" for key in KEYS[1:3]
    ]
    assert not any(key.startswith(f"{one.timestamp}/") for key in left)
    await bucket.remove([two.timestamp])
    assert await keys(bucket) == []


@pytest.mark.timeout(120)
async def test_half_a_backup_counts_for_nothing_and_what_is_missing_is_caught_up(depot, options):
    settings = BackupSettings(depot / "backups", Retention(2), bucket=options, prefix="x")
    bucket = open_bucket_shelf(settings)
    made = [(await back_up(depot)).timestamp for _ in range(2)]
    await upload_missing(settings)
    await bucket._delete(f"{made[1]}/manifest.json")
    assert await bucket.list() == [made[0]]
    made.append((await back_up(depot)).timestamp)
    await upload_missing(settings)
    assert await bucket.list() == made
    await prune(settings, set())
    assert await bucket.list() == made[1:]
    assert [one.timestamp for one in Shelf(settings.directory).list()] == made[1:]


async def test_a_bucket_that_does_not_answer_is_told(depot):
    bucket = BucketShelf(options_of(f"http://127.0.0.1:{free_port()}", "nowhere"), "")
    backup = await back_up(depot)
    for work in (bucket.list(), bucket.store(backup), bucket.remove([5])):
        with pytest.raises(BackupError, match='the bucket "nowhere" cannot be used'):
            await work
    shutil.rmtree(backup.path)


def test_no_bucket_is_told(tmp_path):
    with pytest.raises(OperatorError, match="names no bucket"):
        open_bucket_shelf(BackupSettings(tmp_path))
