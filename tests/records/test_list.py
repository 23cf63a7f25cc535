import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

LIMITED = "Only TABLEs with PK primary order support cursors. Use offset instead."


def test_a_page_has_records_and_a_cursor(site):
    status, body = site.list("diary", "limit=2")
    assert status == 200
    assert list(body) == ["cursor", "records"]
    assert [record["id"] for record in body["records"]] == [4, 3]
    assert body["records"][1] == site.read("diary", 3)[1]


@pytest.mark.parametrize(
    ("query", "members"),
    [
        ("", ["cursor", "records"]),
        ("count=true", ["cursor", "total_count", "records"]),
        ("skip_cursor=true", ["records"]),
        ("order=likes", ["records"]),
        ("order=-id,likes", ["cursor", "records"]),
        ("limit=0", ["records"]),
        ("filter[id]=404", ["records"]),
        ("offset=100", ["records"]),
    ],
)
def test_optional_members_come_when_they_should(site, query, members):
    assert list(site.list("diary", query)[1]) == members


@pytest.mark.case("T-31")
@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("count=true", 4),
        ("count=true&limit=0", 4),
        ("count=true&offset=100", 4),
        ("count=true&limit=1&filter[club]=1", 2),
        ("count=true&filter[id]=404", 0),
    ],
)
def test_the_count_is_that_of_all_matching_rows(site, query, total):
    assert site.list("diary", query)[1]["total_count"] == total


def test_the_count_ignores_the_cursor(site):
    cursor = site.list("diary", "limit=2")[1]["cursor"]
    assert site.list("diary", f"limit=2&count=true&cursor={cursor}")[1]["total_count"] == 4


@pytest.mark.case("T-31")
def test_the_rule_filters_rows_and_counts(site):
    assert site.ids("diary_own", user=site.rosa) == [1, 2]
    assert site.ids("diary_own") == []
    assert site.ids("diary_club", user=site.sam) == [1, 3]
    assert site.ids("diary_club", user=site.uma) == []
    assert site.ids("diary_guests") == [1, 2, 3, 4]
    assert site.ids("diary_guests", user=site.rosa) == []
    assert site.ids("diary_secret") == [1, 2, 3]
    assert site.ids("diary_broken") == []
    assert site.list("diary_own", "count=true&limit=1", site.rosa)[1]["total_count"] == 2


@pytest.mark.case("T-29")
def test_no_filter_reaches_around_the_rule(site):
    query = "order=id&filter[$or][0][id]=1&filter[$or][1][id]=3"
    assert site.ids("diary_own", query, site.rosa) == [1]
    assert site.ids("diary_own", query, site.sam) == [3]


@pytest.mark.case("T-29")
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["id", "likes", "text", "club"]),
            st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$is"]),
            st.sampled_from(["0", "1", "3", "x", "NULL", "!NULL"]),
        ),
        max_size=3,
        unique_by=lambda term: term[:2],
    ),
    st.booleans(),
)
def test_a_filter_never_shows_what_the_rule_hides(site, terms, any_of):
    if any_of:
        parts = [f"filter[$or][{n}][{c}][{o}]={v}" for n, (c, o, v) in enumerate(terms)]
    else:
        parts = [f"filter[{c}][{o}]={v}" for c, o, v in terms]
    status, body = site.list("diary_own", "&".join(parts), site.rosa)
    assert status in (200, 400)
    if status == 200:
        assert {record["id"] for record in body["records"]} <= {1, 2}


@pytest.mark.parametrize(
    ("api", "query", "expected"),
    [
        ("nothing", "filter[x][y][z]=1", (405, "")),
        ("diary_shut", "filter[x][y][z]=1", (403, "")),
        ("diary_club", "", (403, "")),
        ("diary", "filter[x][y][z]=1", (400, "Invalid query")),
        ("diary", "limit=ten", (400, "Invalid query")),
        ("diary", "geojson=text", (400, "Invalid geometry column")),
        ("diary", "geojson=nope", (400, "Invalid geometry column")),
        ("diary", "filter[nope]=1", (400, "Invalid filter params")),
        ("diary", "filter[_mood]=calm", (400, "Invalid filter params")),
        ("diary", "filter[_mood][$is]=NULL", (400, "Invalid filter params")),
        ("diary_some", "filter[secret]=s1", (400, "Invalid filter params")),
        ("diary_some", "filter[secret][$is]=NULL", (400, "Invalid filter params")),
        ("diary", "filter[likes]=many", (400, "Invalid filter params")),
        ("diary", "filter[nope]=1&limit=5000", (400, "Invalid filter params")),
        ("diary", "limit=1025", (400, "limit exceeds max limit of 1024")),
        ("diary_two", "limit=3", (400, "limit exceeds max limit of 2")),
        ("diary", "limit=5000&cursor=x", (400, "limit exceeds max limit of 1024")),
        ("diary", "order=text&cursor=abc", (400, LIMITED)),
        ("loved", "cursor=abc", (400, LIMITED)),
        ("diary", "expand=club", (400, "Invalid expansion")),
        ("diary_wide", "expand=author", (400, "Invalid expansion")),
        ("diary_wide", "expand=club,nope", (400, "Invalid expansion")),
        ("diary", "filter[text][$re]=(", (400, "rejected")),
    ],
)
def test_checks_come_in_their_order(site, api, query, expected):
    assert site.list(api, query) == expected


@pytest.mark.case("T-30")
@pytest.mark.parametrize("order", ["nope", "_mood", "--id", "-", "id,", "id;drop", "%22id%22"])
def test_only_visible_columns_can_order(site, order):
    assert site.list("diary", f"order={order}")[0] == 400


@pytest.mark.case("T-30")
def test_an_excluded_column_cannot_order(site):
    assert site.list("diary_some", "order=secret")[0] == 400


def test_the_default_page_is_no_larger_than_the_hard_limit(site):
    assert site.ids("diary_two", "") == [4, 3]


def test_limit_and_offset_cut_a_page(site):
    assert site.ids("diary", "limit=2&offset=1") == [3, 2]
    assert site.ids("diary", "offset=3") == [1]
    assert site.ids("loved", "limit=1&offset=1") == [1]


@pytest.mark.case("T-44")
def test_an_offset_beyond_all_integers_is_no_server_error(site):
    assert site.list("diary", f"offset={2**64}")[0] in (200, 400)


@pytest.mark.case("T-45")
@pytest.mark.parametrize("order", ["", "order=id&", "order=-id,text&"])
@pytest.mark.parametrize("api", ["diary", "gauge", "plot"])
def test_walking_with_cursors_meets_every_row_once(site, api, order):
    if api != "diary":
        order = order.replace(",text", "")
    expected = site.ids(api, order)
    seen, cursor = [], ""
    for _ in range(len(expected) + 1):
        body = site.list(api, f"{order}limit=1{cursor}")[1]
        seen += [record["id"] for record in body["records"]]
        if "cursor" not in body:
            break
        cursor = f"&cursor={body['cursor']}"
    assert seen == expected
    assert body == {"records": []}


def test_a_cursor_names_a_row_not_a_direction(site):
    cursor = site.list("diary", "limit=2")[1]["cursor"]
    assert site.ids("diary", f"order=id&cursor={cursor}") == [4]
    assert site.ids("diary", f"order=-id&cursor={cursor}") == [2, 1]


@pytest.mark.case("T-44")
@pytest.mark.parametrize("cursor", ["abc", "8", "MDEyMzQ1Njc4OWFiY2RlZg==", ""])
def test_a_forged_cursor_is_refused(site, cursor):
    assert site.list("diary", f"cursor={cursor}")[0] == 400


@pytest.mark.case("T-34")
def test_a_cursor_of_another_api_is_refused(site):
    cursor = site.list("diary", "limit=2")[1]["cursor"]
    assert site.list("diary_wide", f"cursor={cursor}")[0] == 400


def test_references_are_expanded_on_demand(site):
    body = site.list("diary_wide", "order=id&expand=club")[1]
    assert [record["club"] for record in body["records"]] == [
        {"id": 1, "data": {"id": 1, "name": "bees"}},
        None,
        {"id": 1, "data": {"id": 1, "name": "bees"}},
        {"id": 77},
    ]
    assert site.ids("diary_wide", "filter[club]=1&expand=club&order=id") == [1, 3]


def test_geometries_make_a_feature_collection(site):
    assert site.list("site", "geojson=place&order=id&count=true&skip_cursor=true") == (
        200,
        {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "geometry": {"type": "Point", "coordinates": [4.25, 51.5]},
                    "id": 1,
                    "properties": {"id": 1, "name": "tower"},
                },
                {
                    "type": "Feature",
                    "geometry": None,
                    "id": 2,
                    "properties": {"id": 2, "name": "lost"},
                },
            ],
            "total_count": 2,
        },
    )


def test_an_empty_collection_is_a_collection(site):
    expected = {"type": "FeatureCollection", "features": []}
    assert site.list("site", "geojson=place&filter[id]=99")[1] == expected
    assert site.list("site", "geojson=place&limit=0&count=true")[1] == {
        **expected,
        "total_count": 2,
    }


def test_an_index_can_serve_the_rule(site):
    # Four rows are faster read than looked up, so the planner has to be told.
    api = site.state.apis["diary_own"]
    sql = api.list_sql.replace("AS _ROW_", "AS _ROW_ INDEXED BY diary_by_author")
    plan = site.database.read(
        f"EXPLAIN QUERY PLAN {sql} WHERE {api.read_rule.condition}", (site.rosa,)
    )
    assert plan[0][3] == "SEARCH _ROW_ USING INDEX diary_by_author (author=?)"
