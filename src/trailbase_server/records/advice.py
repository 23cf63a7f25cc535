"""
What looks like a mistake in who may do what; each finding says how to mend it.

A finding is an error where an API cannot work as it stands, and a warning where it gives more than
was probably meant. What a rule leaves to a sub-query or a function is believed to be right.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from trailbase_server.config.proto.config_pb2 import RecordApiConfig
from trailbase_server.db.dialect import quote
from trailbase_server.records.access import Read
from trailbase_server.records.api import RecordApi
from trailbase_server.records.columns import ApiColumn
from trailbase_server.records.grants import (
    FLAGS,
    Grant,
    Who,
    callers_of,
    list_grants,
    rule_of,
)
from trailbase_server.records.outcomes import (
    Caller,
    is_left_to_query,
    is_possible,
    named_fields,
)
from trailbase_server.records.rules import DENY, REQUEST, ROW
from trailbase_server.schema.roles import is_hidden

LARGE_PAGE = 10_000  # records: a page beyond it is megabytes that every caller can ask for at will

_SECRET = re.compile(
    r"(?:^|_)(?:password|passwd|pwd|passphrase|secret|token|api_?key|private_?key|otp|"
    r"(?:password|pass|pw)_?hash)(?:_hash)?$"
)
_PRIVATE = re.compile(
    r"(?:^|_)(?:e_?mail|e_?mail_?address|phone|phone_?number|birth_?(?:day|date)|iban|ssn)$"
)
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """
    Something that looks like a mistake.

    Attributes:
        code: Which kind, for those who want to leave some out.
        severity: How bad.
        api: Name of the record API.
        field: Of the API's configuration, where to look.
        message: What is the case.
        fix: What to do about it.
    """

    code: str
    severity: Severity
    api: str
    field: str
    message: str
    fix: str


@dataclass(frozen=True)
class Subject:
    """
    An API to give advice about.

    Attributes:
        config: As configured and checked.
        api: As compiled.
        columns: All columns of its table, excluded ones too, by their names in lower case.
        read: Runs a statement on any connection.
    """

    config: RecordApiConfig
    api: RecordApi
    columns: Mapping[str, ApiColumn]
    read: Read

    def grants(self) -> dict[str, Grant]:
        """Who may do what, by operation."""
        found = list_grants(self.config, self.columns, self.read, is_view=self.api.is_view)
        return {grant.operation: grant for grant in found}

    def allows(self, operation: str, condition: str) -> bool:
        """May a user do it in a way that meets a condition, written as a rule?"""
        if Caller.USER not in callers_of(self.config, operation):
            return False
        rule = rule_of(self.config, operation)
        text = f"({rule}\n) AND ({condition})" if rule else condition
        return is_possible(text, self.columns, Caller.USER, self.read)

    def is_ruled(self, operation: str) -> bool:
        """Does a rule decide what users may do?"""
        is_granted = Caller.USER in callers_of(self.config, operation)
        return is_granted and bool(rule_of(self.config, operation))

    def finding(
        self, code: str, field: str, message: str, fix: str, severity: Severity = Severity.WARNING
    ) -> Finding:
        """Put a finding about this API together."""
        return Finding(code, severity, self.config.name, field, message, fix)


def find_advice(subject: Subject) -> list[Finding]:
    """
    Find all that looks like a mistake in who may do what with an API.

    Args:
        subject: The API.

    Returns:
        In the order of the checks; empty where nothing is to be said.
    """
    grants = subject.grants()
    checks: tuple[Callable[[Subject, dict[str, Grant]], Iterator[Finding]], ...] = (
        _check_rules,
        _check_world,
        _check_owners,
        _check_shown,
        _check_rest,
    )
    return [finding for check in checks for finding in check(subject, grants)]


def _check_rules(subject: Subject, grants: dict[str, Grant]) -> Iterator[Finding]:
    for operation in FLAGS:
        rule, field = rule_of(subject.config, operation), f"{operation}_access_rule"
        if not rule:
            continue
        callers = callers_of(subject.config, operation)
        if not callers:
            yield subject.finding(
                "rule-without-flag",
                field,
                f"there is a rule for {operation}, but nobody has the flag {operation.upper()}",
                f"grant {operation.upper()} in acl_world or acl_authenticated, or remove the rule",
            )
        elif getattr(subject.api, f"{operation}_rule") is DENY:
            yield subject.finding(
                "broken-rule",
                field,
                f"the {operation} rule does not fit the schema: it denies everything",
                "look for a misspelt column or a table of a database that is not attached",
                Severity.ERROR,
            )
        elif grants[operation].who is Who.NOBODY:
            if not subject.api.is_view or operation in ("read", "schema"):
                yield subject.finding(
                    "never-holds",
                    field,
                    f"the {operation} rule never holds: nobody can {_verb(operation)}",
                    "mend the rule, or take the flag away if that is meant",
                    Severity.ERROR,
                )
        elif not grants[operation].rule:
            yield subject.finding(
                "always-holds",
                field,
                f"the {operation} rule always holds: it protects nothing",
                "mend the rule, or remove it if that is meant",
            )
        for name in named_fields(rule):
            if name.lower() not in subject.columns:
                yield subject.finding(
                    "unknown-field",
                    field,
                    f"the {operation} rule asks for '{name}' in _REQ_FIELDS_, "
                    "but the table has no such column",
                    "correct the name",
                )


def _verb(operation: str) -> str:
    return "read the schema" if operation == "schema" else f"{operation} records"


def _check_world(subject: Subject, grants: dict[str, Grant]) -> Iterator[Finding]:
    for operation in ("create", "update", "delete"):
        grant = grants[operation]
        if grant.who is not Who.EVERYBODY:
            continue
        if not grant.rule:
            yield subject.finding(
                "world-writable",
                "acl_world",
                f"everybody can {operation} any record, without an account",
                f"move {operation.upper()} to acl_authenticated, "
                f"or say which records in {operation}_access_rule",
            )
    writers = [name for name in ("create", "update") if grants[name].who is Who.EVERYBODY]
    if writers and subject.api.file_columns:
        yield subject.finding(
            "world-uploads",
            "acl_world",
            "everybody can upload files, without an account: "
            + ", ".join(subject.api.file_columns),
            f"move {' and '.join(writers).upper()} to acl_authenticated",
        )


def _check_owners(subject: Subject, grants: dict[str, Grant]) -> Iterator[Finding]:
    owners = _owners(subject)
    if not owners:
        return
    first = owners[0]
    if grants["create"].who is not Who.NOBODY and not any(_is_signed(subject, o) for o in owners):
        yield subject.finding(
            "unowned-create",
            "create_access_rule" if rule_of(subject.config, "create") else "acl_authenticated",
            f"users can create records in the name of others: nothing ties '{first}' to the caller",
            f"add to create_access_rule: _REQ_.{first} = _USER_.id",
        )
    for operation in ("update", "delete"):
        grant = grants[operation]
        is_free = grant.who is Who.EVERYBODY and not grant.rule  # said already
        if grant.who is not Who.NOBODY and not is_free and _is_anyones(subject, operation, owners):
            yield subject.finding(
                f"unowned-{operation}",
                f"{operation}_access_rule" if grant.rule else "acl_authenticated",
                f"users can {operation} records of others: nothing compares '{first}' with the "
                "caller",
                f"add to {operation}_access_rule: _ROW_.{first} = _USER_.id",
            )
    for owner in owners:
        if grants["update"].who is not Who.NOBODY and _can_give_away(subject, owner):
            yield subject.finding(
                "owner-changes",
                "update_access_rule" if grants["update"].rule else "acl_authenticated",
                f"an update can give records to somebody else: '{owner}' may change",
                f"add to update_access_rule: '{owner}' NOT IN _REQ_FIELDS_",
            )


def _owners(subject: Subject) -> list[str]:
    """
    The columns that say whose a record is.

    Of several references to users (a sender and a receiver) those count that a rule compares with
    the caller, else those that are never NULL.
    """
    users = [c for c in subject.api.columns if c.is_user_id and not c.generated]
    compared = [
        c.name
        for c in users
        if any(
            subject.is_ruled(operation)
            and not subject.allows(operation, f"_ROW_.{quote(c.name)} IS NOT _USER_.id")
            for operation in ("update", "delete")
        )
        or (subject.is_ruled("create") and _is_signed(subject, c.name))
    ]
    return compared or [c.name for c in users if not c.nullable] or [c.name for c in users]


def _is_signed(subject: Subject, owner: str) -> bool:
    """Is a record always created in the caller's name, as far as one can tell?"""
    rule = rule_of(subject.config, "create")
    if is_left_to_query(rule, REQUEST, owner):
        return True
    name = quote(owner)
    return not subject.allows("create", f"_REQ_.{name} IS NOT NULL AND _REQ_.{name} <> _USER_.id")


def _is_anyones(subject: Subject, operation: str, owners: list[str]) -> bool:
    """Can a user write a record that is none of theirs, and is that not left to a query?"""
    rule = rule_of(subject.config, operation)
    if is_left_to_query(rule, ROW, "") or is_left_to_query(rule, "_USER_", ""):
        return False
    others = " AND ".join(f"_ROW_.{quote(owner)} IS NOT _USER_.id" for owner in owners)
    return subject.allows(operation, others)


def _can_give_away(subject: Subject, owner: str) -> bool:
    rule = rule_of(subject.config, "update")
    if is_left_to_query(rule, REQUEST, owner):
        return False
    name = quote(owner)
    text = owner.replace("'", "''")
    return subject.allows(
        "update",
        f"'{text}' IN _REQ_FIELDS_ AND _REQ_.{name} IS NOT NULL "
        f"AND _REQ_.{name} <> _USER_.id AND _REQ_.{name} IS NOT _ROW_.{name}",
    )


def _check_shown(subject: Subject, grants: dict[str, Grant]) -> Iterator[Finding]:
    grant = grants["read"]
    if grant.who is Who.NOBODY or grant.rule:
        return
    readers = "everybody" if grant.who is Who.EVERYBODY else "every user"
    for pattern, code, kind in (
        (_SECRET, "secrets-readable", "a secret"),
        (_PRIVATE, "private-readable", "something private"),
    ):
        names = [c.name for c in subject.api.columns if not c.hidden and _is_like(pattern, c)]
        if names:
            yield subject.finding(
                code,
                "acl_world" if grant.who is Who.EVERYBODY else "acl_authenticated",
                f"{readers} can read what sounds like {kind}: {', '.join(names)}",
                "name the columns in excluded_columns, or restrict reading by read_access_rule",
            )


def _is_like(pattern: re.Pattern[str], column: ApiColumn) -> bool:
    return bool(pattern.search(_CAPITAL.sub("_", column.name).lower()))


def _check_rest(subject: Subject, grants: dict[str, Grant]) -> Iterator[Finding]:
    if is_hidden(subject.api.table.name):
        yield subject.finding(
            "system-table",
            "table_name",
            f"'{subject.api.table.name}' belongs to the server: its layout may change, and who "
            "writes it can take over accounts",
            "serve a view with the columns that are needed, or a table of your own",
        )
    if all(grant.who is Who.NOBODY for grant in grants.values()):
        yield subject.finding(
            "unused-api",
            "name",
            "nobody can do anything with this API",
            "grant something in acl_world or acl_authenticated, or remove the API",
        )
    elif subject.config.enable_subscriptions and grants["subscribe"].who is Who.NOBODY:
        reason = "views have no changes" if subject.api.is_view else "nobody can read records"
        yield subject.finding(
            "useless-subscriptions",
            "enable_subscriptions",
            f"subscriptions are on, but {reason}",
            "grant READ, or switch them off",
        )
    if subject.api.listing_hard_limit > LARGE_PAGE:
        yield subject.finding(
            "large-pages",
            "listing_hard_limit",
            f"one request can ask for {subject.api.listing_hard_limit} records",
            f"lower listing_hard_limit to {LARGE_PAGE} at most; clients turn pages",
        )
