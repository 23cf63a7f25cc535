import pytest

from trailbase_server.errors import ForbiddenError
from trailbase_server.records.access import CREATE, DELETE, READ, UPDATE
from trailbase_server.records.columns import InvalidIdError


def load(site, *more, table="diary"):
    site.load(f'record_apis {{ name: "it" table_name: "{table}" {" ".join(more)} }}')
    return site.state.apis["it"]


def test_a_plan_knows_its_table(site):
    api = load(site)
    assert (api.table_sql, api.is_view, api.without_rowid) == ('"main"."diary"', False, False)
    assert load(site, table="gauge").without_rowid
    assert load(site, table="diary_loved").is_view


@pytest.mark.parametrize("name", ["diary", "main.diary", "'diary'", "[diary]", "`diary`"])
def test_quotes_and_the_name_of_the_main_database_may_be_written_or_not(site, name):
    assert load(site, table=name).table.name == "diary"


def test_columns_are_those_of_the_table_without_the_excluded_ones(site):
    api = load(site, 'excluded_columns: ["secret", "any"]')
    assert [column.name for column in api.columns] == [
        "id", "author", "club", "text", "likes", "weight", "_mood", "tags", "photo", "photos",
        "loud",
    ]  # fmt: skip
    assert set(api.filters) == set(api.column_of) - {"_mood"}


def test_permissions_of_everybody_are_those_of_members_too(site):
    api = load(site, "acl_world: READ acl_authenticated: [CREATE, DELETE]")
    api.check_permission(None, READ)
    api.check_permission(object(), READ | CREATE | DELETE)
    for identity, flag in ((None, CREATE), (object(), UPDATE)):
        with pytest.raises(ForbiddenError):
            api.check_permission(identity, flag)


def test_ids_are_those_of_the_key(site):
    assert load(site).parse_id("7") == 7
    with pytest.raises(InvalidIdError):
        load(site, table="plot").parse_id("7")


@pytest.mark.parametrize(
    ("more", "strategy"),
    [
        ("", "abort"),
        ("conflict_resolution: ABORT", "abort"),
        ("conflict_resolution: IGNORE", "ignore"),
        ("conflict_resolution: REPLACE", "replace"),
    ],
)
def test_the_conflict_strategy_is_read(site, more, strategy):
    assert load(site, more).conflict == strategy


def test_user_columns_are_filled_in_only_where_switched_on(site):
    assert load(site).autofill == ()
    assert load(site, "autofill_missing_user_id_columns: true").autofill == ("author",)


def test_file_columns_are_known(site):
    assert load(site).file_columns == ("photo", "photos")


@pytest.mark.case("T-35")
def test_views_have_no_rules_for_writing(site):
    rules = 'create_access_rule: "1" update_access_rule: "1" delete_access_rule: "1"'
    api = load(site, rules, table="diary_loved")
    assert (api.create_rule, api.update_rule, api.delete_rule) == (None, None, None)
    assert load(site, rules).create_rule is not None


def test_an_empty_rule_is_a_rule(site):
    assert load(site, 'read_access_rule: ""').read_rule is not None
    assert load(site).read_rule is None


def test_delete_addresses_the_row_by_its_key(site):
    assert load(site).delete_sql == 'DELETE FROM "main"."diary" AS _ROW_ WHERE _ROW_."id" = ?1'
    assert site.database.prepare_error(load(site).delete_sql) is None


@pytest.mark.case("T-51")
def test_subscriptions_need_a_table(site):
    assert load(site, "enable_subscriptions: true").enable_subscriptions
    assert not load(site, "enable_subscriptions: true", table="diary_loved").enable_subscriptions
