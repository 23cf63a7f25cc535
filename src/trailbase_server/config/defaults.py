"""What a new depot is configured with."""

from trailbase_server.config.fields import complete
from trailbase_server.config.proto.config_pb2 import Config

LOGS_RETENTION_S = 7 * 24 * 3600  # a week
AUTH_TOKEN_TTL_S = 3600  # an hour
REFRESH_TOKEN_TTL_S = 30 * 24 * 3600  # a month


def default_config() -> Config:
    """
    Make the configuration of a new depot.

    Spec:
        server/file-format
    """
    config = complete(Config())
    config.server.application_name = "TrailBase"
    config.server.logs_retention_sec = LOGS_RETENTION_S
    config.auth.auth_token_ttl_sec = AUTH_TOKEN_TTL_S
    config.auth.refresh_token_ttl_sec = REFRESH_TOKEN_TTL_S
    return config
