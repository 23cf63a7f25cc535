"""
Where an address is: lookups in one MaxMind database.

The file is mapped, not read: a city database has some 60 MB, most of which nobody asks for. It is
opened with the first lookup; that it *is* a database is checked at start. Replace it by renaming a
new file over it and reload.
"""

import threading
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from trailbase_server.errors import InternalError, OperatorError

if TYPE_CHECKING:
    from maxminddb import Reader

METADATA_MARKER = b"\xab\xcd\xefMaxMind.com"
METADATA_MAX_BYTES = 128 * 1024  # the format: the marker is in the last 128 KiB


class GeoIpKind(StrEnum):
    """What a database knows, by the type in its metadata."""

    COUNTRY = "GeoLite2-Country"
    CITY = "GeoLite2-City"
    ASN = "GeoLite2-ASN"
    UNKNOWN = "Unknown"


class City(Struct, frozen=True):
    """A place; names in English, None where the database has none."""

    country_code: str | None
    name: str | None
    subdivisions: tuple[str, ...]


class InvalidAddressError(ValueError):
    """A text that is no bare IPv4 or IPv6 address."""


class GeoIp:
    """
    One database.

    Args:
        path: An existing file.

    Raises:
        OperatorError: It is not a MaxMind database or cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._reader: Reader | None = None
        _check_file(path)

    def reload(self) -> None:
        """
        Open the file again with the next lookup.

        Raises:
            OperatorError: It is gone or no database any more; the one before is used on.
        """
        _check_file(self._path)
        with self._lock:
            # Not closed: somebody may be looking something up. It goes with the last reference.
            self._reader = None

    @property
    def kind(self) -> GeoIpKind:
        """What the database knows."""
        name = self._open().metadata().database_type
        return GeoIpKind(name) if name in tuple(GeoIpKind) else GeoIpKind.UNKNOWN

    def country(self, address: str) -> str | None:
        """ISO code of the country of a valid address, None if unknown."""
        found = self._look_up(address)
        return None if found is None else _text(_member(found, "country", "iso_code"))

    def city(self, address: str) -> City | None:
        """Place of a valid address; None if the database does not know the address."""
        found = self._look_up(address)
        if found is None:
            return None
        subdivisions = found.get("subdivisions")
        names = [
            _text(_member(item, "names", "en"))
            for item in (subdivisions if isinstance(subdivisions, list) else [])
        ]
        return City(
            _text(_member(found, "country", "iso_code")),
            _text(_member(found, "city", "names", "en")),
            tuple(name for name in names if name is not None),
        )

    def close(self) -> None:
        """Unmap the file."""
        with self._lock:
            if self._reader is not None:
                self._reader.close()
                self._reader = None

    def _look_up(self, address: str) -> dict[str, Any] | None:
        reader = self._open()
        try:
            found = reader.get(address)
        except ValueError:  # an IPv6 address in a database of IPv4 addresses
            return None
        except RuntimeError as exc:  # the library's error for a damaged file
            raise InternalError(detail=f"{self._path}: {exc}") from exc
        return found if isinstance(found, dict) else None

    def _open(self) -> "Reader":
        reader = self._reader
        if reader is None:
            import maxminddb  # noqa: PLC0415  # imported when first needed: start-up time

            with self._lock:
                if self._reader is None:
                    try:
                        self._reader = maxminddb.open_database(self._path)
                    except (maxminddb.InvalidDatabaseError, OSError) as exc:
                        raise InternalError(detail=str(exc)) from exc
                reader = self._reader
        return reader


def open_geoip(path: Path) -> GeoIp | None:
    """
    Open the database if there is one.

    Raises:
        OperatorError: The file is there and is not a MaxMind database.

    Spec:
        server/geoip
    """
    return GeoIp(path) if path.is_file() else None


def _check_file(path: Path) -> None:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - METADATA_MAX_BYTES))
            tail = file.read()
    except OSError as exc:
        raise OperatorError(f"{path}: {exc.strerror}") from exc
    if METADATA_MARKER not in tail:
        raise OperatorError(f"{path}: not a MaxMind database")


def check_address(text: str) -> None:
    """
    Require a bare address: no port, zone, blanks or leading zeros.

    Raises:
        InvalidAddressError: Anything else.
    """
    try:
        ip_address(text)
    except ValueError as exc:
        raise InvalidAddressError("not an IP address") from exc
    if "%" in text:
        raise InvalidAddressError("an IP address without zone is needed")


def _member(value: Any, *path: str) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
