import pytest

from trailbase_server.config.metadata import load_metadata, store_metadata
from trailbase_server.errors import OperatorError


def test_the_version_is_recorded_when_it_changes_and_the_change_is_told(tmp_path, caplog):
    caplog.set_level("INFO")
    assert load_metadata(tmp_path) is None
    store_metadata(tmp_path, None, "v1")
    assert (tmp_path / "metadata.textproto").read_text() == (
        '# Auto-generated metadata.Metadata textproto\nlast_executed_version: "v1"'
    )
    assert load_metadata(tmp_path) == "v1"
    assert "last opened by" not in caplog.text
    store_metadata(tmp_path, "v1", "v2")
    assert load_metadata(tmp_path) == "v2"
    assert "last opened by version v1, now by v2" in caplog.text


def test_the_same_version_is_not_written_again(tmp_path):
    store_metadata(tmp_path, "v1", "v1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"version: 1", b"\xff"])
def test_a_broken_file_is_fatal(tmp_path, content):
    (tmp_path / "metadata.textproto").write_bytes(content)
    with pytest.raises(OperatorError, match=r"metadata\.textproto"):
        load_metadata(tmp_path)


def test_a_depot_that_cannot_be_written_keeps_its_old_record(tmp_path, caplog):
    (tmp_path / "metadata.textproto").mkdir()
    store_metadata(tmp_path, "v1", "v2")
    assert "cannot write" in caplog.text
    with pytest.raises(OperatorError, match="cannot write"):
        store_metadata(tmp_path / "nowhere", None, "v2")
