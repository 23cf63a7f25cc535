"""
Litestream's own configuration, for our child and for a sidecar.

It holds no keys: those travel in the environment. Values are JSON strings, which YAML reads as
well; nothing in them is expanded (``-no-expand-env``).

``truncate-page-n`` is how far a log may grow before Litestream makes the writers wait for it. All
levels below the snapshots are kept as long as those: any moment within ``keep_hours`` can be
restored, the last hour to the second, before that to ``SECOND_LEVEL_S``.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from trailbase_server.replication.settings import ReplicationSettings
from trailbase_server.replication.target import Directory, place_of

MONITOR_MS = 250  # how often a log is looked at: one call of the kernel
SYNC_S = 1  # between two uploads of a database that changes; more often costs more in a bucket
FINE_S = 3600  # how far back the replica keeps every single upload
SECOND_LEVEL_S = 30  # uploads are put together to such pieces
SNAPSHOT_HOURS = 24  # between two whole copies; restores read what came after one
TRUNCATE_PAGES = 50_000  # 200 MB of 4 KiB pages
STOP_SYNC_S = 5  # when it is told to stop; the last writes have been asked for before
STATE = "own/litestream"  # directory below ``data/`` of what it keeps for itself
CONFIG_FILE = "litestream.yml"  # in it

Node = dict[str, "Node"] | list["Node"] | str | int | bool


def render_config(
    settings: ReplicationSettings,
    data: Path,
    homes: Sequence[str],
    socket: Path | None,
    level: str = "warn",
) -> str:
    """
    Write the configuration of Litestream.

    Args:
        settings: Where to, and how much is kept.
        data: The directory ``data/``, absolute.
        homes: Databases by their place below it.
        socket: Where it can be asked how it is, maybe relative to where it is started; None:
            nowhere.
        level: What it logs, as JSON on standard error.

    Returns:
        YAML.
    """
    tree: Node = {
        "logging": {"level": level, "type": "json", "stderr": True},
        **({"socket": {"enabled": True, "path": str(socket)}} if socket else {}),
        "snapshot": {
            "interval": f"{min(SNAPSHOT_HOURS, settings.keep_hours)}h",
            "retention": f"{settings.keep_hours}h",
        },
        "levels": [{"interval": f"{SECOND_LEVEL_S}s"}, {"interval": "5m"}, {"interval": "1h"}],
        "l0-retention": f"{FINE_S}s",
        "shutdown-sync-timeout": f"{STOP_SYNC_S}s",
        "dbs": [_database(settings, data, home) for home in homes],
    }
    return "\n".join(_lines(tree, "")) + "\n"


def _database(settings: ReplicationSettings, data: Path, home: str) -> Node:
    return {
        "path": str(data / home),
        "meta-path": str(_state_of(data, home)),
        "monitor-interval": f"{MONITOR_MS}ms",
        "truncate-page-n": TRUNCATE_PAGES,
        "replica": replica_of(settings, home),
    }


def forget_state(data: Path, homes: Sequence[str] | None = None) -> None:
    """
    Forget what Litestream knew of databases that have been replaced while it did not run.

    It compares them with the replica then and begins with a whole copy; what it believed to know
    might hide the change from it.

    Args:
        data: The directory ``data/``.
        homes: Databases by their place below it; None: all.
    """
    known = data / STATE
    if homes is not None:
        paths = [_state_of(data, home) for home in homes]
    else:
        paths = [path for path in known.iterdir() if path.is_dir()] if known.is_dir() else []
    for path in paths:
        shutil.rmtree(path, ignore_errors=True)


def _state_of(data: Path, home: str) -> Path:
    return data / STATE / home.removesuffix(".db")


def replica_of(settings: ReplicationSettings, home: str) -> Node:
    """Describe the replica of one database in Litestream's words."""
    target = settings.target
    place = place_of(target, home)
    if isinstance(target, Directory):
        return {"type": "file", "path": place, "sync-interval": f"{SYNC_S}s"}
    return {
        "type": "s3",
        "bucket": target.name,
        "path": place,
        **({"endpoint": target.endpoint, "force-path-style": True} if target.endpoint else {}),
        **({"region": target.region} if target.region else {}),
        "sync-interval": f"{SYNC_S}s",
    }


def _lines(node: Node, indent: str) -> list[str]:
    if isinstance(node, dict):
        found = []
        for key, value in node.items():
            if isinstance(value, dict | list):
                found += [f"{indent}{key}:", *_lines(value, indent + "  ")]
            else:
                found.append(f"{indent}{key}: {_scalar(value)}")
        return found
    if isinstance(node, list):
        found = []
        for item in node:
            first, *rest = _lines(item, indent + "  ")
            found += [f"{indent}- {first.lstrip()}", *rest]
        return found
    return [indent + _scalar(node)]


def _scalar(value: str | int | bool) -> str:
    return json.dumps(value)
