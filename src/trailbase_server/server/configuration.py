"""The configuration of a depot before anything is opened: read, and checked in itself."""

import os

from trailbase_server.config.holder import ConfigHolder
from trailbase_server.config.load import CONFIG_FILE, LoadedConfig, load_config
from trailbase_server.config.problem import Problem
from trailbase_server.config.proto.config_pb2 import Config, ServerConfig
from trailbase_server.errors import OperatorError
from trailbase_server.mail.letters import find_template_problems
from trailbase_server.schema.registry import InvalidSchemaError, compile_schemas
from trailbase_server.server.options import ServerOptions

DEFAULT_BODY_LIMIT = 10 * 1024 * 1024  # bytes


def check_configuration(options: ServerOptions) -> LoadedConfig:
    """
    Read a configuration that is there and check it in itself; changes nothing.

    Raises:
        OperatorError: All that is wrong with it.
    """
    loaded = load_config(options.depot, os.environ, create=False)
    ConfigHolder(loaded, os.environ, [find_own_problems]).check()
    return loaded


def load_configuration(options: ServerOptions) -> Config:
    """
    Read the configuration of a depot that is there, for commands that need no more of it.

    Raises:
        OperatorError: There is no depot, or its configuration is wrong.
    """
    if not (options.depot / CONFIG_FILE).exists():
        raise OperatorError(f"there is no depot in '{options.depot}'")
    return load_config(options.depot, os.environ, create=False).config


def body_limit(server: ServerConfig) -> int:
    """Largest request body that a configuration allows, in bytes."""
    has_limit = server.HasField("request_size_limit_bytes")
    return int(server.request_size_limit_bytes) if has_limit else DEFAULT_BODY_LIMIT


def schemas_of(config: Config) -> dict[str, str]:
    """Sources of the JSON schemas, by name."""
    return {schema.name: schema.schema for schema in config.schemas}


def find_own_problems(config: Config) -> list[Problem]:
    """Find what is wrong whatever the schema is."""
    return [*check_schemas(config), *check_letters(config)]


def check_letters(config: Config) -> list[Problem]:
    """Find templates of mails that could not be used."""
    return find_template_problems(config.email)


def check_schemas(config: Config) -> list[Problem]:
    """Find schemas that the registry would refuse."""
    problems = []
    for index, schema in enumerate(config.schemas):
        try:
            compile_schemas({schema.name: schema.schema})
        except InvalidSchemaError as exc:
            problems.append(Problem(f"schemas[{index}].schema", str(exc)))
    return problems
