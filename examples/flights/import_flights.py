"""
Fill the tables of this example: ``python examples/flights/import_flights.py``.

Nothing happens when they are full already. Otherwise the ``trail`` command prepares the depot
(directories, keys, migrations), and each database is filled in one transaction, so that an
interrupted import leaves nothing half done and can be started again. If the depot is new, the
login of its first administrator is printed at once: the server says it only once.
"""

import argparse
import subprocess
import sys
from contextlib import closing
from itertools import islice
from pathlib import Path

import apsw
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from source import FLIGHTS, Source, fetch

from trailbase_server.config.load import load_config
from trailbase_server.schema.registry import SchemaRegistry
from trailbase_server.sqlite.functions import register_functions
from trailbase_server.sqlite.open import DatabaseFiles, open_connection
from trailbase_server.sqlite.vectors import load_vectors

HERE = Path(__file__).resolve().parent
BATCH = 5_000  # rows between two moves of the bar
POINTS = "UPDATE airport SET geom = ST_MakePoint(longitude, latitude) WHERE longitude IS NOT NULL"
MONTHS = """
    INSERT INTO archive.month (month, airline, flights, cancelled, mean_delay_min)
    SELECT substr(f.date, 1, 7) AS month, a.name, count(*), count(*) - count(f.departure),
      round(avg(f.departure_delay_min), 1)
    FROM main.flight AS f INNER JOIN main.airline AS a ON a.id = f.airline
    GROUP BY month, a.id ORDER BY month, a.name
"""
COLUMNS = {
    "airline": "id, code, name",
    "airport": "id, code, name, latitude, longitude, details",
    "plane": "id, tail_number, year, kind, manufacturer, model, engines, seats, speed_mph, engine",
    "weather": "id, origin, time_hour, temperature_f, dew_point_f, humidity, wind_direction,"
    " wind_speed_mph, wind_gust_mph, rain_in, pressure_mbar, visibility_mi",
    "flight": "id, airline, number, origin, destination, plane, date, time_hour,"
    " scheduled_departure, departure, departure_delay_min, scheduled_arrival, arrival,"
    " arrival_delay_min, air_time_min, distance_mi",
}
EXPECTED_ROWS = {"airline": 16, "airport": 1_462, "plane": 4_043, "weather": 26_115}


def main() -> None:
    """Read the options and import."""
    parser = argparse.ArgumentParser(description="Fill the tables of the flights example.")
    parser.add_argument("--depot", type=Path, default=HERE / "depot")
    parser.add_argument("--cache", type=Path, default=HERE.parents[1] / ".cache" / "flights")
    options = parser.parse_args()
    depot = options.depot
    has_flights, has_months = has_rows(depot, "main", "flight"), has_rows(depot, "archive", "month")
    if has_flights and has_months:
        return
    sdist = None if has_flights else fetch(options.cache)
    login = prepare_depot(depot)
    if login:
        print(login, file=sys.stderr)
    with closing(open_databases(depot)) as connection:
        if sdist is not None:
            import_rows(connection, Source(sdist))
        if not has_months:
            with connection:
                connection.execute(MONTHS)
        for database in ("main", "archive"):
            connection.execute(f"PRAGMA {database}.optimize").fetchall()
            connection.execute(f"PRAGMA {database}.wal_checkpoint(TRUNCATE)").fetchall()


def has_rows(depot: Path, database: str, table: str) -> bool:
    """Answer whether a table of the depot is filled already."""
    path = depot / "data" / f"{database}.db"
    if not path.exists():
        return False
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        try:
            return connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() is not None
        except apsw.SQLError:  # the depot was prepared no further than this table
            return False


def prepare_depot(depot: Path) -> str:
    """
    Let the server's command create directories, keys and tables.

    Returns:
        The message with the first administrator's login, empty if there is one already.
    """
    trail = Path(sys.executable).with_name("trail")
    command = [str(trail), "--depot", str(depot), "admin", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"Cannot prepare {depot}:\n{done.stderr.strip()}")
    lines = done.stderr.splitlines()
    start = next((n for n, line in enumerate(lines) if "Created new admin user" in line), None)
    return "" if start is None else "\n".join(lines[start : start + 3])


def open_databases(depot: Path) -> apsw.Connection:
    """Open both databases with the functions that their tables use."""
    registry = SchemaRegistry()
    registry.replace({s.name: s.schema for s in load_config(depot, {}).config.schemas})
    files = DatabaseFiles(
        depot / "data" / "main.db",
        attached={"archive": depot / "data" / "archive.db"},
        prepare=lambda connection: register_functions(connection, registry, None),
    )
    connection = open_connection(files, "migrator")
    load_vectors(connection)
    return connection


def import_rows(connection: apsw.Connection, source: Source) -> None:
    """Write the tables of the source in one transaction, with a bar on a terminal."""
    bar = Progress(
        TextColumn("{task.description:>8}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
    tables = [
        ("airline", source.airlines()),
        ("airport", source.airports()),
        ("plane", source.planes()),
        ("weather", source.weather()),
        ("flight", source.flights()),
    ]
    with bar, connection:
        for table, rows in tables:
            task = bar.add_task(table, total=EXPECTED_ROWS.get(table, FLIGHTS))
            marks = ", ".join("?" * (COLUMNS[table].count(",") + 1))
            sql = f"INSERT INTO {table} ({COLUMNS[table]}) VALUES ({marks})"
            while batch := list(islice(rows, BATCH)):
                connection.executemany(sql, batch)
                bar.advance(task, len(batch))
        connection.execute(POINTS)


if __name__ == "__main__":
    main()
