"""How the access log of a depot is put together."""

from types import SimpleNamespace

import pytest

from trailbase_server.config.defaults import LOGS_RETENTION_S
from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.server.access_log import build_log_pages


@pytest.mark.parametrize(
    ("configured", "used"), [(None, LOGS_RETENTION_S), (0, LOGS_RETENTION_S), (3600, 3600)]
)
def test_statistics_cover_what_is_kept(configured, used):
    holder = SimpleNamespace(config=Config())
    if configured is not None:
        holder.config.server.logs_retention_sec = configured
    reader = SimpleNamespace(run=None)
    assert build_log_pages(holder, None, reader, None).retention_s() == used
