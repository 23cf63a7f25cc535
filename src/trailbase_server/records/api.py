"""
The plan of a record API: everything a request needs, derived once from config and schema.

``compile_apis`` runs when the configuration or the schema changes; its result replaces the table
of plans by one assignment. A plan is immutable but for two bounded caches of statements.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from trailbase_server.errors import ForbiddenError
from trailbase_server.records.access import Rule
from trailbase_server.records.columns import ApiColumn, Key
from trailbase_server.schema.model import QualifiedName
from trailbase_server.web.identity import Identity

ConflictStrategy = Literal["abort", "ignore", "replace"]
DEFAULT_HARD_LIMIT = 1024  # records per page where the API does not say


@dataclass(frozen=True, eq=False)
class RecordApi:
    """
    A compiled record API.

    Attributes:
        name: As in URLs.
        table: Table or view; ``database_schema`` is concrete (``main`` included).
        table_sql: Its quoted, qualified name.
        is_view: Cannot be written: 405.
        without_rowid: The table has no row ids.
        columns: API columns in table order: hidden ones included, excluded ones not.
        column_of: The same by name.
        key: The record's key column.
        parse_key: Reads an id of a path; None means 400 ``Invalid id``.
        world, authenticated: Permission masks of everybody and of callers with a token
            (``access.CREATE`` …); ``authenticated`` includes ``world``.
        create_rule, read_rule, update_rule, delete_rule, schema_rule: None where there is none.
        conflict: What an insert does when the key is taken.
        autofill: Names of user-id columns that are filled in when absent; empty when switched off.
        file_columns: Names of columns with uploaded files.
        listing_hard_limit: Largest page.
        enable_subscriptions: Realtime is on.
        delete_sql: ``DELETE`` by key, ``?1``.
        statements: Bounded cache of the writing half: statements by set of present columns.
    """

    name: str
    table: QualifiedName
    table_sql: str
    is_view: bool
    without_rowid: bool
    columns: tuple[ApiColumn, ...]
    column_of: Mapping[str, ApiColumn]
    key: ApiColumn
    parse_key: Callable[[str], Key | None]
    world: int
    authenticated: int
    create_rule: Rule | None
    read_rule: Rule | None
    update_rule: Rule | None
    delete_rule: Rule | None
    schema_rule: Rule | None
    conflict: ConflictStrategy
    autofill: tuple[str, ...]
    file_columns: tuple[str, ...]
    listing_hard_limit: int
    enable_subscriptions: bool
    delete_sql: str
    statements: dict[object, str] = field(default_factory=dict)

    def check_permission(self, identity: Identity | None, flag: int) -> None:
        """
        Refuse a caller without table-level permission.

        Raises:
            ForbiddenError: 403.

        Spec:
            records/table-level
        """
        if not (self.world if identity is None else self.authenticated) & flag:
            raise ForbiddenError
