import logging

import pytest

from trailbase_server.errors import OperatorError
from trailbase_server.migrations.files import (
    create_migration_file,
    depot_migrations,
    user_migrations,
)
from trailbase_server.migrations.migration import checksum


@pytest.fixture
def write(tmp_path):
    def write(path, content=b"SELECT 1;"):
        target = tmp_path / "migrations" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return target

    return write


def titles(found):
    return sorted(migration.title for migration in found)


def test_main_has_its_directory_with_all_below_and_the_older_place(tmp_path, write):
    write("main/U1__a.sql")
    write("main/deep/er/U2__b.sql")
    write("U3__c.sql")
    write("other/U4__d.sql")
    write("stray/U5__e.sql")
    directory = tmp_path / "migrations"
    assert titles(depot_migrations(directory, "main")) == ["U1__a", "U2__b", "U3__c"]
    assert titles(depot_migrations(directory, "other")) == ["U4__d"]


def test_missing_directories_hold_nothing(tmp_path):
    assert depot_migrations(tmp_path / "migrations", "main") == []


def test_a_file_is_read_as_it_is(tmp_path, write):
    path = write("main/V12__two_lines.sql", "-- é\r\nSELECT 1;\r\n".encode())
    (found,) = depot_migrations(tmp_path / "migrations", "main")
    assert found.sql == "-- é\r\nSELECT 1;\r\n"
    assert found.checksum == str(checksum("two_lines", 12, found.sql))
    assert found.source == str(path)


def test_other_names_are_skipped_with_a_warning(tmp_path, write, caplog):
    for name in ("README.md", "U1__a-b.sql", "U1__\udcff.sql"):
        write(f"main/{name}")
    assert depot_migrations(tmp_path / "migrations", "main") == []
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 3
    caplog.text.encode()


def test_hidden_copies_of_mounted_volumes_and_editors_are_not_seen(tmp_path, write, caplog):
    real = write("main/..2026_01/U1__a.sql")
    (tmp_path / "migrations/main/U1__a.sql").symlink_to(real)
    write("main/.U1__a.sql.swp")
    assert titles(depot_migrations(tmp_path / "migrations", "main")) == ["U1__a"]
    assert caplog.records == []


def test_text_in_another_encoding_is_refused(tmp_path, write):
    write("main/U1__a.sql", "-- é".encode("latin-1"))
    with pytest.raises(OperatorError, match=r"U1__a\.sql is not UTF-8: .* at byte 3"):
        depot_migrations(tmp_path / "migrations", "main")


def test_a_number_that_is_too_large_names_the_file(tmp_path, write):
    path = write("main/U9999999999__late.sql")
    with pytest.raises(OperatorError, match="must be a valid integer") as caught:
        depot_migrations(tmp_path / "migrations", "main")
    assert str(path.parent) in str(caught.value)


def test_a_file_in_place_of_the_directory_is_refused(tmp_path, write):
    write("main")
    with pytest.raises(OperatorError, match="Not a directory"):
        depot_migrations(tmp_path / "migrations", "main")


def test_a_dangling_link_is_no_file(tmp_path):
    (tmp_path / "U1__a.sql").symlink_to(tmp_path / "nowhere")
    assert user_migrations(tmp_path, recursive=True) == []


def test_a_new_file_gets_the_time_as_its_number(tmp_path):
    path = create_migration_file(tmp_path / "a" / "b", "add_reeds", "-- hello\n", 1_800_000_000)
    assert path.name == "U1800000000__add_reeds.sql"
    assert path.read_text() == "-- hello\n"


def test_a_number_that_is_taken_is_not_used_again(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/V1800000001__old.sql").touch()
    names = [create_migration_file(tmp_path, suffix, "", 1_800_000_000).name for suffix in "aab"]
    assert names == ["U1800000000__a.sql", "U1800000002__a.sql", "U1800000003__b.sql"]


@pytest.mark.parametrize("suffix", ["a-b", "", "../x", "a b", "a.sql", "a\n", "\0"])
def test_a_suffix_that_would_be_skipped_later_is_refused(tmp_path, suffix):
    with pytest.raises(OperatorError, match="invalid migration name"):
        create_migration_file(tmp_path / "new", suffix, "", 1_800_000_000)
    assert not (tmp_path / "new").exists()


def test_a_directory_that_cannot_be_made_is_reported(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OperatorError, match="cannot create a migration in"):
        create_migration_file(tmp_path / "file" / "main", "x", "", 1_800_000_000)
