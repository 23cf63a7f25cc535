"""What the admin handlers need, built once by the server."""

from collections.abc import Callable

from msgspec import Struct

from trailbase_server.config.holder import ConfigHolder
from trailbase_server.schema.model import Catalog


class AdminState(Struct):
    """
    State of the admin API.

    Attributes:
        config: The configuration that runs.
        catalog: What the databases contain now.
        public_key_pem: Verifies auth tokens.
        threads: Size of the reader pool.
        started_at: Unix seconds.
        demo: Whatever would change the server for others is refused.
    """

    config: ConfigHolder
    catalog: Callable[[], Catalog]
    public_key_pem: str
    threads: int
    started_at: int
    demo: bool = False
