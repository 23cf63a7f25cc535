"""Generators shared by property tests, by package."""

from hypothesis import strategies as st

from trailbase_server.schema.columns import make_column
from trailbase_server.schema.lexer import RESERVED
from trailbase_server.schema.model import (
    Check,
    Collate,
    ConflictClause,
    Default,
    ForeignKey,
    Generated,
    Index,
    IndexColumn,
    NotNull,
    Null,
    QualifiedName,
    References,
    ReferentialAction,
    Table,
    Unique,
    UniqueConstraint,
)

# --- schema: names and words of SQL -----------------------------------------------------------

KEYWORD_NAMES = ["key", "left", "Select", "ORDER", "check", "if", "text", "like", "end", "rowid_"]
NAMES = st.one_of(
    st.sampled_from(["id", "a", "b", "Name", "_hidden", "größe", "x$1", *KEYWORD_NAMES]),
    st.text(st.sampled_from("ab \"'`];.-(),--/*é😀"), min_size=1, max_size=8).map(
        lambda s: s + "z"
    ),
)
"""Any name SQLite takes."""

CONFLICTS = st.sampled_from([None, *ConflictClause])
ACTIONS = st.sampled_from([None, *ReferentialAction])
DEFERRABLE = st.sampled_from([None, "DEFERRABLE", "NOT DEFERRABLE INITIALLY DEFERRED"])
LITERALS = st.one_of(
    st.integers(0, 2**63 - 1).map(str),
    st.floats(0, 1e300).map(repr),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6).map(
        lambda s: "'" + s.replace("'", "''") + "'"
    ),
    st.binary(max_size=4).map(lambda b: f"x'{b.hex()}'"),
    st.sampled_from(["NULL", "TRUE", "CURRENT_TIMESTAMP", ".5e-3", "0xFF"]),
)


@st.composite
def spellings(draw, name):
    """A name in one of the ways to write it."""
    ways = ['"' + name.replace('"', '""') + '"', "`" + name.replace("`", "``") + "`"]
    if "]" not in name:
        ways.append(f"[{name}]")
    if name.isidentifier() and name.isascii() and name.upper() not in RESERVED | {"LEFT"}:
        ways.append(name)
    return draw(st.sampled_from(ways))


@st.composite
def casings(draw, words):
    """Keywords in some case, with blanks and comments around."""
    blank = st.sampled_from([" ", " ", "\n\t", " /* , ) */ ", " -- it's (\n"])
    change = st.sampled_from([str.upper, str.lower, str.title])
    return "".join(draw(change)(word) + draw(blank) for word in words.split())


@st.composite
def expressions(draw, columns, depth=2):
    """An SQL expression over columns, as somebody might write it."""
    column = spellings(draw(st.sampled_from(columns)))
    operand = st.one_of(column, LITERALS)
    if depth == 0:
        return draw(operand)
    inner = expressions(columns, depth - 1)
    form = draw(
        st.sampled_from(
            ["{}", "({})", "{}=={}", "{} != {}", "{}<={}", "- {}", "length({})", "{} is not null",
             "{} isnull", "{} not null", "{} like {}", "{} not  like {} escape '!'", "{} and {}",
             "{} or {}", "not {}", "{} between {} and {}", "{} in ({},{})", "{}||{}", "{}->>'$.a'",
             "cast({} as text)", "case when {} then {} else {} end", "{} collate nocase",
             "coalesce({},/*;*/{})", "typeof({}) in ('a', {})", "{} is distinct from {}"]
        )
    )  # fmt: skip
    return form.format(*(draw(inner) for _ in range(form.count("{}"))))


# --- schema: models ----------------------------------------------------------------------------

CANONICAL = st.sampled_from(
    ["a = 5", "is_uuid (id)", "a IS NOT NULL AND (b <> 'x' OR c NOTNULL)", "x'00'", "- 5 < a",
     "jsonschema ('std.FileUpload', \"a b\")", "CASE WHEN a THEN b ELSE c END"]
)  # fmt: skip
OPTIONS = st.one_of(
    st.builds(Null),
    st.builds(NotNull),
    st.builds(Default, st.sampled_from(["5", "- 5", "'a''b'", "(uuid_v7 ())", "x'00'", "NULL"])),
    st.builds(Unique, st.just(True), CONFLICTS, st.booleans()),
    st.builds(Unique, st.just(False), CONFLICTS),
    st.builds(
        References, NAMES, st.lists(NAMES, max_size=2).map(tuple), ACTIONS, ACTIONS, DEFERRABLE
    ),
    st.builds(Check, CANONICAL),
    st.builds(Generated, CANONICAL, st.sampled_from([None, "Virtual", "Stored"])),
    st.builds(Collate, NAMES),
)
TYPE_NAMES = st.sampled_from(
    ["", "INTEGER", "int", "TEXT", "BLOB", "ANY", "VARYING CHARACTER", "odd  type", "it's", "key"]
)
COLUMNS = st.builds(make_column, NAMES, TYPE_NAMES, st.lists(OPTIONS, max_size=4).map(tuple))
SOME_NAMES = st.lists(NAMES, min_size=1, max_size=3).map(tuple)
MAYBE_NAME = st.none() | NAMES


@st.composite
def tables(draw):
    """A table model; SQLite may have objections."""
    temporary = draw(st.booleans())
    return Table(
        name=QualifiedName(draw(NAMES), "temp" if temporary else draw(MAYBE_NAME)),
        strict=draw(st.booleans()),
        columns=tuple(draw(st.lists(COLUMNS, min_size=1, max_size=4))),
        foreign_keys=tuple(
            draw(
                st.lists(
                    st.builds(
                        ForeignKey, SOME_NAMES, NAMES, SOME_NAMES, ACTIONS, ACTIONS, MAYBE_NAME,
                        DEFERRABLE,
                    ),
                    max_size=2,
                )
            )
        ),
        unique=tuple(
            draw(
                st.lists(
                    st.builds(UniqueConstraint, SOME_NAMES, CONFLICTS, MAYBE_NAME, st.booleans()),
                    max_size=2,
                )
            )
        ),
        checks=tuple(draw(st.lists(st.builds(Check, CANONICAL, MAYBE_NAME), max_size=2))),
        temporary=temporary,
        without_rowid=draw(st.booleans()),
    )  # fmt: skip


INDEXES = st.builds(
    Index,
    st.builds(QualifiedName, NAMES, MAYBE_NAME),
    NAMES,
    st.lists(
        st.builds(
            IndexColumn,
            NAMES,
            st.none() | st.booleans(),
            st.none() | st.booleans(),
        )
        | st.builds(
            IndexColumn,
            st.sampled_from(["lower (a)", "a COLLATE NOCASE", "a || b"]),
            st.none() | st.booleans(),
            st.none() | st.booleans(),
            is_expression=st.just(True),
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
    st.booleans(),
    st.none() | CANONICAL,
)


# --- schema: statements ------------------------------------------------------------------------

DECLARED_TYPES = st.sampled_from(
    ["", "integer", "INT", "text", "blob", "Real", "any", "VARCHAR(10)", "decimal ( 10 , -5 )",
     "unsigned  big int", '"my type"']
)  # fmt: skip
WRITTEN_DEFAULTS = LITERALS | st.sampled_from(["-1", "+ 2.5", "foo", '"bar"', "(1+/*(*/2)", "true"])
REFERENCE_TAILS = st.sampled_from(
    ["", "on delete set null", "on update cascade on delete no action", "match full",
     "deferrable initially deferred", "not deferrable", "on delete set default"]
)  # fmt: skip
GENERATED = st.sampled_from(["generated always as (1) stored", "AS (2+3)", "as (4) virtual"])
COLUMN_CONSTRAINTS = st.sampled_from(
    ["pk", "notnull", "null", "unique", "default", "check", "ref", "collate", "name", "generated"]
)


@st.composite
def _column_constraints(draw, kind, columns):
    conflict = draw(casings(draw(st.sampled_from(["", "on conflict ignore"]))))
    match kind:
        case "pk":
            return draw(casings("primary key " + draw(st.sampled_from(["", "desc"])))) + conflict
        case "notnull":
            return draw(casings("not null")) + conflict
        case "unique":
            return draw(casings("unique")) + conflict
        case "default":
            return draw(casings("default")) + draw(WRITTEN_DEFAULTS)
        case "check":
            return draw(casings("check")) + f"({draw(expressions(columns))})"
        case "ref":
            return draw(_references(columns, 1))
        case "collate":
            return draw(casings("collate")) + draw(st.sampled_from(["nocase", '"RTRIM"']))
        case "name":
            return draw(casings("constraint")) + draw(spellings(draw(NAMES)))
        case "generated":
            return draw(GENERATED)
    return draw(casings(kind))


@st.composite
def _references(draw, columns, width):
    target = draw(casings("references")) + draw(spellings(draw(NAMES)))
    if draw(st.booleans()):
        names = [draw(spellings(draw(st.sampled_from(columns)))) for _ in range(width)]
        target += f"({','.join(names)})"
    return target + " " + draw(casings(draw(REFERENCE_TAILS)))


@st.composite
def _column_definitions(draw, name, columns):
    kinds = draw(st.lists(COLUMN_CONSTRAINTS, max_size=3, unique=True))
    constraints = [draw(_column_constraints(kind, columns)) for kind in kinds]
    return " ".join([draw(spellings(name)), draw(DECLARED_TYPES), *constraints])


@st.composite
def _table_constraints(draw, kind, columns):
    prefix = draw(casings("constraint")) + '"c 1" ' if draw(st.booleans()) else ""
    prefix += draw(casings(kind))
    if kind == "check":
        return f"{prefix}({draw(expressions(columns))})"
    chosen = draw(st.lists(st.sampled_from(columns), min_size=1, max_size=2, unique=True))
    text = f"{prefix}({', '.join([draw(spellings(name)) for name in chosen])})"
    if kind == "foreign key":
        text += f" {draw(_references(columns, len(chosen)))}"
    return text


@st.composite
def create_tables(draw):
    """A ``CREATE TABLE`` statement as somebody might write it; SQLite may have objections."""
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique_by=str.lower))
    parts = [draw(_column_definitions(name, names)) for name in names]
    kinds = st.sampled_from(["primary key", "unique", "check", "foreign key"])
    parts += [draw(_table_constraints(kind, names)) for kind in draw(st.lists(kinds, max_size=2))]
    options = draw(st.sampled_from(["", "", "strict", "without rowid", "STRICT, WITHOUT ROWID"]))
    head = draw(casings("create table")) + draw(spellings(draw(NAMES)))
    return f"{head} ({', '.join(parts)}) {options}"
