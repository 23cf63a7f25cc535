"""Who may do what with the records of an API, seen without any request."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from trailbase_server.config.proto.config_pb2 import RecordApiConfig
from trailbase_server.records.access import (
    CREATE,
    DELETE,
    READ,
    SCHEMA,
    UPDATE,
    Read,
    permission_masks,
)
from trailbase_server.records.columns import ApiColumn
from trailbase_server.records.outcomes import Caller, is_possible

FLAGS: Mapping[str, int] = {
    "create": CREATE,
    "read": READ,
    "update": UPDATE,
    "delete": DELETE,
    "schema": SCHEMA,
}
"""Flag of the operations that have a rule of their own."""

OPERATIONS = ("create", "read", "list", "subscribe", "update", "delete", "schema")
_WRITES = ("create", "update", "delete")
_RULED_BY = {"list": "read", "subscribe": "read"}


class Who(StrEnum):
    """Callers, from fewest to most."""

    NOBODY = "nobody"
    USERS = "users"
    EVERYBODY = "everybody"


@dataclass(frozen=True, slots=True)
class Grant:
    """
    Who may do something.

    Attributes:
        operation: One of ``OPERATIONS``.
        who: The largest group of whom anybody may; nobody without an account is left where the
            rule never holds for them.
        rule: Its text where it may also deny, else empty.
    """

    operation: str
    who: Who
    rule: str


def list_grants(
    config: RecordApiConfig,
    columns: Mapping[str, ApiColumn],
    read: Read,
    *,
    is_view: bool,
) -> list[Grant]:
    """
    Say for each operation of an API who may do it.

    Args:
        config: The API as configured and checked.
        columns: All columns of its table by their names in lower case.
        read: Runs a statement on any connection.
        is_view: Views are not written, and nobody hears of their changes.

    Returns:
        One entry an operation, in the order of ``OPERATIONS``.
    """
    return [_grant(config, operation, columns, read, is_view) for operation in OPERATIONS]


def rule_of(config: RecordApiConfig, operation: str) -> str:
    """Text of the rule of an operation, empty where there is none."""
    return str(getattr(config, f"{_RULED_BY.get(operation, operation)}_access_rule"))


def callers_of(config: RecordApiConfig, operation: str) -> list[Caller]:
    """Who has the flag of an operation, whatever its rule says."""
    world, users = permission_masks(config.acl_world, config.acl_authenticated)
    flag = FLAGS[_RULED_BY.get(operation, operation)]
    asking = [(Caller.ANONYMOUS, world), (Caller.USER, users)]
    return [caller for caller, mask in asking if mask & flag]


def _grant(
    config: RecordApiConfig,
    operation: str,
    columns: Mapping[str, ApiColumn],
    read: Read,
    is_view: bool,
) -> Grant:
    is_off = is_view and operation in (*_WRITES, "subscribe")
    if is_off or (operation == "subscribe" and not config.enable_subscriptions):
        return Grant(operation, Who.NOBODY, "")
    rule = rule_of(config, operation)
    callers = [
        caller
        for caller in callers_of(config, operation)
        if not rule or is_possible(rule, columns, caller, read)
    ]
    if not callers:
        return Grant(operation, Who.NOBODY, "")
    may_deny = bool(rule) and any(
        is_possible(rule, columns, caller, read, fails=True) for caller in callers
    )
    who = Who.EVERYBODY if Caller.ANONYMOUS in callers else Who.USERS
    return Grant(operation, who, rule if may_deny else "")
