import zipfile

import pytest

from tests.wasm.binary import component
from trailbase_server.wasm.files import ComponentError, ComponentFiles

CONTENT = component(["a:b/c"])


@pytest.fixture
def files(tmp_path):
    depot = tmp_path / "depot"
    depot.mkdir()
    (depot / "precious.wasm").write_bytes(CONTENT)
    return ComponentFiles(depot)


def archive(path, members):
    with zipfile.ZipFile(path, "w") as target:
        for name, content in members:
            target.writestr(name, content)
    return path


def names(files):
    return [path.name for path in files.installed()]


def test_without_a_directory_there_is_none(files):
    assert files.installed() == []


def test_a_file_is_added_and_replaced(files, tmp_path):
    source = tmp_path / "boat.wasm"
    for content in (component(["a:b/c"]), component(["a:b/d"])):
        source.write_bytes(content)
        (path,) = files.add(source)
        assert path == files.directory / "boat.wasm"
        assert path.read_bytes() == content
    assert files.packages(path)[0].interfaces == ("d",)
    assert names(files) == ["boat.wasm"]


def test_the_members_of_an_archive_are_added_by_their_base_names(files, tmp_path):
    source = archive(
        tmp_path / "boats.zip",
        [
            ("../../one.wasm", CONTENT),
            ("/etc/two.wasm", CONTENT),
            ("a\\..\\three.wasm", CONTENT),
            ("readme.txt", "text"),
        ],
    )
    files.add(source)
    assert names(files) == ["one.wasm", "three.wasm", "two.wasm"]
    assert not list(tmp_path.rglob("one.wasm"))[1:]
    assert sorted(path.name for path in files.directory.iterdir()) == names(files)


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("none.zip", [("readme.txt", "x")]),
        ("twice.zip", [("a/x.wasm", CONTENT), ("b/x.wasm", CONTENT)]),
        ("dots.zip", [("...wasm", CONTENT)]),
        ("half.zip", [("a.wasm", CONTENT), ("b.wasm", b"no component")]),
        ("line.zip", [("a\n.wasm", CONTENT)]),
        ("many.zip", [(f"{number}.txt", "") for number in range(1025)]),
    ],
)
def test_an_archive_that_is_not_right_changes_nothing(files, tmp_path, name, members):
    with pytest.raises(ComponentError):
        files.add(archive(tmp_path / name, members))
    assert not files.directory.is_dir() or not list(files.directory.iterdir())


def test_what_is_too_large_is_not_unpacked(files, tmp_path, monkeypatch):
    monkeypatch.setattr("trailbase_server.wasm.files.MAX_COMPONENT_BYTES", 1000)
    source = archive(tmp_path / "bomb.zip", [("a.wasm", CONTENT + bytes(2000))])
    with pytest.raises(ComponentError, match="larger than"):
        files.add(source)
    assert list(files.directory.iterdir()) == []
    (files.directory / "big.wasm").write_bytes(bytes(1001))
    with pytest.raises(ComponentError, match="larger than"):
        files.packages(files.directory / "big.wasm")


@pytest.mark.parametrize(
    ("name", "content"),
    [("no.zip", b"PK but no archive"), ("no.wasm", b"text"), ("no.txt", CONTENT)],
)
def test_what_is_no_component_is_refused(files, tmp_path, name, content):
    source = tmp_path / name
    source.write_bytes(content)
    with pytest.raises(ComponentError):
        files.add(source)


def test_a_file_that_is_not_there_is_an_error_of_one_line(files, tmp_path):
    with pytest.raises(ComponentError, match="cannot add"):
        files.add(tmp_path / "nothing.wasm")


@pytest.mark.parametrize("name", ["boat.wasm", "wasm/boat.wasm"])
def test_a_file_is_removed(files, name):
    files.directory.mkdir()
    (files.directory / "boat.wasm").write_bytes(CONTENT)
    files.remove(name)
    assert names(files) == []


def test_an_id_stands_for_all_names_of_its_file(files):
    files.directory.mkdir()
    (files.directory / "auth_ui_component.wasm").write_bytes(CONTENT)
    files.remove("trailbase/auth_ui")
    assert names(files) == []


@pytest.mark.parametrize(
    "name",
    [
        "nothing.wasm",
        "trailbase/tetris",
        "../precious.wasm",
        "wasm/../precious.wasm",
        "wasm/../../depot/precious.wasm",
        "/etc/passwd",
        "precious.txt",
        "",
        ".",
        "wasm/",
        "a\0.wasm",
    ],
)
def test_nothing_else_is_removed(files, name):
    with pytest.raises(ComponentError):
        files.remove(name)
    assert (files.depot / "precious.wasm").exists()


def test_a_link_is_no_component_and_what_it_leads_to_stays(files):
    files.directory.mkdir()
    link = files.directory / "link.wasm"
    link.symlink_to(files.depot / "precious.wasm")
    assert names(files) == []
    files.remove("link.wasm")
    assert not link.is_symlink()
    assert (files.depot / "precious.wasm").exists()
