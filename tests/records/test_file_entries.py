"""Entries of file columns: what clients may send, and what is kept of it."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records.filing import PNG, file
from trailbase_server.ids import encode_b64u, parse_uuid_text
from trailbase_server.records.file_entries import (
    MAX_FILES,
    MAX_NAME_CHARS,
    FileValue,
    InvalidFileError,
    read_files,
)
from trailbase_server.web.multipart import FilePart

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "filename", "content_type", "id", "name", "mime_type"]), inner
        )
    ),
    max_leaves=8,
)


def single(value):
    return read_files("c", value, is_list=False)


def several(value):
    return read_files("c", value, is_list=True)


@given(st.binary(max_size=50))
def test_data_travels_in_either_alphabet(data):
    for text in (encode_b64u(data), base64.b64encode(data).decode()):
        (upload,) = single({"data": text}).uploads
        assert upload.content == data


def test_a_new_file_gets_a_key_and_a_name_of_its_own():
    value = single(file(PNG, "a b.png", "text/x"))
    (upload,) = value.uploads
    assert parse_uuid_text(upload.key)
    metadata = json.loads(value)
    suffix = metadata["filename"].removeprefix("ab_").removesuffix(".png")
    assert len(suffix) == 10
    assert metadata == {
        "id": upload.key,
        "original_filename": "a b.png",
        "filename": f"ab_{suffix}.png",
        "content_type": "text/x",
        "mime_type": "image/png",
    }
    assert not value.kept
    assert upload.key != single(file(PNG)).uploads[0].key


def test_parts_of_forms_are_files_too(tmp_path):
    path = tmp_path / "spooled"
    part = FilePart("c", "a.png", "text/x", path, PNG)
    value = several([part, FilePart("c", None, None, b"x", b"x")])
    first, second = json.loads(value)
    assert (first["original_filename"], first["mime_type"]) == ("a.png", "image/png")
    assert "original_filename" not in second
    assert [upload.content for upload in value.uploads] == [path, b"x"]


def test_lists_may_mix_new_files_and_kept_ones():
    value = several([{"filename": "k_1"}, file(b"x"), {"filename": "k_2", "id": None}])
    assert value.kept == {0: "k_1", 2: "k_2"}
    assert [json.loads(value)[n]["filename"] for n in (0, 2)] == ["k_1", "k_2"]
    assert len(value.uploads) == 1
    assert several([]) == "[]"


@pytest.mark.case("T-66")
@pytest.mark.parametrize(
    "value",
    [
        {"data": "%%%"},
        {"data": "AAE"},
        {"data": "AAE=="},
        {"data": "AA==\n"},
        {"data": "AB=="},
        {"data": "A-+A"},
        {"data": "ä"},
        {"data": [1, 2, 3]},
        {"data": None},
        {"data": "AAEC", "colour": "red"},
        {"data": "AAEC", "id": "x"},
        {"data": "AAEC", "filename": 5},
        {"data": "AAEC", "content_type": ["x"]},
        {"data": "AAEC", "name": {}},
        {"data": "AAEC", "filename": "x" * (MAX_NAME_CHARS + 1)},
        {"data": "AAEC", "content_type": "x" * (MAX_NAME_CHARS + 1)},
        {"content_type": "text/plain"},
        {"filename": None},
        {"filename": 5},
        {"filename": "a", "mime_type": 5},
        {"filename": "a", "size": 5},
        {},
        [],
        [{"data": "AAEC"}],
        "AAEC",
        5,
        True,
    ],
)
def test_anything_else_is_refused(value):
    with pytest.raises(InvalidFileError):
        single(value)
    with pytest.raises(InvalidFileError):
        several([file(b"x"), value])


@pytest.mark.parametrize("value", [{"data": "AAEC"}, "x", 5, ["AAEC"], [None], {}])
def test_a_list_of_files_is_a_list(value):
    with pytest.raises(InvalidFileError):
        several(value)


def test_a_list_has_an_end():
    assert len(several([file(b"")] * MAX_FILES).uploads) == MAX_FILES
    with pytest.raises(InvalidFileError, match="more than"):
        several([file(b"")] * (MAX_FILES + 1))


@pytest.mark.case("T-66")
@given(JSON, st.booleans())
def test_any_json_is_a_file_or_refused(value, is_list):
    try:
        found = read_files("c", value, is_list=is_list)
    except InvalidFileError:
        return
    entries = json.loads(found)
    for entry in entries if is_list else [entries]:
        # No key of a client's making.
        assert entry.get("id") in [None, *(u.key for u in found.uploads)]


STORED = '[{"id":"1","filename":"a_1","mime_type":"image/png"},{"id":"2","filename":"b_2"}]'


def test_kept_files_are_looked_up_by_name_and_taken_as_they_are_stored():
    sent = [{"filename": "b_2", "id": "999", "mime_type": "text/html"}, {"filename": "a_1"}]
    assert json.loads(several(sent).keep(STORED)) == [
        {"id": "2", "filename": "b_2"},
        {"id": "1", "filename": "a_1", "mime_type": "image/png"},
    ]
    assert single({"filename": "a_1"}).keep(json.dumps(json.loads(STORED)[0])) == (
        '{"id":"1","filename":"a_1","mime_type":"image/png"}'
    )


@pytest.mark.case("T-63")
@pytest.mark.parametrize("stored", [None, STORED, "[]", "nonsense", '{"id":"1"}'])
def test_a_file_that_is_not_stored_cannot_be_kept(stored):
    assert single({"filename": "c_3"}).keep(stored) is None


def test_a_value_says_no_more_than_its_text_to_the_database():
    import apsw

    value = FileValue.of("c", [{"filename": "a", "id": "x"}], is_list=False)
    rows = apsw.Connection(":memory:").execute("SELECT ?1, typeof(?1)", (value,)).fetchall()
    assert rows == [('{"filename":"a"}', "text")]
