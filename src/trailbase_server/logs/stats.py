"""
How much was asked, and from where: the figures above the list of the access log.

Spec: admin-api/get-logs-stats.
"""

from typing import Any

from trailbase_server.db.base import Reader
from trailbase_server.logs.pages import (
    CITY_DATABASE,
    COUNTRY_DATABASE,
    LogView,
    compile_log_filter,
)
from trailbase_server.query.filter import FilterNode

INTERVAL_S = 600  # width of a bar
UNATTRIBUTED = "unattributed"

_COUNTED = """
SELECT CAST(round((_ROW_.created - ?) / ?) AS INTEGER) AS slot, count(*)
FROM _logs AS _ROW_ WHERE {conditions} GROUP BY slot ORDER BY slot
"""
_COUNTRIES = """
SELECT geoip_country(_ROW_.client_ip) AS country, count(*)
FROM _logs AS _ROW_ WHERE {conditions} GROUP BY country
"""


def log_stats(
    reader: Reader, node: FilterNode | None, view: LogView, now: float, retention_s: float
) -> dict[str, Any]:
    """
    Count entries by time and by country.

    Args:
        reader: Of ``logs.db``, with the SQL function ``geoip_country``.
        node: Which entries; None: all.
        view: What is shown.
        now: End of the time that is looked at, Unix seconds.
        retention_s: Its length.

    Returns:
        ``rates``: middle of an interval and requests a second, oldest first, without empty ones.
        ``country_codes``: entries of all times by country, None without a database of addresses.

    Raises:
        InvalidFilterError: A column that is not there.

    Spec:
        admin-api/get-logs-stats
    """
    conditions, params = compile_log_filter(node, view)
    start = now - retention_s
    bounded = " AND ".join(["_ROW_.created > ?", "_ROW_.created < ?", *conditions])
    rows = reader.read(
        _COUNTED.format(conditions=bounded), [now, float(INTERVAL_S), start, now, *params]
    )
    rates = []
    for slot, count in rows:
        assert isinstance(slot, int)  # noqa: S101  # the statement says so
        assert isinstance(count, int)  # noqa: S101  # the same
        end = slot * INTERVAL_S + now
        width = min(INTERVAL_S, end - (start - INTERVAL_S))
        rates.append([end - INTERVAL_S / 2, count / width])
    countries: dict[str, Any] | None = None
    if view.places is not None and view.places.kind in (COUNTRY_DATABASE, CITY_DATABASE):
        found = reader.read(
            _COUNTRIES.format(conditions=" AND ".join(conditions) or "TRUE"), params
        )
        countries = {str(country or UNATTRIBUTED): count for country, count in found}
    return {"rates": rates, "country_codes": countries}
