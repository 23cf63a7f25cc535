import gzip
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.backups.errors import BackupError
from trailbase_server.backups.packing import copy_file, digest_file, unpack_file


@given(st.binary(max_size=3000), st.booleans())
def test_what_is_copied_comes_back(content, pack):
    with TemporaryDirectory() as directory:
        source, copy, back = (Path(directory, name) for name in ("source", "copy", "back"))
        source.write_bytes(content)
        written = copy_file(source, copy, pack=pack)
        assert copy.stat().st_mode & 0o777 == 0o600
        assert written == (copy.stat().st_size, sha256(copy.read_bytes()).hexdigest())
        assert written == digest_file(copy)
        if pack:
            unpack_file(copy, back, len(content))
            assert back.read_bytes() == content
        else:
            assert copy.read_bytes() == content


def test_packing_saves_room_and_is_always_the_same(tmp_path):
    (tmp_path / "a").write_bytes(b"page" * 100_000)
    one = copy_file(tmp_path / "a", tmp_path / "b", pack=True)
    assert one.size < 4_000
    assert copy_file(tmp_path / "a", tmp_path / "c", pack=True) == one


def test_work_can_be_watched_and_ended(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    seen = []
    copy_file(tmp_path / "a", tmp_path / "b", watch=seen.append)
    assert seen == [1_048_576, 2_097_152, 3_000_000]

    def stop(_done):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        digest_file(tmp_path / "a", stop)


@pytest.mark.case("T-69")
def test_a_packed_file_that_lies_is_refused(tmp_path):
    packed = gzip.compress(b"x" * 1000)
    for name, content, size in (
        ("bomb", packed, 999),
        ("small", packed, 1001),
        ("short", packed[:-9], 1000),
        ("text", b"hello", 5),
        ("noise", packed[:12] + b"\xff" * 20, 1000),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BackupError):
            unpack_file(tmp_path / name, tmp_path / f"{name}.out", size)


@pytest.mark.case("T-69")
def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "a").write_bytes(b"x")
    with pytest.raises(FileExistsError):
        copy_file(tmp_path / "a", tmp_path / "a")
