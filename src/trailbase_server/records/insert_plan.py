"""What ``inserts`` compiles for a set of columns, and an API keeps."""

from collections.abc import Callable
from typing import NamedTuple

from trailbase_server.records.params import Converter


class InsertPlan(NamedTuple):
    """
    How records with one set of columns are inserted; made and explained by ``inserts``.

    Attributes:
        conversions: Names and converters of the columns present, in the order of the request.
        fills: How many user-id columns follow, filled with the caller.
        make_key: Makes the key, which comes last; None if it is sent or left to the database.
        key_at: Place of the key among the values that are sent; negative if it is not sent.
        returning_sql, plain_sql: See ``inserts``.
        ruled_sql: The rule's parameters, then the values; None if there is no rule.
        fields: The names of the columns as the rule sees them, a JSON array.
        rule_places: Where the rule's parameters are found behind caller, NULL and ``fields``.
    """

    conversions: tuple[tuple[str, Converter], ...]
    fills: int
    make_key: Callable[[], bytes] | None
    key_at: int
    returning_sql: str
    plain_sql: str
    ruled_sql: str | None
    fields: str
    rule_places: tuple[int, ...]
