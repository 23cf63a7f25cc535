import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.backups.errors import BackupError
from trailbase_server.backups.manifest import (
    MANIFEST_FILE,
    Manifest,
    StoredDatabase,
    StoredFile,
    StoredUploads,
    decode_manifest,
    encode_manifest,
    read_manifest,
)

DIGEST = "a" * 64
GOOD = Manifest(
    version="1",
    timestamp=5,
    success=True,
    databases=[StoredDatabase("main", "main.db.gz", 3, DIGEST, 9, 7)],
    files=[StoredFile("migrations/main/U1__a.sql", 4, DIGEST)],
    uploads=StoredUploads("copied", 2, 8),
)


def test_it_comes_back_as_it_was_written(tmp_path):
    assert decode_manifest(encode_manifest(GOOD)) == GOOD
    assert GOOD.size == 15
    assert (GOOD.databases[0].is_packed, GOOD.databases[0].home) == (True, "main.db")
    assert read_manifest(tmp_path) is None
    (tmp_path / MANIFEST_FILE).write_bytes(encode_manifest(GOOD))
    assert read_manifest(tmp_path) == GOOD


def test_what_is_newer_is_still_read_unless_it_says_otherwise():
    more = {**json.loads(encode_manifest(GOOD)), "colour": "red"}
    assert decode_manifest(json.dumps(more).encode()) == GOOD
    with pytest.raises(BackupError, match="newer"):
        decode_manifest(json.dumps({**more, "format": 2}).encode())
    with pytest.raises(BackupError, match="failed"):
        decode_manifest(json.dumps({**more, "success": False}).encode())


@pytest.mark.case("T-69")
@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../x.db", "a/../../x", "", "a\0b", "a\\b", "main.db/../../../x"]
)
def test_paths_do_not_lead_elsewhere(path):
    for part in (
        {"files": [StoredFile(path, 1, DIGEST)]},
        {"databases": [StoredDatabase("main", path, 1, DIGEST, 1)]},
    ):
        bad = encode_manifest(msgspec.structs.replace(GOOD, **part))
        with pytest.raises(BackupError):
            decode_manifest(bad)


@pytest.mark.case("T-69")
@pytest.mark.parametrize(
    ("name", "path"),
    [("main", "other.db"), ("a/b", "a/b.db"), ("main", "main.db.zip"), ("x" * 201, "x.db")],
)
def test_databases_have_their_names(name, path):
    database = StoredDatabase(name, path, 1, DIGEST, 1)
    with pytest.raises(BackupError):
        decode_manifest(encode_manifest(msgspec.structs.replace(GOOD, databases=[database])))


@given(st.binary(max_size=200))
def test_noise_is_refused(noise):
    with pytest.raises(BackupError):
        decode_manifest(noise)


def test_what_cannot_be_read_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("trailbase_server.backups.manifest.MAX_MANIFEST_BYTES", 10)
    (tmp_path / MANIFEST_FILE).write_bytes(encode_manifest(GOOD))
    with pytest.raises(BackupError, match="too large"):
        read_manifest(tmp_path)
    (tmp_path / MANIFEST_FILE).unlink()
    (tmp_path / MANIFEST_FILE).mkdir()
    with pytest.raises(BackupError, match="cannot read"):
        read_manifest(tmp_path)
