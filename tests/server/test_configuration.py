"""The configuration before anything is opened."""

import pytest

from trailbase_server.config.proto.config_pb2 import Config, ServerConfig
from trailbase_server.errors import OperatorError
from trailbase_server.server.configuration import (
    DEFAULT_BODY_LIMIT,
    body_limit,
    check_configuration,
    find_own_problems,
    load_configuration,
    schemas_of,
)
from trailbase_server.server.options import ServerOptions


def test_a_configuration_is_read_without_making_anything(pier):
    options = ServerOptions(pier.root)
    before = sorted(pier.root.rglob("*"))
    assert load_configuration(options).server.application_name == "Pier"
    assert check_configuration(options).config == load_configuration(options)
    assert sorted(pier.root.rglob("*")) == before


def test_what_is_wrong_in_itself_is_told(pier):
    pier.edit('"Pier"', '""')
    with pytest.raises(OperatorError, match="application_name"):
        check_configuration(ServerOptions(pier.root))


def test_a_directory_without_a_configuration_is_no_depot(tmp_path):
    with pytest.raises(OperatorError, match="there is no depot"):
        load_configuration(ServerOptions(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_schemas_and_letters_are_looked_at():
    config = Config(schemas=[{"name": "x", "schema": '{"type": 5}'}, {"name": "y", "schema": "{}"}])
    config.email.user_verification_template.body = "{{ NOBODY"
    paths = [problem.path for problem in find_own_problems(config)]
    assert paths[0] == "schemas[0].schema"
    assert paths[1].startswith("email.")
    assert schemas_of(config) == {"x": '{"type": 5}', "y": "{}"}


def test_bodies_have_a_limit_unless_the_configuration_says_another():
    assert body_limit(ServerConfig()) == DEFAULT_BODY_LIMIT
    assert body_limit(ServerConfig(request_size_limit_bytes=0)) == 0
