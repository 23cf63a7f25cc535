"""
What must be true of the configured record APIs, seen against the schema.

The checks that need no schema are in ``config.check``; these here find all problems, not the first
one. A rule that names an unknown column is no problem of the configuration (a later migration may
bring it): it denies, and ``rules.compile_rule`` says so in the log.
"""

from collections.abc import Callable, Iterator, Sequence

from trailbase_server.config.problem import Problem
from trailbase_server.config.proto.config_pb2 import Config, RecordApiConfig
from trailbase_server.records.columns import (
    ApiColumn,
    compile_columns,
    find_reference,
    find_relation,
    referred_table,
)
from trailbase_server.records.rules import (
    FIELDS,
    MAGIC_NAMES,
    REQUEST,
    ROW,
    PrepareError,
    find_mentions,
    significant_tokens,
)
from trailbase_server.schema.builtin import RESERVED_PREFIX
from trailbase_server.schema.lexer import (
    SchemaSyntaxError,
    Token,
    TokenKind,
    keyword,
    unquote,
)
from trailbase_server.schema.model import Catalog, Column, Table, View
from trailbase_server.schema.roles import has_default, is_hidden, is_nullable, record_key

FORBIDDEN_RELATIONS = {
    "create": (ROW,),
    "read": (REQUEST, FIELDS),
    "update": (),
    "delete": (REQUEST, FIELDS),
    "schema": (ROW, REQUEST, FIELDS),
}
"""Relations that a rule of an operation does not have."""

_SYNTAX_MESSAGES = ("syntax error", "incomplete input", "unrecognized token")
_LOWER_MAGIC = frozenset(name.lower() for name in MAGIC_NAMES)

HasSchema = Callable[[str], bool]


def check_record_apis(
    config: Config, catalog: Catalog, has_schema: HasSchema, prepare_error: PrepareError
) -> list[Problem]:
    """
    Find everything that keeps the configured record APIs from being served.

    Args:
        config: The whole configuration; its self-contained checks may have failed.
        catalog: What the databases contain.
        has_schema: Whether a JSON schema of that name is registered; asked for built-in ones only,
            the others are those of ``config``.
        prepare_error: Compiles a statement without running it.

    Returns:
        Problems with the path of the field; empty if all is well.

    Spec:
        server/validation
        records/validation-conditions-all-fatal-for-the-config-texts-are-free-they-should-name-api-entity-kind-table-view-and-qualified-name
    """
    configured = {schema.name for schema in config.schemas}

    def is_known(name: str) -> bool:
        return name in configured or (name.startswith(RESERVED_PREFIX) and has_schema(name))

    problems: list[Problem] = []
    for index, api in enumerate(config.record_apis):
        path = f"record_apis[{index}]"
        for field, message in (
            *_check_rules(api, prepare_error),
            *_check_relation(api, catalog, is_known),
        ):
            problems.append(Problem(f"{path}.{field}", message))
    return problems


Finding = tuple[str, str]
"""Name of a field of ``RecordApiConfig``, message."""


def _check_rules(api: RecordApiConfig, prepare_error: PrepareError) -> Iterator[Finding]:
    for operation in FORBIDDEN_RELATIONS:
        field = f"{operation}_access_rule"
        if api.HasField(field):
            for message in check_rule_text(operation, getattr(api, field), prepare_error):
                yield field, f"Invalid {operation} rule of API '{api.name}': {message}"


def check_rule_text(operation: str, text: str, prepare_error: PrepareError) -> list[str]:
    """
    Check an access rule by itself.

    Args:
        operation: ``create``, ``read``, ``update``, ``delete`` or ``schema``.
        text: The rule.
        prepare_error: Compiles a statement without running it.

    Returns:
        What is wrong; empty for a good rule.

    Spec:
        records/validation-of-rules-when-the-config-is-loaded-or-changed
        server/access-rule-checks
    """
    try:
        tokens = significant_tokens(text)
    except SchemaSyntaxError as exc:
        return [str(exc)]
    problems = _shape_problems(tokens) or _syntax_problems(text, prepare_error)
    mentions = find_mentions(tokens)
    for at, (token, mention) in enumerate(zip(tokens, mentions, strict=True)):
        if not mention.relation:
            continue
        if unquote(token.text) in _LOWER_MAGIC:
            problems.append(f"write {mention.relation} in capitals")
        if mention.relation in FORBIDDEN_RELATIONS[operation]:
            problems.append(f"{mention.relation} is not available")
        if mention.relation == FIELDS and not _follows_literal(tokens, at):
            problems.append(f"only a text literal can be looked up in {FIELDS}")
    return list(dict.fromkeys(problems))


def _shape_problems(tokens: Sequence[Token]) -> list[str]:
    depth = 0
    for token in tokens:
        depth += (token.text == "(") - (token.text == ")")
        if token.text == ";" or (token.text == "," and depth == 0):
            return ["must be a single expression"]
        if token.kind is TokenKind.PARAMETER:
            return ["parameters are bound by the server"]
    if not tokens or depth:
        return ["must be a single expression"]
    return []


def _syntax_problems(text: str, prepare_error: PrepareError) -> list[str]:
    # The first form refuses a SELECT, the second all that may follow an expression. The line break
    # ends a comment.
    for sql in (f"SELECT {text}\n", f"SELECT ({text}\n)"):
        error = prepare_error(sql)
        if error is not None and any(message in error for message in _SYNTAX_MESSAGES):
            return [error]
    return []


def _follows_literal(tokens: Sequence[Token], at: int) -> bool:
    """Is this the ``_REQ_FIELDS_`` of ``'text' [NOT] IN _REQ_FIELDS_``, or no operand of IN?"""
    if at < 1 or keyword(tokens[at - 1]) != "IN":
        return True
    left = at - 2
    if left >= 0 and keyword(tokens[left]) == "NOT":
        left -= 1
    return left >= 0 and tokens[left].kind is TokenKind.STRING


def _check_relation(
    api: RecordApiConfig, catalog: Catalog, has_schema: HasSchema
) -> Iterator[Finding]:
    if not api.table_name:
        return
    try:
        relation = find_relation(catalog, api.table_name)
    except SchemaSyntaxError as exc:
        yield "table_name", f"API '{api.name}': {exc}"
        return
    if relation is None:
        yield (
            "table_name",
            f"TABLE or VIEW {api.table_name} referenced by API '{api.name}': not found.",
        )
        return
    kind = "TABLE" if isinstance(relation, Table) else "VIEW"
    prefix = f"{kind} {api.table_name} referenced by API '{api.name}': "
    message = _unsuitable(relation)
    if message is not None:
        yield "table_name", prefix + message
        return
    key = record_key(relation, catalog)
    if key is None:
        yield (
            "table_name",
            f"{prefix}Does not have a suitable PRIMARY KEY column (INTEGER or checked UUID).",
        )
        return
    columns = compile_columns(relation, catalog, key.name)
    for column in columns:
        if column.schema is not None and not column.inline and not has_schema(column.schema):
            yield "table_name", f"{prefix}Column '{column.name}' has an unknown JSON schema."
    for message in _excluded_problems(api, columns):
        yield "excluded_columns", prefix + message
    for name in api.expand:
        message = _expand_problem(relation, name, columns, catalog)
        if message is not None:
            yield "expand", prefix + message


def _unsuitable(relation: Table | View) -> str | None:
    if relation.temporary:
        return "Cannot be TEMPORARY."
    if isinstance(relation, View):
        if relation.mapping is None:
            return "Unable to infer the types of its columns."
        return None
    if not relation.strict:
        return "Must be STRICT for strong end-to-end type-safety."
    return None


def _excluded_problems(api: RecordApiConfig, columns: Sequence[ApiColumn]) -> Iterator[str]:
    known = {column.name: column for column in columns}
    for name in api.excluded_columns:
        column = known.get(name)
        if column is None:
            yield f"Excluded column '{name}' not found."
        elif column.is_key:
            yield f"PK column '{name}' must not be excluded."
        elif not is_nullable(column.definition) and not has_default(column.definition):
            yield (f"Cannot exclude column '{name}' that is neither NULLABLE nor has a DEFAULT.")


def _expand_problem(
    relation: Table | View, name: str, columns: Sequence[ApiColumn], catalog: Catalog
) -> str | None:
    if is_hidden(name):
        return f"Cannot expand hidden column '{name}'."
    if all(column.name != name for column in columns):
        return f"Expands unknown column '{name}'."
    reference = find_reference(relation, name)
    if reference is None:
        return f"Expanded column '{name}' is not a FOREIGN KEY column."
    referred = reference[0]
    if is_hidden(referred.foreign_table):
        return f"Expanded column '{name}' references hidden table '{referred.foreign_table}'."
    target = referred_table(relation, name, catalog)
    key: Column | None = record_key(target, catalog) if target is not None else None
    if target is None or key is None:
        return (
            f"Expanded column '{name}' references '{referred.foreign_table}', "
            "which is not a table with a suitable PRIMARY KEY."
        )
    if referred.referred_columns and referred.referred_columns != (key.name,):
        return f"Expanded column '{name}' must reference the PRIMARY KEY '{key.name}'."
    return None
