import pytest

from trailbase_server.db.errors import BusyError, OverBudgetError

ROSA_TEXT = "CwsAAAAAQACAAAAAAAAAAQ=="


def test_a_record_has_every_visible_column_sorted_by_name(site):
    status, body = site.read("diary", 2)
    assert status == 200
    assert list(body) == sorted(body)
    assert body == {
        "any": "x", "author": ROSA_TEXT, "club": None, "id": 2, "likes": 5, "loud": "RADISHES",
        "photo": None, "photos": None, "secret": "s2", "tags": {"a": "1", "b": "2"},
        "text": "radishes", "weight": 0.1,
    }  # fmt: skip


def test_excluded_columns_are_not_shown(site):
    assert {"secret", "weight"}.isdisjoint(site.read("diary_some", 1)[1])


def test_files_are_shown_without_their_object_keys(site):
    body = site.read("diary", 1)[1]
    assert body["photo"] == {"filename": "a.png"}
    assert body["photos"] == [
        {"filename": "b.png"},
        {"filename": "c.png", "mime_type": "image/png"},
    ]


@pytest.mark.case("T-22")
@pytest.mark.parametrize(
    ("api", "key", "user", "expected"),
    [
        ("nothing", "1", None, (405, "")),
        ("nothing", "x", None, (405, "")),
        ("diary", "x", None, (400, "Invalid id")),
        ("diary", str(2**63), None, (400, "Invalid id")),
        ("diary_shut", "x", None, (400, "Invalid id")),
        ("diary_shut", "1", None, (403, "")),
        ("diary_shut", "404", None, (403, "")),
        ("diary_club", "1", None, (403, "")),
        ("diary", "404", None, (404, "")),
        ("diary_own", "1", None, (403, "")),
        ("diary_own", "404", "rosa", (403, "")),
        ("diary_own", "3", "rosa", (403, "")),
        ("diary_own", "1", "rosa", 200),
        ("diary_club", "3", "rosa", 200),
        ("diary_club", "2", "rosa", (403, "")),
        ("diary_club", "3", "uma", (403, "")),
        ("diary_guests", "1", None, 200),
        ("diary_guests", "1", "rosa", (403, "")),
        ("diary_secret", "1", None, 200),
        ("diary_secret", "4", None, (403, "")),
        ("diary_broken", "1", None, (403, "")),
        ("diary_failing", "3", None, 200),
        ("diary_failing", "1", None, (403, "")),
        ("diary", "1?expand=club", None, (400, "Invalid expansion")),
        ("diary", "404?expand=club", None, (400, "Invalid expansion")),
        ("diary_wide", "404?expand=club", None, (404, "")),
        ("diary_own", "404?expand=club", "rosa", (403, "")),
        ("diary_own", "1?expand=club", "rosa", (400, "Invalid expansion")),
        ("plot", "0c0c0000-0000-4000-8000-000000000001", None, 200),
        ("plot", "0C0C0000-0000-4000-8000-000000000001", None, 200),
        ("plot", "DAwAAAAAQACAAAAAAAAAAQ==", None, 200),
        ("plot", "DAwAAAAAQACAAAAAAAAAAQ", None, (400, "Invalid id")),
        ("plot", "AQID", None, (404, "")),
        ("loved", "1", None, 200),
        ("loved", "3", None, (404, "")),
        ("gauge", "2", None, 200),
    ],
)
def test_checks_come_in_their_order(site, api, key, user, expected):
    status, body = site.read(api, key, getattr(site, user) if user else None)
    assert expected in (status, (status, body))


def test_expandable_references_are_always_wrapped_and_data_comes_on_demand(site):
    assert site.read("diary_wide", 1)[1]["club"] == {"id": 1}
    assert site.read("diary_wide", 1)[1]["author"] == ROSA_TEXT
    assert site.read("diary_wide", "1?expand=club")[1]["club"] == {
        "id": 1,
        "data": {"id": 1, "name": "bees"},
    }
    assert site.read("diary_wide", "2?expand=club")[1]["club"] is None
    assert site.read("diary_wide", "4?expand=club")[1]["club"] == {"id": 77}
    assert site.read("diary_wide", "1?expand=")[1]["club"] == {"id": 1}


@pytest.mark.case("T-28")
def test_only_what_was_asked_for_is_expanded(site):
    body = site.read("diary_authors", "1?expand=club")[1]
    assert body["author"] == {"id": ROSA_TEXT}
    assert "data" in body["club"]


def test_references_of_a_view_are_expanded(site):
    assert site.read("loved", "1?expand=club")[1]["club"]["data"]["name"] == "bees"


def test_odd_names_are_quoted(site):
    assert site.read("odd", 1)[1] == {"a-b": "minus", "a_b": "under", "id": 1, 'sel"ect': "quote"}


def test_a_geometry_is_geojson(site):
    assert site.read("site", 1)[1]["place"] == {"type": "Point", "coordinates": [4.25, 51.5]}
    assert site.read("site", 2)[1]["place"] is None


@pytest.mark.parametrize("error", [OverBudgetError("slow"), BusyError("try again")])
def test_a_database_that_is_not_available_is_no_refusal(site, error):
    def fail(sql, params=()):
        raise error

    site.state.database = type("Down", (), {"read": staticmethod(fail)})()
    if isinstance(error, OverBudgetError):
        with pytest.raises(OverBudgetError):
            site.read("diary_own", 1, site.rosa)
    else:
        assert site.read("diary_own", 1, site.rosa)[0] == 503


def test_the_key_finds_the_row_even_where_the_rule_could(site):
    for name in ("diary", "diary_own", "diary_club", "plot", "gauge"):
        api = site.state.apis[name]
        count = 2 if api.read_rule and api.read_rule.uses_user else 1
        plan = site.database.read(f"EXPLAIN QUERY PLAN {api.read_sql}", (1,) * count)
        assert "_ROW_ USING" in plan[0][3], plan
        assert "PRIMARY KEY" in plan[0][3] or "autoindex" in plan[0][3], plan
        assert not any("CO-ROUTINE" in step[3] for step in plan)


@pytest.mark.parametrize(
    ("rule", "status"), [("0.5", 403), ("1.5", 200), ("'x'", 403), ("'1x'", 200)]
)
def test_a_rule_counts_as_an_integer(site, rule, status):
    site.load(
        'record_apis { name: "it" table_name: "club" acl_world: READ '
        f'read_access_rule: "{rule}" }}'
    )
    assert site.read("it", 1)[0] == status
