"""
Whether a depot would start, from its files alone: configuration, migrations, access, secrets, TLS.

Nothing is written, so it can run in CI, or beside the server just before a restart.
"""

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from trailbase_server.clock import SYSTEM_CLOCK
from trailbase_server.config.load import LoadedConfig, load_config
from trailbase_server.errors import OperatorError
from trailbase_server.records.advice import Severity
from trailbase_server.server.access_report import report_access
from trailbase_server.server.certificate import load_certificate
from trailbase_server.server.config_report import find_mistakes
from trailbase_server.server.histories import read_histories
from trailbase_server.server.options import ServerOptions
from trailbase_server.server.rehearsal import rehearse
from trailbase_server.server.tls import find_certificates
from trailbase_server.server.verdict import Level, Verdict, judge

SECRETS = "secrets"
MAX_LISTED = 10  # migrations or files in one sentence


def check_depot(
    options: ServerOptions, environ: Mapping[str, str], ignored: frozenset[str] = frozenset()
) -> list[Verdict]:
    """
    Look at everything in a depot; blocks.

    Args:
        options: Which depot, and the files for TLS.
        environ: Variables of the process.
        ignored: Findings about access to leave out.
    """
    depot = options.depot
    if not depot.is_dir():
        raise OperatorError(f"there is no depot in '{depot}'")
    config = judge("config", lambda: _check_config(options, environ))
    verdicts = list(config)
    if all(verdict.level is Level.OK for verdict in config):
        loaded = load_config(depot, environ, create=False)
        verdicts += judge("migrations", lambda: _check_migrations(loaded))
        verdicts += judge("access", lambda: _check_access(loaded, options, ignored))
    verdicts += judge("secrets", lambda: check_secrets(depot))
    verdicts += judge("tls", lambda: check_tls(options))
    return verdicts


def _check_config(options: ServerOptions, environ: Mapping[str, str]) -> Iterator[Verdict]:
    mistakes = find_mistakes(options.depot, environ, options.geoip_db_path)
    for mistake in mistakes:
        yield Verdict("config", Level.FAIL, str(mistake), facts=mistake.render())
    if not mistakes:
        yield Verdict("config", Level.OK, "right, and fits the schema")


def _check_migrations(loaded: LoadedConfig) -> Iterator[Verdict]:
    """That they run on empty databases is known by now; do they fit those that are there?"""
    pending: list[str] = []
    is_good = True
    for history in read_histories(loaded.depot, loaded.config):
        for problem in history.plan.problems:
            is_good = False
            yield Verdict("migrations", Level.FAIL, f"{history.database}: {problem}")
        for migration in history.plan.divergent:
            is_good = False
            yield Verdict(
                "migrations",
                Level.WARN,
                f"{history.database}: {migration.title} is not what was applied",
                "put the old text back, and the change into a new migration",
            )
        if history.exists:
            pending += [f"{history.database}/{one.title}" for one in history.plan.pending]
    if is_good:
        waiting = f"; the next start applies {_list(pending)}" if pending else ""
        facts = {"pending": pending}
        yield Verdict("migrations", Level.OK, f"all run on empty databases{waiting}", facts=facts)


def _check_access(
    loaded: LoadedConfig, options: ServerOptions, ignored: frozenset[str]
) -> Iterator[Verdict]:
    with rehearse(loaded, options.geoip_db_path) as rehearsal:
        report = report_access(rehearsal, ignored)
    for remark in report.remarks:
        found = remark.finding
        yield Verdict(
            "access",
            Level.FAIL if found.severity is Severity.ERROR else Level.WARN,
            f"{remark.place}: {found.api}: {found.message} ({found.code})",
            found.fix,
            {"code": found.code, "api": found.api, "field": found.field},
        )
    if not report.remarks:
        yield Verdict("access", Level.OK, f"nothing to remark about {len(report.apis)} APIs")


def check_secrets(depot: Path) -> Iterator[Verdict]:
    """Are the secrets of a depot kept from others on the machine?"""
    root = depot / SECRETS
    if not root.is_dir():
        yield Verdict("secrets", Level.SKIP, "there are none yet")
        return
    files = [path for path in (root, *root.rglob("*")) if not path.is_dir() or path == root]
    if not _mode(root) & (stat.S_IXOTH | stat.S_IWOTH):
        files = [root]  # whoever cannot enter the directory cannot reach the files
    written = [path for path in files if _mode(path) & stat.S_IWOTH]
    read = [path for path in files if path != root and _mode(path) & stat.S_IROTH]
    for paths, level, word in ((written, Level.FAIL, "changed"), (read, Level.WARN, "read")):
        if paths:
            yield Verdict(
                "secrets",
                level,
                f"can be {word} by everybody on this machine: {_list(map(str, paths))}",
                f"chmod -R go= {root}",
                {"files": [str(path) for path in paths]},
            )
    if not written and not read:
        yield Verdict("secrets", Level.OK, "kept from others on this machine")


def check_tls(options: ServerOptions) -> Iterator[Verdict]:
    """Is the certificate good, and for how long?"""
    files = find_certificates(options.depot, options.tls_cert, options.tls_key)
    if files is None:
        yield Verdict("tls", Level.SKIP, "no certificate: plain HTTP, or a proxy has it")
        return
    certificate = load_certificate(files, options.tls_min_version)
    now = SYSTEM_CLOCK.now()
    complaint, warning = certificate.complaint(now), certificate.warning(now)
    facts = {"names": list(certificate.names), "not_after": certificate.not_after}
    advice = "get a new certificate, and see why renewal did not" if complaint or warning else ""
    level = Level.FAIL if complaint else Level.WARN if warning else Level.OK
    names = ", ".join(certificate.names)
    message = f"the certificate {complaint or warning}" if advice else f"good for {names}"
    yield Verdict("tls", level, message, advice, facts)


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except FileNotFoundError:  # a link to nowhere
        return 0


def _list(names: Iterator[str] | list[str]) -> str:
    found = list(names)
    more = len(found) - MAX_LISTED
    return ", ".join(found[:MAX_LISTED]) + (f" and {more} more" if more > 0 else "")
