"""Which version of the server opened a depot last: ``metadata.textproto``."""

import logging
from pathlib import Path

from trailbase_server.config.files import replace_file
from trailbase_server.config.proto.metadata_pb2 import Metadata
from trailbase_server.config.textproto import parse_text, render_text
from trailbase_server.errors import OperatorError

log = logging.getLogger(__name__)

METADATA_FILE = "metadata.textproto"


def load_metadata(depot: Path) -> str | None:
    """
    Read the version that opened a depot last, None if there is none on record.

    Raises:
        OperatorError: The file is unreadable or wrong.

    Spec:
        server/metadata-textproto
    """
    path = depot / METADATA_FILE
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        log.warning("no %s in %s, writing it", METADATA_FILE, depot)
        return None
    except (OSError, UnicodeDecodeError) as exc:
        raise OperatorError(f"cannot read {path}: {exc}") from exc
    metadata, problems = parse_text(text, Metadata)
    if problems:
        raise OperatorError(
            "\n".join(f"{METADATA_FILE}:{p.line}:{p.column}: {p.message}" for p in problems)
        )
    return metadata.last_executed_version if metadata.HasField("last_executed_version") else None


def store_metadata(depot: Path, before: str | None, version: str) -> None:
    """
    Record after a successful start which version it was; tell when it is another one.

    Args:
        depot: Directory; if it is read-only nothing is recorded.
        before: What ``load_metadata`` returned.
        version: Ours.

    Raises:
        OperatorError: The file is missing and cannot be written.

    Spec:
        server/metadata-textproto
    """
    if before == version:
        return
    if before is not None:
        log.info("this depot was last opened by version %s, now by %s", before, version)
    content = render_text(Metadata(last_executed_version=version)).encode()
    path = depot / METADATA_FILE
    try:
        replace_file(path, content)
    except OSError as exc:
        if not path.exists():
            raise OperatorError(f"cannot write {path}: {exc.strerror}") from exc
        log.warning("cannot write %s: %s", path, exc.strerror)
