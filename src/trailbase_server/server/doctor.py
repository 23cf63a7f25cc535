"""
What is the matter with a depot and the machine it is on: for an operator who wonders.

Nothing is written and no secret is told. What needs the network is in ``reachable``.
"""

import fcntl
import os
import platform
import resource
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import apsw

from trailbase_server import WIRE_VERSION, __version__
from trailbase_server.backups.settings import compile_backups
from trailbase_server.backups.shelf import newest_backup
from trailbase_server.clock import SYSTEM_CLOCK
from trailbase_server.config.load import LoadedConfig, load_config
from trailbase_server.config.proto.config_pb2 import SystemJobId
from trailbase_server.errors import OperatorError
from trailbase_server.server.configuration import check_configuration
from trailbase_server.server.depot import read_last_version
from trailbase_server.server.depot_check import check_secrets, check_tls
from trailbase_server.server.disk import Room
from trailbase_server.server.histories import read_histories
from trailbase_server.server.lock import LOCK_FILE
from trailbase_server.server.options import ServerOptions
from trailbase_server.server.reachable import check_reachable
from trailbase_server.server.verdict import Level, Verdict, judge
from trailbase_server.sqlite.probe import open_untouched

MIN_FILES = 4096  # open files: one a connection, and some a database
MAX_LOG_BYTES = 512 * 1024**2  # of a write-ahead log: eight times what is kept on purpose
MAX_SKEW_S = 60  # how far in the future a file may be before the clock is suspect
DAY_S = 86_400  # seconds
OLD_BACKUP_S = 7 * DAY_S  # a backup that nobody would like to go back to
MIB = 1024**2


def examine(
    options: ServerOptions, environ: Mapping[str, str], *, offline: bool = False
) -> list[Verdict]:
    """
    Look at everything; blocks, for some seconds where something does not answer.

    Args:
        options: Which depot, and where the server listens.
        environ: Variables of the process.
        offline: Nothing that needs the network.
    """
    depot = options.depot
    verdicts = judge("versions", _check_versions)
    verdicts += judge("limits", _check_limits)
    if not depot.is_dir():
        return [*verdicts, Verdict("depot", Level.FAIL, f"there is no depot in '{depot}'")]
    verdicts += judge("depot", lambda: _check_layout(depot))
    verdicts += judge("disk", lambda: _check_disk(depot))
    verdicts += judge("clock", lambda: _check_clock(depot))
    verdicts += judge("secrets", lambda: check_secrets(depot))
    verdicts += judge("tls", lambda: check_tls(options))
    try:
        check_configuration(options)
        loaded = load_config(depot, environ, create=False)
    except OperatorError as exc:
        lines = str(exc).splitlines()
        return [*verdicts, *(Verdict("config", Level.FAIL, line) for line in lines)]
    verdicts.append(Verdict("config", Level.OK, f"{len(loaded.config.record_apis)} record APIs"))
    verdicts += judge("databases", lambda: _check_databases(loaded))
    verdicts += judge("backups", lambda: _check_backups(loaded))
    verdicts += check_reachable(options, loaded, holder_of(depot), offline=offline)
    return verdicts


def holder_of(depot: Path) -> str | None:
    """Process id of the server that runs on a depot; empty if it is not known, None: none runs."""
    path = depot / LOCK_FILE
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.read(handle, 64).decode(errors="replace").split(" ")[0].strip()
    except OSError:
        return None
    finally:
        os.close(handle)
    return None


def _check_versions() -> Iterator[Verdict]:
    facts = {
        "trail": __version__,
        "wire": WIRE_VERSION,
        "python": platform.python_version(),
        "sqlite": apsw.sqlite_lib_version(),
        "sqlite_options": list(apsw.compile_options),
        "system": platform.platform(),
    }
    message = f"trail {__version__}, Python {facts['python']}, SQLite {facts['sqlite']}"
    yield Verdict("versions", Level.OK, message, facts=facts)


def _check_limits() -> Iterator[Verdict]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    is_enough = soft == resource.RLIM_INFINITY or soft >= MIN_FILES
    yield Verdict(
        "limits",
        Level.OK if is_enough else Level.WARN,
        f"{soft} open files",
        "" if is_enough else f"raise the limit to {MIN_FILES} at least: ulimit -n, or LimitNOFILE=",
        {"open_files": soft, "open_files_hard": hard, "cpus": os.cpu_count()},
    )


def _check_layout(depot: Path) -> Iterator[Verdict]:
    needed = [path for path in (depot / "data", depot / "uploads") if path.exists()]
    closed = [str(path) for path in needed if not os.access(path, os.W_OK | os.X_OK)]
    if closed:
        yield Verdict(
            "depot",
            Level.FAIL,
            f"cannot be written by this user: {', '.join(closed)}",
            f"give them to user {os.geteuid()}, or run as their owner",
        )
        return
    version = read_last_version(depot)
    message = f"last used by {version}" if version else "not started yet"
    facts = {"path": str(depot.absolute()), "version": version}
    yield Verdict("depot", Level.OK, message, facts=facts)


def _check_disk(depot: Path) -> Iterator[Verdict]:
    status = os.statvfs(depot)
    room = Room(status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize)
    level = Level.FAIL if room.is_full else Level.WARN if room.is_low else Level.OK
    advice = "" if level is Level.OK else "make room: old backups, uploads, the access log"
    message = f"{room.free // MIB} MiB of {room.total // MIB} MiB are free"
    facts = {"free_bytes": room.free, "total_bytes": room.total}
    yield Verdict("disk", level, message, advice, facts)


def _check_clock(depot: Path) -> Iterator[Verdict]:
    """Tokens and certificates depend on it; no file of ours can be from the future."""
    now = SYSTEM_CLOCK.now()
    files = [path for path in (depot / "data").glob("*.db") if path.is_file()]
    newest = max((path.stat().st_mtime for path in files), default=0.0)
    ahead = newest - now
    if ahead > MAX_SKEW_S:
        message = f"a database was written {int(ahead)} s in the future"
        yield Verdict("clock", Level.FAIL, message, "set the clock, and keep it set: NTP")
    else:
        yield Verdict("clock", Level.OK, "not behind what was written last")


def _check_databases(loaded: LoadedConfig) -> Iterator[Verdict]:
    data = loaded.depot / "data"
    facts = {}
    for path in sorted((*data.glob("*.db"), *(data / "own").glob("*.db"))):
        try:
            with closing(open_untouched(path)) as connection:
                connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        except apsw.Error as exc:
            yield Verdict("databases", Level.FAIL, f"{path.name}: {exc}", "restore a backup")
            continue
        log_file = path.with_name(path.name + "-wal")
        log_bytes = log_file.stat().st_size if log_file.exists() else 0
        facts[path.name] = {"bytes": path.stat().st_size, "log_bytes": log_bytes}
        if log_bytes > MAX_LOG_BYTES:
            yield Verdict(
                "databases",
                Level.WARN,
                f"{path.name}: the write-ahead log has {log_bytes // MIB} MiB",
                "look for a program that has been reading it for long",
            )
    pending = [
        f"{history.database}/{migration.title}"
        for history in read_histories(loaded.depot, loaded.config)
        if history.exists
        for migration in history.plan.pending
    ]
    waiting = f"; the next start applies {len(pending)} migrations" if pending else ""
    message = f"{len(facts)} can be read{waiting}"
    yield Verdict("databases", Level.OK, message, facts={"files": facts, "pending": pending})


def _check_backups(loaded: LoadedConfig) -> Iterator[Verdict]:
    settings = compile_backups(loaded.config, loaded.depot)
    newest = newest_backup(settings.directory) if settings.directory.is_dir() else None
    is_scheduled = any(
        job.id == SystemJobId.BACKUP and not job.disabled for job in loaded.config.jobs.system_jobs
    )
    age_s = None if newest is None else max(0, SYSTEM_CLOCK.now_s() - newest)
    facts = {"newest": newest, "age_s": age_s, "is_scheduled": is_scheduled}
    advice = "" if is_scheduled else 'jobs { system_jobs: [{ id: BACKUP schedule: "@daily" }] }'
    if age_s is None:
        yield Verdict("backups", Level.WARN, "there are none here", advice, facts)
    elif age_s > OLD_BACKUP_S:
        message = f"the last one is {age_s // DAY_S} days old"
        yield Verdict("backups", Level.WARN, message, advice or "see trail jobs list", facts)
    else:
        yield Verdict(
            "backups", Level.OK, f"the last one is {age_s // 3600} hours old", facts=facts
        )
