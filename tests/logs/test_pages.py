"""Pages of the access log: order, paging, filters, places, what a demo hides."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trailbase_server.errors import BadRequestError
from trailbase_server.logs.pages import LogView, list_log
from trailbase_server.query.parse import parse_list_query

USER = bytes(range(16))


def ask(log, query="", **view):
    return list_log(log, parse_list_query(query), LogView(**view))


def urls(page):
    return [entry["url"] for entry in page["entries"]]


def test_an_entry_has_the_members_of_the_wire(log):
    log.add(
        "/a?b=c",
        created=1_700_000_000.125,
        latency=0.42,
        client_ip="192.0.2.7",
        referer="http://from.test/",
        user_agent="kit/1",
        user_id=USER,
    )
    assert ask(log) == {
        "total_row_count": 1,
        "cursor": "1",
        "entries": [
            {
                "id": 1,
                "created": 1_700_000_000.125,
                "status": 200,
                "method": "GET",
                "url": "/a?b=c",
                "latency_ms": 0.42,
                "client_ip": "192.0.2.7",
                "client_geoip_cc": None,
                "client_geoip_city": None,
                "referer": "http://from.test/",
                "user_agent": "kit/1",
                "user_id": "00010203-0405-0607-0809-0a0b0c0d0e0f",
            }
        ],
    }


def test_an_empty_log_is_an_empty_page(log):
    assert ask(log) == {"total_row_count": 0, "cursor": None, "entries": []}


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None
)
@given(st.integers(0, 30), st.integers(1, 7))
def test_the_pages_together_are_the_whole_log(log, count, limit):
    log.connection.execute("DELETE FROM _logs")
    for number in range(count):
        log.add(f"/{number}")
    seen, cursor = [], None
    while True:
        page = ask(log, f"limit={limit}" + (f"&cursor={cursor}" if cursor else ""))
        assert page["total_row_count"] == count
        seen += urls(page)
        cursor = page["cursor"]
        if cursor is None:
            break
    assert seen == [f"/{number}" for number in reversed(range(count))]


def test_with_an_order_there_is_no_cursor(log):
    for number in range(4):
        log.add(f"/{number}", latency=float(4 - number))
    page = ask(log, "order=latency&limit=2&cursor=1")
    assert (urls(page), page["cursor"]) == (["/3", "/2"], None)
    assert urls(ask(log, "order=-status,id&limit=2&offset=1")) == ["/1", "/2"]


def test_filters_count_and_choose(log):
    for status in (200, 404, 404, 500):
        log.add(f"/{status}", status=status, user_id=USER if status == 500 else None)
    page = ask(log, "filter[status]=404&limit=1")
    assert (page["total_row_count"], urls(page)) == (2, ["/404"])
    assert urls(ask(log, "filter[user_id]=00010203-0405-0607-0809-0a0b0c0d0e0f")) == ["/500"]
    assert urls(ask(log, "filter[status][$gte]=500")) == ["/500"]


def test_a_request_is_found_by_its_id(log):
    log.add("/a", data='{"request_id":"abc"}')
    log.add("/b")
    assert urls(ask(log, "filter[data][$like]=%25abc%25")) == ["/a"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=1025",
        "cursor=x",
        "cursor=-1",
        "cursor=99999999999999999999",
        "filter[colour]=1",
        "filter[_rowid_]=1",
        "filter[status][$nope]=1",
        "filter[status]=x",
        "order=colour",
        "order=",
    ],
)
def test_mistakes_are_the_clients(log, query):
    with pytest.raises(BadRequestError):
        ask(log, query)


def test_places_come_from_the_database_that_is_there(log, places):
    log.add(client_ip="89.160.20.7")
    (entry,) = ask(log, places=places("GeoLite2-Country"))["entries"]
    assert (entry["client_geoip_cc"], entry["client_geoip_city"]) == ("SE", None)
    (entry,) = ask(log, places=places("GeoLite2-City"))["entries"]
    assert entry["client_geoip_cc"] is None
    assert entry["client_geoip_city"] == {"country_code": "SE", "name": "Linköping"}


def test_an_unknown_address_has_no_place(log, places):
    log.add(client_ip="192.0.2.7")
    log.add(client_ip="")
    for entry in ask(log, places=places("GeoLite2-City"))["entries"]:
        assert (entry["client_geoip_cc"], entry["client_geoip_city"]) == (None, None)


def test_a_demo_hides_who_others_are(log):
    log.add(client_ip="192.0.2.7", referer="http://from.test/", user_agent="")
    (entry,) = ask(log, demo=True)["entries"]
    hidden = [entry[name] for name in ("client_ip", "referer", "user_agent")]
    assert hidden == ["<demo>", "<demo>", ""]
    for query in ("filter[client_ip]=192.0.2.7", "order=user_agent"):
        with pytest.raises(BadRequestError):
            ask(log, query, demo=True)


def test_an_id_that_is_no_uuid_is_left_out(log):
    log.add(user_id=b"short")
    assert ask(log)["entries"][0]["user_id"] is None
