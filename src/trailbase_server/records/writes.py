"""
What a request wants to change, as data: a rule to check and a statement to run.

``prepare_…`` does everything that needs no database: table permission, conversion, choice of the
statement. What remains is a ``Write`` of plain values, which the write jobs below apply within the
writer's transaction, rule and change in one turn. Statements are built once per set of columns.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from trailbase_server.db.base import Transaction, single_statement
from trailbase_server.db.dialect import quote
from trailbase_server.db.errors import DatabaseError
from trailbase_server.db.values import Params, Row, SqlValue
from trailbase_server.errors import BadRequestError, MethodNotAllowedError, NotFoundError
from trailbase_server.records.access import (
    CREATE,
    DELETE,
    UNAVAILABLE,
    UPDATE,
    Rule,
    read_ruled,
    user_of,
)
from trailbase_server.records.api import RecordApi
from trailbase_server.records.columns import ApiColumn, ColumnRole, Key
from trailbase_server.records.inserts import find_plan
from trailbase_server.records.params import InvalidValueError, convert_record, read_form
from trailbase_server.schema.registry import SchemaRegistry
from trailbase_server.web.body import Body
from trailbase_server.web.identity import Identity
from trailbase_server.web.multipart import FilePart

MAX_STATEMENTS = 256  # texts of updates kept per API; as many as a connection keeps prepared
INVALID_VALUES = "Invalid Parameters"
INVALID_VALUES_FOR_RULE = "invalid params"  # the same, where a rule would have seen them


class Write(Struct, frozen=True):
    """
    One change of one row.

    Attributes:
        rule_sql: Checks the access rule, None if there is none.
        rule_params: Its parameters.
        sql: The change; returns a row if it took place. Of an insert this is the new key, unless
            it ``is_plain``.
        params: Its parameters.
        must_exist: No row means that the record does not exist: 404.
        is_plain: An insert that returns nothing: the key is known, or is the row id.
        key: Of a plain insert: the new key; None: it is the row id.
        ruled_sql: Of a plain insert: rule and change as one statement that fails where the rule is
            not true. Its parameters are those of the rule and those of the change.
    """

    rule_sql: str | None
    rule_params: Params
    sql: str
    params: Params
    must_exist: bool
    is_plain: bool = False
    key: SqlValue = None
    ruled_sql: str | None = None


def check_writable(api: RecordApi) -> None:
    """
    Refuse views.

    Raises:
        MethodNotAllowedError: 405.
    """
    if api.is_view:
        raise MethodNotAllowedError


def read_fields(api: RecordApi, body: Body) -> dict[str, Any]:
    """
    Turn a form or multipart body into a record.

    Args:
        api: Decides how texts are read.
        body: Of kind ``form`` or ``multipart``. Files for unknown columns are ignored.

    Returns:
        Texts, and for file columns a ``FilePart`` or a list of them.

    Raises:
        BadRequestError: A file for a column that holds none.

    Spec:
        records/form-input
        records/upload-as-multipart
    """
    record = read_form(api.column_of, body.value)
    for part in body.files:
        column = api.column_of.get(part.name)
        if column is not None:
            _add_file(record, column, part)
    return record


def _add_file(record: dict[str, Any], column: ApiColumn, part: FilePart) -> None:
    """Add a file to a record; what does not belong together is for the converter to refuse."""
    if column.role not in (ColumnRole.FILE, ColumnRole.FILES):
        raise BadRequestError(INVALID_VALUES, detail=f"{column.name} holds no files")
    found = record.get(column.name)
    if isinstance(found, list):
        found.append(part)
    elif found is None:
        record[column.name] = part if column.role is ColumnRole.FILE else [part]
    else:
        record[column.name] = [found, part]


def prepare_create(
    api: RecordApi, record: Mapping[str, Any], registry: SchemaRegistry, identity: Identity | None
) -> Write:
    """
    Prepare the insertion of a record.

    Args:
        api: Not a view.
        record: Members as parsed from JSON; unknown ones are ignored.
        registry: Schemas of JSON columns.
        identity: The caller; fills in user-id columns where the API says so.

    Raises:
        ForbiddenError: No table permission.
        BadRequestError: A value does not fit its column.

    Spec:
        records/create-post-api-records-v1-api
        records/autofill
    """
    api.check_permission(identity, CREATE)
    user = user_of(identity)
    plan = api.inserts.get((user is not None, *record)) or find_plan(
        api, list(record), has_user=user is not None
    )
    try:
        params = [convert(record[name], registry) for name, convert in plan.conversions]
    except InvalidValueError as exc:
        text = INVALID_VALUES if api.create_rule is None else INVALID_VALUES_FOR_RULE
        raise BadRequestError(text, detail=str(exc)) from exc
    if plan.fills:
        params += [user] * plan.fills
    rule_sql: str | None = None
    rule_params: Params = ()
    if api.create_rule is not None:
        sources = (user, None, plan.fields, *params)
        rule_sql, rule_params = api.create_rule.sql, [sources[at] for at in plan.rule_places]
    key: SqlValue = None
    if plan.make_key is not None:
        key = plan.make_key()
        params.append(key)
    elif plan.key_at >= 0:
        key = params[plan.key_at]
    if key is None and not api.key_is_row_id:
        return Write(rule_sql, rule_params, plan.returning_sql, params, False)
    return Write(rule_sql, rule_params, plan.plain_sql, params, False, True, key, plan.ruled_sql)


def prepare_update(
    api: RecordApi,
    key: Key,
    record: Mapping[str, Any],
    registry: SchemaRegistry,
    identity: Identity | None,
) -> Write:
    """
    Prepare a partial update.

    Args:
        api: Not a view.
        key: The record.
        record: As of ``prepare_create``. The key may be among its members, but not change.
        registry: Schemas of JSON columns.
        identity: The caller.

    Returns:
        A change, or where nothing is to be changed a look whether the record exists.

    Raises:
        ForbiddenError: No table permission.
        BadRequestError: A value does not fit its column, or another key.

    Spec:
        records/update-patch-api-records-v1-api-record
    """
    api.check_permission(identity, UPDATE)
    rule = api.update_rule
    values = _convert(api, record, registry, rule)
    rule_params = () if rule is None else rule.bind(user_of(identity), key, values)
    if values.pop(api.key.name, key) != key:
        raise BadRequestError(INVALID_VALUES, detail="the key cannot change")
    names = (None, *values)
    sql = api.statements.get(names) or _remember(api, names, _update_sql(api, tuple(values)))
    return Write(
        None if rule is None else rule.sql, rule_params, sql, (key, *values.values()), True
    )


def prepare_delete(api: RecordApi, key: Key, identity: Identity | None) -> Write:
    """
    Prepare a deletion.

    Args:
        api: Not a view.
        key: The record.
        identity: The caller.

    Raises:
        ForbiddenError: No table permission.

    Spec:
        records/delete-delete-api-records-v1-api-record
    """
    api.check_permission(identity, DELETE)
    rule = api.delete_rule
    sql = f"{api.delete_sql} RETURNING 1"
    if rule is None:
        return Write(None, (), sql, (key,), True)
    return Write(rule.sql, rule.bind(user_of(identity), key), sql, (key,), True)


@single_statement
def run_write(tx: Transaction, write: Write) -> list[Row]:
    """
    Write job: check the rule, then make the change.

    Returns:
        Of an insert the new key, none if the row was swallowed by a conflict.

    Raises:
        ForbiddenError: The rule is not true.
        NotFoundError: The record does not exist.
        ConstraintError, RejectedError: The database refused the values.
    """
    if write.is_plain:
        if write.rule_sql is not None and write.ruled_sql is not None:
            row_id = _insert_ruled(tx, write.ruled_sql, write)
        else:
            _check_rule(tx, write)
            row_id = tx.insert(write.sql, write.params)
        if row_id is None:
            return []
        return [(row_id if write.key is None else write.key,)]
    _check_rule(tx, write)
    rows = tx.read(write.sql, write.params)
    if write.must_exist and not rows:
        raise NotFoundError
    return rows


def run_bulk(tx: Transaction, writes: Sequence[Write]) -> list[list[Row]]:
    """
    Write job: check all rules, then make all changes; all or nothing.

    Raises: As of ``run_write``, for the first write that fails.
    """
    for write in writes:
        _check_rule(tx, write)
    return [run_write(tx, replace(write, rule_sql=None)) for write in writes]


def run_batch(tx: Transaction, writes: Sequence[Write]) -> list[list[Row]]:
    """
    Write job: make changes one after the other, each rule seeing the earlier ones; all or nothing.

    Raises: As of ``run_write``, for the first write that fails.
    """
    return [run_write(tx, write) for write in writes]


def _check_rule(tx: Transaction, write: Write) -> None:
    if write.rule_sql is not None:
        read_ruled(tx.read, write.rule_sql, write.rule_params)


def _insert_ruled(tx: Transaction, ruled_sql: str, write: Write) -> int | None:
    try:
        return tx.insert(ruled_sql, (*write.rule_params, *write.params))
    except DatabaseError as exc:
        if exc.status != UNAVAILABLE:
            _check_rule(tx, write)  # what the rule says comes first
        raise


def _convert(
    api: RecordApi, record: Mapping[str, Any], registry: SchemaRegistry, rule: Rule | None
) -> dict[str, SqlValue]:
    try:
        return convert_record(api.converters, record, registry)
    except InvalidValueError as exc:
        text = INVALID_VALUES if rule is None else INVALID_VALUES_FOR_RULE
        raise BadRequestError(text, detail=str(exc)) from exc


def _remember(api: RecordApi, names: tuple[str | None, ...], sql: str) -> str:
    # Clients send few sets of columns; whoever sends all of them pays for building the texts.
    if len(api.statements) >= MAX_STATEMENTS:
        api.statements.clear()
    api.statements[names] = sql
    return sql


def _update_sql(api: RecordApi, names: tuple[str, ...]) -> str:
    table = f"{api.table_sql} AS _ROW_"
    where = f"WHERE _ROW_.{quote(api.key.name)} = ?1"
    if not names:
        return f"SELECT 1 FROM {table} {where}"  # noqa: S608  # quoted
    changes = ", ".join(f"{quote(name)} = ?{n}" for n, name in enumerate(names, 2))
    return f"UPDATE {table} SET {changes} {where} RETURNING 1"  # noqa: S608  # quoted
