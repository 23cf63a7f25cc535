"""Mistakes in what is to be logged."""

import pytest

from trailbase_server.config.access_log import MAX_EXCLUDED_PATHS, MIN_SIZE_BYTES, check_access_log
from trailbase_server.config.check import check_config
from trailbase_server.config.defaults import default_config
from trailbase_server.config.proto.config_pb2 import AccessLogConfig


def places(**members):
    return [place for place, _ in check_access_log(AccessLogConfig(**members))]


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"disabled": True, "sample_one_in": 100, "max_size_bytes": MIN_SIZE_BYTES},
        {"exclude_paths": ["/", "/*", "/api/healthcheck", "/assets/*"], "sample_one_in": 1},
    ],
)
def test_what_makes_sense_is_taken(members):
    assert places(**members) == []


@pytest.mark.parametrize(
    ("members", "place"),
    [
        ({"exclude_paths": ["/a", "b"]}, "exclude_paths[1]"),
        ({"exclude_paths": [""]}, "exclude_paths[0]"),
        ({"exclude_paths": ["/a?b"]}, "exclude_paths[0]"),
        ({"exclude_paths": ["/a*b"]}, "exclude_paths[0]"),
        ({"exclude_paths": ["/a"] * (MAX_EXCLUDED_PATHS + 1)}, "exclude_paths"),
        ({"sample_one_in": 0}, "sample_one_in"),
        ({"max_size_bytes": 0}, "max_size_bytes"),
    ],
)
def test_what_makes_none_is_told(members, place):
    assert places(**members) == [place]


def test_the_whole_configuration_is_checked_for_it():
    config = default_config()
    config.server.access_log.sample_one_in = 0
    assert [problem.path for problem in check_config(config)] == ["server.access_log.sample_one_in"]
