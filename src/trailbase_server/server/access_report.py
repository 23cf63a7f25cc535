"""Who may do what in a depot, and what looks like a mistake in it, from its files alone."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from trailbase_server.config.load import CONFIG_FILE, report
from trailbase_server.config.outline import Outline
from trailbase_server.config.proto.config_pb2 import RecordApiConfig
from trailbase_server.records.advice import Finding, Severity, Subject, find_advice
from trailbase_server.records.api import compile_api
from trailbase_server.records.check import check_record_apis
from trailbase_server.records.columns import compile_columns, find_relation
from trailbase_server.records.grants import Grant
from trailbase_server.schema.roles import record_key
from trailbase_server.server.rehearsal import Rehearsal


class ApiAccess(Struct, frozen=True):
    """
    Access to one record API.

    Attributes:
        name: As in URLs.
        table: What it serves, as configured.
        grants: Who may do what, by operation.
    """

    name: str
    table: str
    grants: Mapping[str, Grant]


class Remark(Struct, frozen=True):
    """A finding and where it is: ``config.textproto:12``."""

    place: str
    finding: Finding


class AccessReport(Struct, frozen=True):
    """
    What there is to say about a depot.

    Attributes:
        apis: In the order of the configuration.
        remarks: The same.
    """

    apis: tuple[ApiAccess, ...]
    remarks: tuple[Remark, ...]

    @property
    def has_errors(self) -> bool:
        """Is something so wrong that an API cannot work?"""
        return any(remark.finding.severity is Severity.ERROR for remark in self.remarks)

    def render(self) -> dict[str, Any]:
        """As a JSON document."""
        return {
            "apis": [
                {
                    "name": api.name,
                    "table": api.table,
                    "access": {
                        name: {"who": grant.who.value, "rule": grant.rule or None}
                        for name, grant in api.grants.items()
                    },
                }
                for api in self.apis
            ],
            "findings": [
                {
                    "code": remark.finding.code,
                    "severity": remark.finding.severity.value,
                    "api": remark.finding.api,
                    "field": remark.finding.field,
                    "place": remark.place,
                    "message": remark.finding.message,
                    "fix": remark.finding.fix,
                }
                for remark in self.remarks
            ],
        }


def report_access(rehearsal: Rehearsal, ignored: frozenset[str] = frozenset()) -> AccessReport:
    """
    Look at all record APIs of a depot.

    Args:
        rehearsal: Its configuration and schema.
        ignored: Findings to leave out: ``code``, or ``code:api``.

    Raises:
        OperatorError: An API cannot be served at all.
    """
    loaded = rehearsal.loaded
    problems = check_record_apis(
        loaded.config,
        rehearsal.catalog,
        lambda name: rehearsal.registry.schema(name) is not None,
        rehearsal.prepare_error,
    )
    if problems:
        raise report(problems, loaded)
    outline = Outline(loaded.text)
    apis: list[ApiAccess] = []
    remarks: list[Remark] = []
    for index, config in enumerate(loaded.config.record_apis):
        subject = _subject(config, rehearsal)
        if subject is None:
            continue
        apis.append(ApiAccess(config.name, config.table_name, subject.grants()))
        for finding in find_advice(subject):
            if {finding.code, f"{finding.code}:{finding.api}"} & ignored:
                continue
            line = outline.line_of(f"record_apis[{index}].{finding.field}")
            remarks.append(Remark(f"{CONFIG_FILE}:{line or 1}", finding))
    return AccessReport(tuple(apis), tuple(remarks))


def _subject(config: RecordApiConfig, rehearsal: Rehearsal) -> Subject | None:
    relation = find_relation(rehearsal.catalog, config.table_name)
    key = record_key(relation, rehearsal.catalog) if relation is not None else None
    api = compile_api(config, rehearsal.catalog, rehearsal.prepare_error)
    if relation is None or key is None or api is None:
        return None
    columns = compile_columns(relation, rehearsal.catalog, key.name)
    known = {column.name.lower(): column for column in columns}
    return Subject(config, api, known, rehearsal.read)
