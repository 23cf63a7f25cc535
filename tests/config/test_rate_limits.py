import pytest

from trailbase_server.config.check import check_config
from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.config.rate_limits import MAX_RATE_LIMITS
from trailbase_server.config.textproto import parse_text


def check(fields, count=1):
    limits = f"rate_limits {{ {fields} }}\n" * count
    config, mistakes = parse_text(f"server {{ application_name: 'A' {limits} }}", Config)
    assert mistakes == []
    return [(problem.path, problem.message) for problem in check_config(config)]


@pytest.mark.parametrize(
    "fields",
    [
        "requests: 1",
        "requests: 100 seconds: 10 burst: 1 path: '/' per: USER methods: 'GET' methods: 'POST'",
        "requests: 4294967295 seconds: 86400 operation: 'read_record' per: ADDRESS",
    ],
)
def test_good_limits(fields):
    assert check(fields) == []


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ("", "requests", "Must be 1 or more"),
        ("requests: 0", "requests", "Must be 1 or more"),
        ("requests: 1 seconds: 0", "seconds", "Must be from 1 to 86400"),
        ("requests: 1 seconds: 86401", "seconds", "Must be from 1 to 86400"),
        ("requests: 1 burst: 0", "burst", "Must be 1 or more"),
        ("requests: 1 path: 'api'", "path", "Not a path: 'api' does not begin with /"),
        ("requests: 1 path: ''", "path", "Not a path: '' does not begin with /"),
        ("requests: 1 per: RATE_LIMIT_KEY_UNDEFINED", "per", "Must be ADDRESS or USER"),
        (
            "requests: 1 methods: 'GET' methods: 'get'",
            "methods[1]",
            "'get' is none of DELETE, GET, HEAD, PATCH, POST, PUT",
        ),
    ],
)
def test_limits_that_make_no_sense(fields, field, words):
    assert check(fields) == [(f"server.rate_limits[0].{field}", words)]


def test_there_are_not_too_many():
    assert check("requests: 1", MAX_RATE_LIMITS) == []
    assert check("requests: 1", MAX_RATE_LIMITS + 1) == [
        ("server.rate_limits", "There can be no more than 64 of them")
    ]
