"""
From the files of a depot and the environment to the configuration that runs.

A start never writes a file that is there: comments and order of a hand-written one stay. What an
update writes back later is not what runs but what the file itself would say (``own``): values of
the environment stay out of it.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from trailbase_server.config.defaults import default_config
from trailbase_server.config.environment import apply_environment
from trailbase_server.config.fields import complete
from trailbase_server.config.files import OWNER_ONLY, make_private_directory, replace_file
from trailbase_server.config.fingerprint import config_hash
from trailbase_server.config.outline import Outline
from trailbase_server.config.problem import Problem, render_problems
from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.config.textproto import TextProblem, parse_text, render_text
from trailbase_server.config.vault import (
    VAULT_PATH,
    find_missing,
    load_vault,
    render_vault,
    resolve_secrets,
)
from trailbase_server.errors import OperatorError

log = logging.getLogger(__name__)

CONFIG_FILE = "config.textproto"


@dataclass(frozen=True)
class LoadedConfig:
    """
    A configuration and where it came from. Its messages are not to be changed.

    Attributes:
        depot: Directory.
        config: What runs: file, secrets and environment together.
        own: What the file says by itself, secrets in place where the vault has them.
        stored: The file as it is, placeholders included.
        secrets: The vault as it is.
        overrides: Variable by path of the fields that come from the environment.
        text: The file.
        digest: SHA-256 of the file's bytes.
        hash: Mark of ``config`` for clients.
    """

    depot: Path
    config: Config
    own: Config
    stored: Config
    secrets: Mapping[str, str]
    overrides: Mapping[str, str]
    text: str
    digest: bytes
    hash: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hash", config_hash(self.config))


def load_config(depot: Path, environ: Mapping[str, str], *, create: bool = True) -> LoadedConfig:
    """
    Read the configuration of a depot; ``check_config`` is the caller's next step.

    Args:
        depot: Directory.
        environ: Variables of the process.
        create: Write the default configuration and an empty vault where files are missing.

    Raises:
        OperatorError: A file is missing or unreadable, or text, secrets or environment are wrong;
            all mistakes are told.

    Spec:
        server/file-format
        server/environment-overrides
        server/vault-and-redaction
    """
    path = depot / CONFIG_FILE
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if not create:
            raise OperatorError(f"{path}: there is no such file") from None
        content = _create(depot)
    except OSError as exc:
        raise OperatorError(f"cannot read {path}: {exc.strerror}") from exc
    return read_config(depot, content, load_vault(depot), environ)


def read_config(
    depot: Path, content: bytes, secrets: Mapping[str, str], environ: Mapping[str, str]
) -> LoadedConfig:
    """
    Put a configuration together from what was read.

    Args:
        depot: Where it was read.
        content: Bytes of the configuration file.
        secrets: Content of the vault.
        environ: Variables of the process.

    Raises:
        OperatorError: See ``load_config``.
    """
    stored, text, mistakes = parse_config(content)
    if mistakes:
        lines = [f"{CONFIG_FILE}:{m.line}:{m.column}: {m.message}" for m in mistakes]
        raise OperatorError("\n".join(lines))
    loaded, problems = assemble_config(depot, stored, text, secrets, environ)
    if problems:
        raise report(problems, loaded)
    return loaded


def parse_config(content: bytes) -> tuple[Config, str, list[TextProblem]]:
    """
    Read the bytes of a configuration file.

    Returns:
        The configuration as far as it can be read, the text, and the mistakes in it.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        column = exc.start - (content.rfind(b"\n", 0, exc.start) + 1) + 1
        return Config(), "", [TextProblem(line, column, "not UTF-8")]
    stored, mistakes = parse_text(text, Config)
    return stored, text, mistakes


def assemble_config(
    depot: Path,
    stored: Config,
    text: str,
    secrets: Mapping[str, str],
    environ: Mapping[str, str],
) -> tuple[LoadedConfig, list[Problem]]:
    """
    Add secrets and environment to what the file says.

    Args:
        depot: Where it was read.
        stored: What the file says.
        text: The file.
        secrets: Content of the vault.
        environ: Variables of the process.

    Returns:
        What would run, and what keeps it from that: secrets that are missing, variables that do
        not fit.
    """
    own = complete(copy_config(stored))
    resolve_secrets(own, secrets)
    config = copy_config(own)
    overrides, problems = apply_environment(config, environ)
    problems += find_missing(config)
    digest = sha256(text.encode()).digest()
    return LoadedConfig(depot, config, own, stored, secrets, overrides, text, digest), problems


def report(problems: Iterable[Problem], loaded: LoadedConfig) -> OperatorError:
    """Tell the operator what is wrong with a configuration, one line per problem."""
    return render_problems(problems, CONFIG_FILE, Outline(loaded.text), loaded.overrides)


def copy_config(config: Config) -> Config:
    """Make a copy that may be changed."""
    copy = Config()
    copy.CopyFrom(config)
    return copy


def _create(depot: Path) -> bytes:
    log.warning("no %s in %s, writing the default one", CONFIG_FILE, depot)
    content = render_text(default_config()).encode()
    try:
        depot.mkdir(parents=True, exist_ok=True)
        vault = depot / VAULT_PATH
        if not vault.exists():
            make_private_directory(vault.parent)
            replace_file(vault, render_vault({}).encode(), OWNER_ONLY)
        replace_file(depot / CONFIG_FILE, content)
    except OSError as exc:
        raise OperatorError(f"cannot write {depot / CONFIG_FILE}: {exc.strerror}") from exc
    return content
