import pytest

from trailbase_server.server.disk import PROBE_FILE, Room, probe_directory

GIB = 1024**3
MIB = 1024**2


def test_a_probe_leaves_nothing(tmp_path):
    room = probe_directory(tmp_path)
    assert 0 < room.free <= room.total
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_gone_is_a_failure(tmp_path):
    with pytest.raises(FileNotFoundError):
        probe_directory(tmp_path / "gone")


def test_something_in_the_way_is_a_failure(tmp_path):
    (tmp_path / PROBE_FILE).mkdir()
    with pytest.raises(OSError, match="directory"):
        probe_directory(tmp_path)


@pytest.mark.parametrize(
    ("free", "total", "is_low", "is_full"),
    [
        (500 * GIB, 1000 * GIB, False, False),
        (GIB, 1000 * GIB, False, False),
        (GIB - 1, 1000 * GIB, True, False),
        (16 * MIB - 1, 1000 * GIB, True, True),
        (50 * MIB, 100 * MIB, False, False),
        (9 * MIB, 100 * MIB, True, False),
        (MIB, 100 * MIB, True, True),
        (0, 1, False, False),
    ],
)
def test_how_much_is_little_depends_on_the_disk(free, total, is_low, is_full):
    room = Room(free, total)
    assert (room.is_low, room.is_full) == (is_low, is_full)
