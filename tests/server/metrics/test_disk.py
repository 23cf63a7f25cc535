from trailbase_server.server.metrics.disk import look_at_disk


def test_sizes_and_room_are_found(tmp_path):
    file = tmp_path / "a.db"
    file.write_bytes(b"x" * 10)
    (tmp_path / "a.db-wal").write_bytes(b"x" * 3)
    missing = tmp_path / "b.db"
    disk = look_at_disk({"a": file, "b": missing}, tmp_path, lambda: 7)
    assert disk.files == {"a": 10, "b": 0}
    assert disk.logs == {"a": 3, "b": 0}
    assert 0 < disk.free < disk.size
    assert disk.newest_backup == 7


def test_a_disk_that_has_gone_spoils_nothing(tmp_path):
    disk = look_at_disk({}, tmp_path / "gone", lambda: None)
    assert (disk.free, disk.size, disk.newest_backup) == (None, None, None)
