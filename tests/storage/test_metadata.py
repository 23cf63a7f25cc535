"""Metadata of files: names, types, and what can be read from stored text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailbase_server.storage.metadata import (
    describe_file,
    object_keys,
    render_metadata,
    sniff_media_type,
    stored_entries,
    unique_filename,
)

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452")


@pytest.mark.case("T-61")
@pytest.mark.parametrize(
    ("original", "name"),
    [
        ("piece of amber.png", "pieceofamber_R.png"),
        ("Über Bord 2.tar.gz", "ÜberBord2.tar_R.gz"),
        ("../../etc/passwd", "..._R.etcpasswd"),
        (".hidden", ".hidden_R"),
        ("README", "README_R"),
        ("ends.", "ends_R"),
        ("?*:|", "R"),
        ("", "R"),
        (None, "R"),
        ("a\0b\r\nc.t\tx", "abc_R.tx"),
        ("s" * 500 + "." + "e" * 500, "s" * 128 + "_R." + "e" * 32),
    ],
)
def test_a_unique_name_keeps_what_is_harmless_of_the_original(original, name):
    assert unique_filename(original, "R") == name


@given(st.text())
def test_a_unique_name_fits_into_a_path_segment(original):
    name = unique_filename(original, "x" * 10)
    assert "xxxxxxxxxx" in name
    assert all(c.isalnum() or c in "-_." for c in name)
    assert len(name) <= 128 + 1 + 10 + 1 + 32
    assert name not in {".", ".."}


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (PNG, "image/png"),
        (b"%PDF-1.4", "application/pdf"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"plain words", None),
        (b"", None),
    ],
)
def test_a_type_is_recognised_by_the_first_bytes(head, media_type):
    assert sniff_media_type(head) == media_type


@settings(deadline=None)  # the library is imported when it is needed first
@given(st.binary())
def test_any_bytes_have_a_type_or_none(head):
    assert sniff_media_type(head) is None or "/" in sniff_media_type(head)


def test_what_is_not_known_is_left_out():
    described = describe_file("k", None, None, b"")
    assert list(described) == ["id", "filename"]
    described = describe_file("k", "a.png", "text/x", PNG)
    assert list(described) == ["id", "original_filename", "filename", "content_type", "mime_type"]
    assert described["mime_type"] == "image/png"
    assert described["filename"] != describe_file("k", "a.png", None, b"")["filename"]


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        (None, []),
        (5, []),
        (b"{}", []),
        ("", []),
        ("{", []),
        ("null", []),
        ('"x"', []),
        ('{"id":"a"}', [{"id": "a"}]),
        ('[{"id":"a"},5,{"id":"b"}]', [{"id": "a"}, {"id": "b"}]),
    ],
)
def test_stored_text_is_one_file_or_a_list_or_nothing(text, entries):
    assert stored_entries(text) == entries


def test_keys_are_texts():
    assert object_keys('[{"id":"a"},{"id":5},{},{"id":"b"}]') == {"a", "b"}
    assert object_keys(None) == set()


def test_metadata_is_rendered_compactly():
    assert render_metadata([{"id": "ü", "b": 1}]) == '[{"id":"ü","b":1}]'
