"""The committed message classes are what the generator makes of ``proto/``."""

import subprocess
from pathlib import Path

import pytest

from trailbase_server.config.proto.config_pb2 import (
    Config,
    OAuthProviderConfig,
    S3StorageConfig,
    secret,
)

ROOT = Path(__file__).resolve().parents[3]
COMMITTED = ROOT / "src" / "trailbase_server" / "config" / "proto"


def test_generating_again_changes_nothing(tmp_path):
    subprocess.run([ROOT / "scripts" / "proto", tmp_path], check=True)
    made = sorted(path.name for path in tmp_path.iterdir())
    assert made == ["config_pb2.py", "config_pb2.pyi", "metadata_pb2.py", "metadata_pb2.pyi"]
    for name in made:
        assert (tmp_path / name).read_text() == (COMMITTED / name).read_text(), name


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("email", 2),
        ("record_apis", 11),
        ("schemas", 21),
        ("server.backup_window_size", 17),
        ("server.s3_storage_config.secret_access_key", 9),
        ("auth.oauth_providers", 11),
        ("auth.user_identifier", 31),
        ("record_apis.listing_hard_limit", 22),
    ],
)
def test_fields_have_the_numbers_of_the_wire(path, number):
    descriptor = Config.DESCRIPTOR
    for name in path.split("."):
        field = descriptor.fields_by_name[name]
        descriptor = field.message_type
    assert field.number == number


def test_three_fields_are_secret():
    for message, name in (
        (Config().email, "smtp_password"),
        (OAuthProviderConfig(), "client_secret"),
        (S3StorageConfig(), "secret_access_key"),
    ):
        assert message.DESCRIPTOR.fields_by_name[name].GetOptions().Extensions[secret]


def test_repeated_enums_are_read_packed_and_unpacked():
    unpacked, packed = b"\x5a\x04\x38\x02\x38\x04", b"\x5a\x04\x3a\x02\x02\x04"
    assert list(Config.FromString(unpacked).record_apis[0].acl_world) == [2, 4]
    assert list(Config.FromString(packed).record_apis[0].acl_world) == [2, 4]
