"""Lookups in a MaxMind database."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sqlite.maxmind import write_database
from trailbase_server.errors import InternalError, OperatorError
from trailbase_server.sqlite.geoip import (
    METADATA_MARKER,
    City,
    GeoIpKind,
    InvalidAddressError,
    check_address,
    open_geoip,
)

LINKOEPING = {
    "country": {"iso_code": "SE"},
    "city": {"names": {"en": "Linköping", "de": "Linköping"}},
    "subdivisions": [{"names": {"en": "Östergötland County"}}, {"names": {"de": "nur deutsch"}}],
}


@pytest.fixture
def cities(tmp_path):
    path = tmp_path / "GeoLite2-City.mmdb"
    write_database(
        path,
        "GeoLite2-City",
        {
            "89.160.20.0/24": LINKOEPING,
            "89.160.21.0/24": {"country": {"iso_code": "SE"}},
            "89.160.22.0/24": {"country": "odd", "subdivisions": "odd"},
        },
    )
    geoip = open_geoip(path)
    yield geoip
    geoip.close()


def test_a_city(cities):
    assert cities.kind is GeoIpKind.CITY
    assert cities.country("89.160.20.7") == "SE"
    assert cities.city("89.160.20.7") == City("SE", "Linköping", ("Östergötland County",))


def test_a_country_without_city(cities):
    assert cities.city("89.160.21.1") == City("SE", None, ())


def test_a_record_of_another_shape(cities):
    assert cities.country("89.160.22.1") is None
    assert cities.city("89.160.22.1") == City(None, None, ())


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "2001:db8::1"])
def test_unknown_addresses(cities, address):
    assert cities.country(address) is None
    assert cities.city(address) is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("GeoLite2-Country", GeoIpKind.COUNTRY),
        ("GeoLite2-ASN", GeoIpKind.ASN),
        ("GeoIP2-City", GeoIpKind.UNKNOWN),
        ("Unknown", GeoIpKind.UNKNOWN),
    ],
)
def test_kinds(tmp_path, name, kind):
    path = tmp_path / "some.mmdb"
    write_database(path, name, {"2001:db8::/32": {"country": {"iso_code": "XX"}}}, version=6)
    geoip = open_geoip(path)
    assert geoip.kind is kind
    assert geoip.country("2001:db8::7") == "XX"
    geoip.close()
    assert geoip.country("2001:db8::7") == "XX"
    geoip.close()


def test_no_file_means_no_database(tmp_path):
    assert open_geoip(tmp_path / "absent.mmdb") is None


@pytest.mark.parametrize("content", [b"", b"not a database", b"x" * 300_000])
def test_a_file_that_is_no_database_is_the_operators_mistake(tmp_path, content):
    path = tmp_path / "broken.mmdb"
    path.write_bytes(content)
    with pytest.raises(OperatorError, match=r"broken\.mmdb: not a MaxMind database"):
        open_geoip(path)


def test_damage_behind_the_marker_is_found_by_the_first_lookup(tmp_path):
    path = tmp_path / "broken.mmdb"
    path.write_bytes(bytes(100) + METADATA_MARKER + b"\xff")
    geoip = open_geoip(path)
    with pytest.raises(InternalError):
        geoip.country("1.2.3.4")


def test_the_library_is_not_needed_to_start(tmp_path, monkeypatch):
    path = write_database(tmp_path / "a.mmdb", "GeoLite2-City", {"1.0.0.0/8": {}})
    monkeypatch.setitem(sys.modules, "maxminddb", None)
    assert open_geoip(path) is not None


@pytest.mark.parametrize("text", ["1.2.3.4", "::", "2001:DB8::1", "::ffff:1.2.3.4"])
def test_addresses(text):
    check_address(text)


@pytest.mark.parametrize(
    "text", ["", " 1.2.3.4", "1.2.3.4:80", "[::1]", "fe80::1%eth0", "01.2.3.4", "1.2.3", "1", "x"]
)
def test_what_is_no_bare_address(text):
    with pytest.raises(InvalidAddressError):
        check_address(text)


@given(st.integers(0, 2**128 - 1))
def test_every_address_is_valid(number):
    groups = f"{number:032x}"
    check_address(":".join(groups[i : i + 4] for i in range(0, 32, 4)))


def test_a_reload_reads_the_file_anew_and_refuses_what_is_no_database(tmp_path):
    path, fresh = tmp_path / "some.mmdb", tmp_path / "fresh.mmdb"
    write_database(path, "GeoLite2-Country", {"89.160.20.0/24": {"country": {"iso_code": "SE"}}})
    geoip = open_geoip(path)
    assert geoip.country("89.160.20.7") == "SE"
    write_database(fresh, "GeoLite2-Country", {"89.160.20.0/24": {"country": {"iso_code": "NO"}}})
    fresh.rename(path)
    assert geoip.country("89.160.20.7") == "SE"
    geoip.reload()
    assert geoip.country("89.160.20.7") == "NO"
    fresh.write_bytes(b"nonsense")
    fresh.rename(path)
    with pytest.raises(OperatorError):
        geoip.reload()
    assert geoip.country("89.160.20.7") == "NO"
    geoip.close()
