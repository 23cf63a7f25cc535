"""
An insert of one set of columns, compiled once.

Theory of operation
-------------------
Clients send few sets of columns. An ``InsertPlan`` keeps for one of them what does not depend on
the values: the converters in the order of the request, the texts of the statements, and the places
that the parameters of the create rule are copied from. What is left for each record is a loop over
its values.

An insert has up to three texts:

* *Returning* reads the new key back. That is dear: SQLite carries ``RETURNING`` out as a trigger
  and keeps a journal of the statement for it, with a copy of each page it touches (2.6 of 6.8 µs).
* *Plain* returns nothing. It is taken when the key is known beforehand: sent by the client, or
  made here where the column's default is one of the generators of ours, with the same function;
  and when it is the row id, which the connection knows afterwards. The rule sees the request as it
  was sent, without a key that was made here.
* *Ruled* is the plain one with the rule inside its first value. Where the rule is not true, that
  value cannot be computed, so the statement fails before it writes anything. Why it failed is
  found out by asking the rule alone, which decides between 403 and whatever else it was.
"""

from collections.abc import Callable, Sequence

from trailbase_server.db.dialect import quote
from trailbase_server.ids import new_uuid4, new_uuid7
from trailbase_server.records.access import Rule
from trailbase_server.records.api import RecordApi
from trailbase_server.records.encode import dump_json
from trailbase_server.records.insert_plan import InsertPlan
from trailbase_server.schema.model import Default

MAX_PLANS = 256  # kept per API; as many statements as a connection keeps prepared

_GENERATORS = {"(uuid_v4())": new_uuid4, "(uuid_v7())": new_uuid7}
_IMPOSSIBLE = "abs(-9223372036854775808)"  # an integer overflow: the one thing abs refuses
# Places of the parameters of a rule: these three come before the values.
_USER, _ABSENT, _FIELDS, _VALUES = range(4)


def find_plan(api: RecordApi, names: Sequence[str], *, has_user: bool) -> InsertPlan:
    """
    Look a plan up, or make it.

    Args:
        api: Not a view.
        names: Members of the record in the order sent; those that are no columns are left out.
        has_user: There is a caller to fill in.
    """
    # Only names of columns are kept: clients may send any others, of any length.
    sent = tuple(name for name in names if name in api.converters)
    key = (has_user, *sent)
    plan = api.inserts.get(key)
    if plan is None:
        if len(api.inserts) >= MAX_PLANS:
            # Whoever sends all sets of columns pays for building the texts.
            api.inserts.clear()
        plan = api.inserts[key] = compile_plan(api, sent, has_user=has_user)
    return plan


def compile_plan(api: RecordApi, sent: tuple[str, ...], *, has_user: bool) -> InsertPlan:
    """Make the plan of one set of columns; arguments as of ``find_plan``, columns only."""
    filled = [name for name in api.autofill if name not in sent] if has_user else []
    seen = (*sent, *filled)
    make_key = None if api.key.name in seen else _generator(api)
    names = seen if make_key is None else (*seen, api.key.name)
    rule = api.create_rule
    return InsertPlan(
        conversions=tuple((name, api.converters[name]) for name in sent),
        fills=len(filled),
        make_key=make_key,
        key_at=seen.index(api.key.name) if api.key.name in seen else -1,
        returning_sql=f"{_insert_sql(api, names)} RETURNING {quote(api.key.name)}",
        plain_sql=_insert_sql(api, names),
        ruled_sql=None if rule is None or not names else _insert_sql(api, names, rule),
        fields=dump_json(list(seen)).decode(),
        rule_places=() if rule is None else _rule_places(rule, seen),
    )


def _generator(api: RecordApi) -> Callable[[], bytes] | None:
    """What the database would call for a key that is not sent, if that is one of ours."""
    for option in api.key.definition.options:
        if isinstance(option, Default):
            return _GENERATORS.get(option.sql.replace(" ", "").lower())
    return None


def _rule_places(rule: Rule, names: Sequence[str]) -> tuple[int, ...]:
    """Find the parameters in the order of ``Rule.bind``."""
    place = {name: _VALUES + index for index, name in enumerate(names)}
    places = [_USER] * rule.uses_user
    places += [place.get(name, _ABSENT) for name in rule.request_columns]
    places += [_FIELDS] * rule.uses_fields
    return tuple(places)


def _insert_sql(api: RecordApi, names: Sequence[str], rule: Rule | None = None) -> str:
    into = f"INSERT INTO {api.table_sql}"
    if not names:
        # Without values there is no key to be in conflict about, and no place for a clause.
        return f"{into} DEFAULT VALUES"
    first = 1
    if rule is not None:
        first += rule.uses_user + len(rule.request_columns) + rule.uses_fields
    places = [f"?{first + index}" for index in range(len(names))]
    if rule is not None:
        places[0] = f"CASE WHEN {_test_sql(rule)} THEN {places[0]} ELSE {_IMPOSSIBLE} END"
    columns = ", ".join(map(quote, names))
    return f"{into} ({columns}) VALUES ({', '.join(places)}){_conflict_sql(api)}"


def _test_sql(rule: Rule) -> str:
    # A rule that brings no relations is a plain expression.
    return f"EXISTS ({rule.sql})" if rule.with_sql else f"CAST({rule.condition} AS INTEGER)"


def _conflict_sql(api: RecordApi) -> str:
    """Render what happens when the key, and only the key, is taken."""
    key = quote(api.key.name)
    if api.conflict == "ignore":
        return f" ON CONFLICT ({key}) DO NOTHING"
    if api.conflict == "replace":
        names = [
            quote(column.name)
            for column in api.columns
            if not column.generated and not column.is_key
        ] or [key]
        changes = ", ".join(f"{name} = excluded.{name}" for name in names)
        return f" ON CONFLICT ({key}) DO UPDATE SET {changes}"
    return ""
