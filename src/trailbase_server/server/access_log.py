"""The access log of a depot: how administrators read it (spec server/reading-admin)."""

from trailbase_server.admin.logs import LogsState
from trailbase_server.config.defaults import LOGS_RETENTION_S
from trailbase_server.config.holder import ConfigHolder
from trailbase_server.logs.pages import LogView
from trailbase_server.logs.store import LogStore
from trailbase_server.sqlite.geoip import GeoIp
from trailbase_server.sqlite.side_reader import SideReader


def build_log_pages(
    config: ConfigHolder, store: LogStore, reader: SideReader, geoip: GeoIp | None
) -> LogsState:
    """
    Put together what the handlers of the access log need.

    Args:
        config: Says how long entries are kept.
        store: Writes them.
        reader: Of ``logs.db``.
        geoip: Tells where addresses are.
    """

    def retention_s() -> float:
        server = config.config.server
        # Where all are kept for ever, the statistics end somewhere all the same.
        return server.logs_retention_sec or LOGS_RETENTION_S

    return LogsState(store, reader.run, LogView(geoip), retention_s)
