"""
Fill the tables of this example: ``python examples/flights/import_flights.py``.

Nothing happens when they are full already. Otherwise the ``trail`` command prepares the depot
(directories, keys, migrations), and all rows are written in one transaction, so that an
interrupted import leaves nothing behind and can be started again. If the depot is new, the login
of its first administrator is printed at once: the server says it only once.
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

HERE = Path(__file__).resolve().parent
BATCH = 5_000  # rows between two moves of the bar
COLUMNS = {"airline": 3, "airport": 6, "plane": 10, "weather": 12, "flight": 16}
EXPECTED_ROWS = {"airline": 16, "airport": 1_462, "plane": 4_043, "weather": 26_115}


def main() -> None:
    """Read the options and import."""
    parser = argparse.ArgumentParser(description="Fill the tables of the flights example.")
    parser.add_argument("--depot", type=Path, default=HERE / "depot")
    parser.add_argument("--cache", type=Path, default=HERE.parents[1] / ".cache" / "flights")
    options = parser.parse_args()
    if is_imported(options.depot):
        return
    sdist = fetch(options.cache)
    login = prepare_depot(options.depot)
    if login:
        print(login, file=sys.stderr)
    import_rows(options.depot, Source(sdist))


def is_imported(depot: Path) -> bool:
    """Answer whether the depot's flights are there already."""
    path = depot / "data" / "main.db"
    if not path.exists():
        return False
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        try:
            return connection.execute("SELECT 1 FROM flight LIMIT 1").fetchone() is not None
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


def import_rows(depot: Path, source: Source) -> None:
    """Write all tables in one transaction, with a bar on a terminal."""
    registry = SchemaRegistry()
    registry.replace({s.name: s.schema for s in load_config(depot, {}).config.schemas})
    files = DatabaseFiles(
        depot / "data" / "main.db",
        prepare=lambda connection: register_functions(connection, registry, None),
    )
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
    with closing(open_connection(files, "migrator")) as connection, bar:
        with connection:
            for table, rows in tables:
                task = bar.add_task(table, total=EXPECTED_ROWS.get(table, FLIGHTS))
                sql = f"INSERT INTO {table} VALUES ({', '.join('?' * COLUMNS[table])})"
                while batch := list(islice(rows, BATCH)):
                    connection.executemany(sql, batch)
                    bar.advance(task, len(batch))
        connection.execute("PRAGMA optimize").fetchall()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


if __name__ == "__main__":
    main()
