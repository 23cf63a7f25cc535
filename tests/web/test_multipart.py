"""Multipart forms: what is told apart, what is refused, and that nothing large stays in memory."""

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailbase_server.errors import BadRequestError, TooLargeError
from trailbase_server.web import multipart
from trailbase_server.web.multipart import (
    HEAD_BYTES,
    MAX_PARTS,
    SMALL_BYTES,
    SMALL_TOTAL_BYTES,
    FilePart,
    FormParser,
    is_multipart,
    parse_form,
)
from trailbase_server.web.spool import Spool

MULTIPART = b"multipart/form-data; boundary=b"
NAMES = st.text("abcö", min_size=1, max_size=3)
PARTS = st.lists(st.tuples(NAMES, st.none() | st.text("xyzü", max_size=3), st.binary(max_size=40)))


def part(disposition, content=b"", content_type=None):
    typed = b"Content-Type: " + content_type + b"\r\n" if content_type else b""
    head = b"--b\r\nContent-Disposition: " + disposition + b"\r\n" + typed
    return head + b"\r\n" + content + b"\r\n"


def file_part(name, content):
    return part(f'form-data; name="{name}"; filename="{name}.bin"'.encode(), content)


async def receive(spool, *chunks):
    parser = FormParser(MULTIPART)
    for chunk in chunks:
        parser.feed(chunk)
        await parser.spool_large(spool)
    return parser.fields, parser.finish()


def content_of(file):
    return file.content.read_bytes() if isinstance(file.content, Path) else file.content


def test_multipart_fields_and_files_are_told_apart():
    body = (
        part(b'form-data; name="t"', b"one\r\ntwo")
        + part(b'form-data; name="f"; filename="\xc3\xb6 \\"x\\".png"', b"\x00\xff", b"image/png")
        + part(b'form-data; name="g"; filename=""', b"data")
        + part(b'form-data; name="h"; filename=""', b"", b"application/octet-stream")
        + b"--b--\r\n"
    )
    fields, files = parse_form(body, MULTIPART)
    assert fields == {"t": "one\r\ntwo"}
    assert files == (
        FilePart("f", 'ö "x".png', "image/png", b"\x00\xff", b"\x00\xff"),
        FilePart("g", None, None, b"data", b"data"),
    )


def test_a_repeated_multipart_field_becomes_a_list():
    body = b"".join(part(b'form-data; name="t"', text) for text in (b"1", b"2", b"3")) + b"--b--"
    assert parse_form(body, MULTIPART) == ({"t": ["1", "2", "3"]}, ())


@pytest.mark.case("T-47", "T-65")
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"x", b"multipart/form-data"),
        (b"x", b"multipart/form-data; boundary="),
        (b"x", b"multipart/form-data; boundary=" + b"b" * 300),
        (b"", MULTIPART),
        (b"--a\r\n\r\nx", MULTIPART),
        (part(b'form-data; name="word"', b"abc"), MULTIPART),
        (part(b"form-data", b"abc") + b"--b--", MULTIPART),
        (part(b'attachment; name="a"', b"abc") + b"--b--", MULTIPART),
        (part(b'form-data; filename="f"', b"abc") + b"--b--", MULTIPART),
        (part(b'form-data; name="a"', b"\xff") + b"--b--", MULTIPART),
        (part(b'form-data; name="a"', b"x") * (MAX_PARTS + 1) + b"--b--", MULTIPART),
        (b"--b\r\nX: " + b"y" * 10_000 + b"\r\n\r\n\r\n--b--", MULTIPART),
    ],
    ids=range(12),
)
def test_multipart_that_is_malformed_is_refused(body, content_type):
    with pytest.raises(BadRequestError, match="invalid multipart body"):
        parse_form(body, content_type)


@pytest.mark.parametrize(
    ("content_type", "is_form"),
    [
        (None, False),
        (b"application/json", False),
        (MULTIPART, True),
        (b"Multipart/Form-Data", True),
    ],
)
def test_multipart_is_told_by_its_type(content_type, is_form):
    assert is_multipart(content_type) == is_form


@settings(deadline=None)  # other work on the machine is no mistake
@given(PARTS, st.integers(1, 60))
def test_pieces_of_any_size_make_the_same_form(parts, size):
    body = b""
    texts = {}
    files = []
    for name, filename, content in parts:
        if filename is None:
            text = content.hex()
            body += part(f'form-data; name="{name}"'.encode(), text.encode())
            texts.setdefault(name, []).append(text)
        else:
            disposition = f'form-data; name="{name}"; filename="{filename}"'
            # What looks like a boundary would end the part: that is for the client to avoid.
            content = content.replace(b"-", b"")  # noqa: PLW2901
            body += part(disposition.encode(), content)
            files += [(name, filename or None, content)] if content else []
    body += b"--b--\r\n"
    parser = FormParser(MULTIPART)
    for at in range(0, len(body), size):
        parser.feed(body[at : at + size])
    found = parser.finish()
    assert [(f.name, f.filename, f.content) for f in found] == files
    assert parser.fields == {k: v[0] if len(v) == 1 else v for k, v in texts.items()}
    assert parse_form(body, MULTIPART) == (parser.fields, found)


@settings(deadline=None)  # other work on the machine is no mistake
@given(st.binary(), st.integers(1, 10))
def test_arbitrary_bytes_are_a_form_or_a_bad_request(data, size):
    parser = FormParser(MULTIPART)
    try:
        for at in range(0, len(data), size):
            parser.feed(data[at : at + size])
        parser.finish()
    except BadRequestError as exc:
        assert exc.public  # noqa: PT017


async def test_large_files_are_on_disk_and_small_ones_are_not(tmp_path):
    large = bytes(range(256)) * (SMALL_BYTES // 256 + 1)
    body = file_part("s", b"small") + file_part("l", large) + file_part("t", b"tiny") + b"--b--"
    _, files = await receive(Spool(tmp_path), body[:9000], body[9000:])
    assert [(f.name, isinstance(f.content, Path)) for f in files] == [
        ("s", False),
        ("l", True),
        ("t", False),
    ]
    assert [content_of(f) for f in files] == [b"small", large, b"tiny"]
    assert files[1].head == large[:HEAD_BYTES]
    assert files[0].head == b"small"


async def test_many_small_files_are_on_disk_as_well(tmp_path):
    count = SMALL_TOTAL_BYTES // SMALL_BYTES + 3
    contents = [bytes([n]) * SMALL_BYTES for n in range(count)]
    chunks = [file_part(f"f{n}", content) for n, content in enumerate(contents)]
    _, files = await receive(Spool(tmp_path), *chunks, b"--b--")
    assert sum(isinstance(f.content, Path) for f in files) == 3
    assert [content_of(f) for f in files] == contents


@pytest.mark.case("T-65")
async def test_memory_does_not_grow_with_the_upload(tmp_path):
    chunk = b"x" * 65_536
    spool = Spool(tmp_path)
    parser = FormParser(MULTIPART)
    parser.feed(part(b'form-data; name="f"; filename="f"')[:-2])
    tracemalloc.start()
    for _ in range(512):
        parser.feed(chunk)
        await parser.spool_large(spool)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000
    parser.feed(b"\r\n--b--\r\n")
    await parser.spool_large(spool)
    (file,) = parser.finish()
    assert file.content.stat().st_size == 512 * 65_536
    assert parser.spooled() == [file.content]


@pytest.mark.case("T-65")
def test_texts_stay_in_memory_and_are_therefore_bounded(monkeypatch):
    monkeypatch.setattr(multipart, "MAX_TEXT_BYTES", 10)
    body = part(b'form-data; name="t"', b"12345") * 2 + b"--b--"
    assert parse_form(body, MULTIPART)[0] == {"t": ["12345", "12345"]}
    with pytest.raises(TooLargeError):
        parse_form(part(b'form-data; name="t"', b"1") + body, MULTIPART)
