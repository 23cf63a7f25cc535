"""
The access log of a depot: where its entries go, and how administrators read it.

Spec: server/access-log-rows, server/stdout-access-log, server/reading-admin.
"""

import sys
from typing import TYPE_CHECKING

from trailbase_server.admin.logs import LogsState
from trailbase_server.config.defaults import LOGS_RETENTION_S
from trailbase_server.config.holder import ConfigHolder
from trailbase_server.config.proto.config_pb2 import AccessLogConfig
from trailbase_server.logs.keep import Keep
from trailbase_server.logs.pages import LogView
from trailbase_server.logs.store import LogStore
from trailbase_server.logs.stream import LineStream
from trailbase_server.server.options import ServerOptions
from trailbase_server.sqlite.geoip import GeoIp
from trailbase_server.sqlite.side_reader import SideReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from trailbase_server.web.log_entry import LogEntry


class AccessLog:
    """
    Takes entries and passes them on.

    Args:
        store: Writes ``logs.db``.
        options: Say whether lines are written too.

    Attributes:
        append: Takes one entry; for dispatchers. The store's own where nothing else is written, so
            that it costs requests nothing.
        lines: Writes them to a stream, None where that is not wanted.
    """

    def __init__(self, store: LogStore, options: ServerOptions) -> None:
        self._store = store
        self.lines = _open_lines(options)
        self.append: Callable[[LogEntry], None] = (
            store.append if self.lines is None else self._append_to_both
        )

    @property
    def dropped(self) -> tuple[int, int]:
        """Entries that were lost: for ``logs.db``, for the stream."""
        return self._store.dropped, 0 if self.lines is None else self.lines.dropped

    def configure(self, config: AccessLogConfig) -> None:
        """Take over what is to be logged from now on."""
        share = 1 / (config.sample_one_in or 1)
        excluded = tuple(config.exclude_paths)
        limit = config.max_size_bytes if config.HasField("max_size_bytes") else None
        self._store.keep = Keep(config.disabled, excluded, share, limit)
        if self.lines is not None:
            self.lines.keep = Keep(excluded=excluded, share=share)

    def close(self) -> None:
        """Write the lines that are left; the store is closed by who opened it."""
        if self.lines is not None:
            self.lines.close()

    def _append_to_both(self, entry: "LogEntry") -> None:
        self._store.append(entry)
        assert self.lines is not None  # noqa: S101  # or this is not called
        self.lines.append(entry)


def _open_lines(options: ServerOptions) -> LineStream | None:
    place = options.access_log
    if place is None:
        place = "stdout" if options.dev or options.stderr_logging else "off"
    if place == "off":
        return None
    try:
        return LineStream((sys.stdout if place == "stdout" else sys.stderr).fileno())
    except (OSError, ValueError, AttributeError):  # it was closed before we were started
        return None


def build_log_pages(
    config: ConfigHolder,
    store: LogStore,
    reader: SideReader,
    geoip: GeoIp | None,
    *,
    demo: bool = False,
) -> LogsState:
    """
    Put together what the handlers of the access log need.

    Args:
        config: Says how long entries are kept.
        store: Writes them.
        reader: Of ``logs.db``.
        geoip: Tells where addresses are.
        demo: Visitors do not see the addresses of others.
    """

    def retention_s() -> float:
        server = config.config.server
        # Where all are kept for ever, the statistics end somewhere all the same.
        return server.logs_retention_sec or LOGS_RETENTION_S

    return LogsState(store, reader.run, LogView(geoip, demo), retention_s)
