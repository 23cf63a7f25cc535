from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wasm.binary import component, exported, imported, section, text
from trailbase_server.wasm.interfaces import (
    COMPONENT_HEADER,
    MAX_NAMES,
    MODULE_HEADER,
    InvalidComponentError,
    Package,
    read_packages,
)


def test_names_are_sorted_into_packages():
    content = component(
        ["wasi:http/types@0.2.3", "wasi:http/handler@0.2.3", "run", "wasi:io/poll@0.2.3"],
        ["trail:base/init-endpoint"],
    )
    assert read_packages(content) == [
        Package("trail", "base", None, ("init-endpoint",)),
        Package("wasi", "http", "0.2.3", ("handler", "types")),
        Package("wasi", "io", "0.2.3", ("poll",)),
    ]


@pytest.mark.parametrize(
    "description",
    [b"\x00\x11\x02", b"\x01\x02", b"\x02\x00\x01", b"\x02\x01\x7f", b"\x03\x00\x01", b"\x03\x01"],
)
def test_every_kind_of_import_is_stepped_over(description):
    content = COMPONENT_HEADER + section(
        10, imported("one", description), imported("a:b/c"), b"\x02" + text("a:b/d") + text("@1")
        + b"\x04\x00"
    )  # fmt: skip
    assert read_packages(content) == [Package("a", "b", None, ("c", "d"))]


def test_every_kind_of_export_is_stepped_over():
    content = COMPONENT_HEADER + section(
        11, exported("one", b"\x00\x00\x05\x00"), exported("two", b"\x01\x00\x01\x01\x02"),
        exported("a:b/c"),
    )  # fmt: skip
    assert read_packages(content) == [Package("a", "b", None, ("c",))]


def test_a_core_module_has_none():
    assert read_packages(MODULE_HEADER + b"whatever") == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00asm",
        b"PK\x03\x04",
        component(["a:b/c"])[:-4],
        COMPONENT_HEADER + b"\x0a\xff\xff\xff\xff\xff\xff",
        COMPONENT_HEADER + section(10, imported("a:b/c", b"\x07\x00")),
        COMPONENT_HEADER + section(10, b"\x00\x02\xff\xfe\x05\x00"),
        component(["a:b/c"] * (MAX_NAMES + 1)),
    ],
)
def test_what_is_broken_is_refused(content):
    with pytest.raises(InvalidComponentError):
        read_packages(content)


@given(st.binary(max_size=200))
def test_no_file_is_an_accident(tail):
    with suppress(InvalidComponentError):
        read_packages(COMPONENT_HEADER + tail)
