import pytest

URL = "/api/records/v1/{}/schema"


@pytest.mark.case("T-32")
@pytest.mark.parametrize(
    ("api", "query", "user", "status"),
    [
        ("nothing", "?mode=select", None, 400),
        ("nothing", "", None, 405),
        ("diary", "", None, 403),
        ("diary", "", "rosa", 200),
        ("diary", "?mode=Select&foo=bar", "rosa", 200),
        ("diary", "?mode=select", "rosa", 400),
        ("diary", "?mode=", "rosa", 400),
        ("diary", "?mode=Insert&mode=Select", "rosa", 400),
        ("plot", "", None, 403),
        ("plot", "", "rosa", 200),
    ],
)
def test_checks_come_in_their_order(site, api, query, user, status):
    assert site.get(URL.format(api) + query, getattr(site, user) if user else None)[0] == status


def schema(site, table, mode, *more):
    site.load(
        f'record_apis {{ name: "it" table_name: "{table}" acl_world: SCHEMA {" ".join(more)} }}'
    )
    return site.get(URL.format("it") + f"?mode={mode}")[1]


@pytest.mark.case("T-32")
def test_the_document_describes_the_columns_of_the_api(site):
    body = schema(site, "diary", "Select", 'excluded_columns: ["secret"]')
    assert body["title"] == "it"
    assert {"secret", "_mood"}.isdisjoint(body["properties"])
    assert "_mood" in schema(site, "diary", "Insert")["properties"]
    assert body["required"] == ["id", "author", "text", "likes"]
    assert schema(site, "diary", "Insert")["required"] == ["author", "text"]
    assert schema(site, "diary", "Update")["required"] == []


def test_expanded_references_are_described_when_selecting(site):
    body = schema(site, "diary", "Select", 'expand: ["club"]')
    data = body["$defs"]["it.club"]["properties"]["data"]
    assert (data["title"], list(data["properties"])) == ("club", ["id", "name"])
    assert schema(site, "diary", "Insert", 'expand: ["club"]')["properties"]["club"] == {
        "type": ["null", "integer"]
    }


def test_a_view_is_described_and_its_references_too(site):
    body = schema(site, "diary_loved", "Select", 'expand: ["club"]')
    assert list(body["properties"]) == ["id", "author", "words", "likes", "club"]
    assert "it.club" in body["$defs"]


def test_a_document_is_made_once_per_plan(site):
    schema(site, "diary", "Select")
    documents = site.state.apis["it"].documents
    assert list(documents) == ["Select"]
    first = documents["Select"]
    site.get(URL.format("it") + "?mode=Select")
    assert documents["Select"] is first
    schema(site, "diary", "Select")
    assert site.state.apis["it"].documents is not documents
