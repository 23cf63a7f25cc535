"""Rates by time and counts by country."""

import pytest

from tests.logs.conftest import NOW
from trailbase_server.errors import BadRequestError
from trailbase_server.logs.pages import LogView
from trailbase_server.logs.stats import log_stats
from trailbase_server.query.parse import parse_list_query

DAY = 86_400


def ask(log, query="", retention_s=DAY, **view):
    node = parse_list_query(query).filter
    return log_stats(log, node, LogView(**view), NOW, retention_s)


def test_an_empty_log_has_no_rates(log):
    assert ask(log) == {"rates": [], "country_codes": None}


def test_requests_are_counted_in_intervals_that_end_now(log):
    for age in (1, 299, 301, 600, 899, 901):
        log.add(created=NOW - age)
    # The ends of the intervals are now, now - 600 …; an entry belongs to the nearest.
    assert ask(log)["rates"] == [
        [NOW - 1200 - 300, 1 / 600],
        [NOW - 600 - 300, 3 / 600],
        [NOW - 300, 2 / 600],
    ]


def test_only_the_time_that_is_kept_counts(log):
    for age in (-1, 0, 100, DAY, DAY + 1):
        log.add(created=NOW - age)
    assert ask(log)["rates"] == [[NOW - 300, 1 / 600]]


def test_the_oldest_interval_is_as_wide_as_what_is_left_of_it(log):
    log.add(created=NOW - 990)
    assert ask(log, retention_s=1000)["rates"] == [[NOW - 1200 - 300, 1 / 400]]


def test_filters_hold_for_rates_and_countries(log, places, open_log):
    log = open_log(places("GeoLite2-Country"))
    log.add(status=404, client_ip="89.160.20.7", created=NOW - 1)
    log.add(status=200, client_ip="192.0.2.7", created=NOW - 1)
    log.add(status=200, client_ip="", created=NOW - 10 * DAY)
    found = ask(log, "filter[status]=404", places=log.geoip)
    assert found == {"rates": [[NOW - 300, 1 / 600]], "country_codes": {"SE": 1}}
    assert ask(log, places=log.geoip)["country_codes"] == {"SE": 1, "unattributed": 2}


def test_a_database_of_something_else_knows_no_countries(log, places):
    assert ask(log, places=places("GeoLite2-ASN"))["country_codes"] is None


def test_an_unknown_column_is_the_clients_mistake(log):
    with pytest.raises(BadRequestError):
        ask(log, "filter[colour]=1")
