"""What the record handlers need, built once by the server."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from trailbase_server.config.proto.config_pb2 import RecordApiConfig
from trailbase_server.db.base import Database
from trailbase_server.errors import MethodNotAllowedError
from trailbase_server.records.api import RecordApi, compile_apis
from trailbase_server.records.realtime.broker import Broker
from trailbase_server.schema.model import Catalog
from trailbase_server.schema.registry import SchemaRegistry
from trailbase_server.storage.base import Storage


@dataclass(slots=True)
class RecordsState:
    """
    State of the record APIs.

    Attributes:
        database: All databases, by schema.
        registry: Named JSON schemas.
        cursor_key: 32 secret bytes that seal cursors; the same after a restart.
        catalog: What the plans were compiled from.
        apis: Plans by name; replaced as a whole.
        storage: Contents of files.
        broker: Subscriptions.
    """

    database: Database
    registry: SchemaRegistry
    cursor_key: bytes
    catalog: Catalog
    apis: Mapping[str, RecordApi]
    storage: Storage
    broker: Broker = field(init=False)

    def __post_init__(self) -> None:
        self.broker = Broker(self.database)

    def compile(self, configs: Iterable[RecordApiConfig], catalog: Catalog) -> None:
        """Replace the plans after a change of configuration or schema."""
        apis = compile_apis(configs, catalog, self.database.prepare_error)
        self.catalog = catalog
        self.apis = apis
        self.broker.configure(apis, catalog)

    def api(self, name: str) -> RecordApi:
        """
        Look a plan up.

        Raises:
            MethodNotAllowedError: There is none of that name: 405.
        """
        api = self.apis.get(name)
        if api is None:
            raise MethodNotAllowedError
        return api
