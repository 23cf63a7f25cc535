"""
The plan of a record API: everything a request needs, derived once from config and schema.

``compile_apis`` runs when the configuration or the schema changes; its result replaces the table
of plans by one assignment. A plan is immutable but for bounded caches of texts.
"""

import logging
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from trailbase_server.config.proto.config_pb2 import RecordApiConfig
from trailbase_server.db.dialect import quote, quote_qualified
from trailbase_server.errors import ForbiddenError
from trailbase_server.query.filter import FilterColumn
from trailbase_server.records.access import Rule, permission_masks
from trailbase_server.records.columns import (
    MAX_INTEGER,
    ApiColumn,
    ColumnRole,
    InvalidIdError,
    Key,
    column_list,
    compile_columns,
    find_relation,
    key_parser,
    select_columns,
)
from trailbase_server.records.encode import (
    PageEncoder,
    RowEncoder,
    compile_encoder,
    compile_page_encoder,
)
from trailbase_server.records.expand import Expansion, compile_expansion
from trailbase_server.records.params import Converter, compile_converters
from trailbase_server.records.rules import PrepareError, compile_rule
from trailbase_server.schema.model import Catalog, QualifiedName, Table, View
from trailbase_server.schema.roles import is_row_id, record_key
from trailbase_server.web.identity import Identity

if TYPE_CHECKING:
    from trailbase_server.records.insert_plan import InsertPlan

log = logging.getLogger(__name__)

ConflictStrategy = Literal["abort", "ignore", "replace"]
DEFAULT_HARD_LIMIT = 1024  # records per page where the API does not say
_CONFLICTS: Mapping[int, ConflictStrategy] = {4: "ignore", 5: "replace"}  # by number on the wire


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
        key_is_row_id: The key is another name of the row id.
        columns: API columns in table order: hidden ones included, excluded ones not.
        column_of: The same by name.
        converters: How values of requests become values of these columns, by name.
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
        read_sql: Selects ``selection`` by key, read rule included: parameters are the caller if
            ``read_rule.uses_user``, then the key.
        list_sql: ``SELECT … FROM …`` up to where ``WHERE`` belongs, of ``selection``.
        count_sql: The same, counting.
        order_sql: What follows ``ORDER BY`` where a request does not say: latest keys first.
        selection: Visible columns by name, then the key if that is hidden.
        key_index: Place of the key in ``selection``.
        encode: Encodes a row of ``selection``; configured references are wrapped.
        encode_page: The same for many rows.
        filters: Columns that clients may filter and order by.
        expansions: References that clients may expand, by column.
        delete_sql: ``DELETE`` by key, ``?1``.
        statements: Bounded cache: statements of updates by set of present columns.
        inserts: Bounded cache: see ``inserts.find_plan``.
        documents: JSON schemas by mode, rendered when first asked for.
    """

    name: str
    table: QualifiedName
    table_sql: str
    is_view: bool
    without_rowid: bool
    key_is_row_id: bool
    columns: tuple[ApiColumn, ...]
    column_of: Mapping[str, ApiColumn]
    converters: Mapping[str, Converter]
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
    read_sql: str
    list_sql: str
    count_sql: str
    order_sql: str
    selection: tuple[ApiColumn, ...]
    key_index: int
    encode: RowEncoder
    encode_page: PageEncoder
    filters: Mapping[str, FilterColumn]
    expansions: Mapping[str, Expansion]
    delete_sql: str
    statements: dict[object, str] = field(default_factory=dict)
    inserts: "dict[tuple[object, ...], InsertPlan]" = field(default_factory=dict)
    documents: dict[str, bytes] = field(default_factory=dict)

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

    def parse_id(self, text: str) -> Key:
        """
        Read the id of a path.

        Raises:
            InvalidIdError: 400.

        Spec:
            records/record-ids
        """
        key = self.parse_key(text)
        if key is None:
            raise InvalidIdError
        return key


def compile_apis(
    configs: Iterable[RecordApiConfig], catalog: Catalog, prepare_error: PrepareError
) -> dict[str, RecordApi]:
    """
    Compile all record APIs.

    Args:
        configs: As configured and checked (``records.check``).
        catalog: What the databases contain.
        prepare_error: Compiles a statement without running it.

    Returns:
        Plans by name. An API whose table has gone is left out.

    Spec:
        records/api-configuration
    """
    apis = {}
    for config in configs:
        api = compile_api(config, catalog, prepare_error)
        if api is not None:
            apis[api.name] = api
    return apis


def compile_api(
    config: RecordApiConfig, catalog: Catalog, prepare_error: PrepareError
) -> RecordApi | None:
    """
    Compile one record API; None if its table has gone or has no suitable key.

    Args:
        config: As configured and checked.
        catalog: What the databases contain.
        prepare_error: Compiles a statement without running it.

    Spec:
        records/api-configuration
    """
    relation = find_relation(catalog, config.table_name)
    key = record_key(relation, catalog) if relation is not None else None
    if relation is None or key is None:
        log.warning("record API %s is off: %s cannot be served", config.name, config.table_name)
        return None
    table_sql = quote_qualified(relation.name.database_schema, relation.name.name)
    columns = compile_columns(relation, catalog, key.name, frozenset(config.excluded_columns))
    column_of = {column.name: column for column in columns}
    is_view = not isinstance(relation, Table)
    world, authenticated = permission_masks(config.acl_world, config.acl_authenticated)
    rules = _compile_rules(config, (table_sql, quote(key.name)), list(column_of), prepare_error)
    read_rule = rules["read"]
    selection = select_columns(columns)
    list_sql = _select_sql(table_sql, column_list(selection), read_rule)
    shown = [column for column in selection if not column.hidden]
    wrapped = frozenset(config.expand)
    return RecordApi(
        name=config.name,
        table=relation.name,
        table_sql=table_sql,
        is_view=is_view,
        without_rowid=isinstance(relation, Table) and relation.without_rowid,
        key_is_row_id=isinstance(relation, Table) and is_row_id(relation, key),
        columns=columns,
        column_of=column_of,
        converters=compile_converters(columns),
        key=column_of[key.name],
        parse_key=key_parser(key.data_type),
        world=world,
        authenticated=authenticated,
        create_rule=None if is_view else rules["create"],
        read_rule=read_rule,
        update_rule=None if is_view else rules["update"],
        delete_rule=None if is_view else rules["delete"],
        schema_rule=rules["schema"],
        conflict=_CONFLICTS.get(config.conflict_resolution, "abort"),
        autofill=_user_columns(columns) if config.autofill_missing_user_id_columns else (),
        file_columns=_file_columns(columns),
        listing_hard_limit=_hard_limit(config),
        enable_subscriptions=config.enable_subscriptions and not is_view,
        read_sql=list_sql + _by_key(key.name, read_rule),
        list_sql=list_sql,
        count_sql=_select_sql(table_sql, "COUNT(*)", read_rule),
        order_sql=f"_ROW_.{quote(key.name)} DESC",
        selection=selection,
        key_index=next(index for index, column in enumerate(selection) if column.is_key),
        encode=compile_encoder(shown, wrapped),
        encode_page=compile_page_encoder(shown, wrapped),
        filters=_filters(columns),
        expansions=_expansions(relation, config.expand, column_of, catalog),
        delete_sql=f"DELETE FROM {table_sql} AS _ROW_" + _by_key(key.name, None),  # noqa: S608  # quoted
    )


def _compile_rules(
    config: RecordApiConfig,
    row: tuple[str, str],
    request: Sequence[str],
    prepare_error: PrepareError,
) -> dict[str, Rule | None]:
    rules: dict[str, Rule | None] = {}
    for operation in ("create", "read", "update", "delete", "schema"):
        rules[operation] = None
        if config.HasField(f"{operation}_access_rule"):
            rules[operation] = compile_rule(
                getattr(config, f"{operation}_access_rule"),
                row if operation in ("read", "update", "delete") else None,
                request if operation in ("create", "update") else None,
                prepare_error,
                f"{operation} rule of record API {config.name}",
            )
    return rules


def _user_columns(columns: Iterable[ApiColumn]) -> tuple[str, ...]:
    return tuple(column.name for column in columns if column.is_user_id)


def _file_columns(columns: Iterable[ApiColumn]) -> tuple[str, ...]:
    roles = (ColumnRole.FILE, ColumnRole.FILES)
    return tuple(column.name for column in columns if column.role in roles)


def _hard_limit(config: RecordApiConfig) -> int:
    if config.HasField("listing_hard_limit"):
        return min(config.listing_hard_limit, MAX_INTEGER)
    return DEFAULT_HARD_LIMIT


def _filters(columns: Iterable[ApiColumn]) -> dict[str, FilterColumn]:
    return {
        column.name: FilterColumn(column.name, column.data_type, column.role is ColumnRole.GEOMETRY)
        for column in columns
        if not column.hidden
    }


def _expansions(
    relation: Table | View, names: Iterable[str], known: Container[str], catalog: Catalog
) -> dict[str, Expansion]:
    found = {name: compile_expansion(relation, name, catalog) for name in names if name in known}
    return {name: expansion for name, expansion in found.items() if expansion is not None}


def _select_sql(table_sql: str, selected: str, rule: Rule | None) -> str:
    with_sql, from_sql = (rule.with_sql, rule.from_sql) if rule is not None else ("", "")
    return f"{with_sql}SELECT {selected} FROM {from_sql}{table_sql} AS _ROW_"  # noqa: S608  # quoted


def _by_key(key: str, rule: Rule | None) -> str:
    if rule is None:
        return f" WHERE _ROW_.{quote(key)} = ?1"
    # The cast keeps the planner from looking for rows by the rule instead of by the key.
    place = 1 + rule.uses_user
    return f" WHERE _ROW_.{quote(key)} = ?{place} AND CAST({rule.condition} AS INTEGER)"
