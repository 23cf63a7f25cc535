"""What must be true of the choice of what is logged of requests."""

from collections.abc import Iterator

from trailbase_server.config.proto.config_pb2 import AccessLogConfig

MIN_SIZE_BYTES = 1024 * 1024  # an empty database has a tenth of that
MAX_EXCLUDED_PATHS = 100  # every request is compared with those that end in a star

Finding = tuple[str, str]
"""Path below the message, words."""


def check_access_log(wanted: AccessLogConfig) -> Iterator[Finding]:
    """
    Find what is wrong.

    Args:
        wanted: The message.
    """
    if len(wanted.exclude_paths) > MAX_EXCLUDED_PATHS:
        yield "exclude_paths", f"There can be no more than {MAX_EXCLUDED_PATHS} of them"
    for index, path in enumerate(wanted.exclude_paths):
        if not path.startswith("/"):
            yield f"exclude_paths[{index}]", f"Not a path: '{path}' does not begin with /"
        elif "?" in path or "*" in path[:-1]:
            yield f"exclude_paths[{index}]", "A path without query; a star may only end it"
    if wanted.HasField("sample_one_in") and not wanted.sample_one_in:
        yield "sample_one_in", "Must be 1 or more"
    if wanted.HasField("max_size_bytes") and wanted.max_size_bytes < MIN_SIZE_BYTES:
        yield "max_size_bytes", f"Must be at least {MIN_SIZE_BYTES}"
