from pathlib import Path

from trailbase_server.backups.retention import Retention
from trailbase_server.backups.settings import BackupSettings, compile_backups
from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.storage.s3 import S3Options

DEPOT = Path("/depot")


def test_defaults():
    settings = compile_backups(Config(), DEPOT)
    assert settings == BackupSettings(DEPOT / "backups")
    assert settings.keep == Retention(5)
    assert settings.is_enabled


def test_everything_can_be_said():
    config = Config(
        server={"backup_window_size": 9},
        backups={
            "directory": "/mnt/b",
            "s3": {"bucket_name": "b", "endpoint": "http://s3.test"},
            "s3_prefix": "pier/",
            "include_logs": True,
            "include_uploads": False,
            "include_config": False,
            "include_secrets": True,
            "compress": True,
            "keep_hourly": 1,
            "keep_daily": 2,
            "keep_weekly": 3,
        },
    )
    assert compile_backups(config, DEPOT) == BackupSettings(
        directory=Path("/mnt/b"),
        keep=Retention(9, 1, 2, 3),
        with_logs=True,
        with_uploads=False,
        with_config=False,
        with_secrets=True,
        compress=True,
        bucket=S3Options("b", "http://s3.test"),
        prefix="pier/",
    )


def test_a_window_of_nothing_switches_them_off():
    assert not compile_backups(Config(server={"backup_window_size": 0}), DEPOT).is_enabled
    assert compile_backups(Config(server={"backup_window_size": 2**63}), DEPOT).keep.newest > 10**5
