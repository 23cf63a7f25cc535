"""
A depot's schema without the depot: its migrations applied to empty databases in a temporary place.

What checks a configuration for CI, or beside a running server, must not write a byte into the
depot. The rehearsal links to its migrations and has databases of its own, gone at the end.
"""

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from trailbase_server.config.load import LoadedConfig
from trailbase_server.db.values import Params, Row
from trailbase_server.records.access import Read
from trailbase_server.records.rules import PrepareError
from trailbase_server.schema.introspect import read_catalog
from trailbase_server.schema.model import Catalog
from trailbase_server.schema.registry import SchemaRegistry
from trailbase_server.server.databases import DepotDatabases
from trailbase_server.sqlite.geoip import open_geoip
from trailbase_server.sqlite.reading import BudgetedConnection

STATEMENT_BUDGET_S = 10.0  # nobody else waits for the databases of a rehearsal
MIGRATIONS = "migrations"


@dataclass(frozen=True)
class Rehearsal:
    """
    What a depot's configuration and migrations amount to.

    Attributes:
        loaded: The configuration.
        catalog: What the databases contain once all migrations are applied.
        registry: Named JSON schemas.
        read: Runs a statement.
        prepare_error: Compiles a statement without running it.
    """

    loaded: LoadedConfig
    catalog: Catalog
    registry: SchemaRegistry
    read: Read
    prepare_error: PrepareError


@contextmanager
def rehearse(loaded: LoadedConfig, geoip_path: Path | None = None) -> Iterator[Rehearsal]:
    """
    Apply the migrations of a depot to empty databases; blocks.

    Args:
        loaded: The configuration of the depot, sound in itself.
        geoip_path: Database of addresses, for migrations that ask it.

    Raises:
        OperatorError: A migration cannot be read or fails.
    """
    config = loaded.config
    registry = SchemaRegistry({schema.name: schema.schema for schema in config.schemas})
    with tempfile.TemporaryDirectory(prefix="trail-check-") as place:
        stage = Path(place)
        (stage / "data").mkdir()
        (stage / MIGRATIONS).symlink_to((loaded.depot / MIGRATIONS).absolute())
        databases = DepotDatabases(stage, registry, open_geoip(geoip_path or stage / "-"), "NORMAL")
        databases.migrate(config)
        reader = BudgetedConnection(databases.main_files(config), STATEMENT_BUDGET_S)
        with closing(reader.connection):

            def read(sql: str, params: Params = ()) -> list[Row]:
                return reader.read(sql, params)

            yield Rehearsal(loaded, read_catalog(read), registry, read, reader.prepare_error)
