import pytest

from trailbase_server.records.expand import (
    MAX_KEYS,
    InvalidExpansionError,
    attach_data,
    check_expansions,
)


def expansions(site, api, *names):
    return check_expansions(site.state.apis[api].expansions, names)


@pytest.mark.case("T-28")
@pytest.mark.parametrize("names", [["author"], ["nope"], ["club", "text"], [""], [" club"]])
def test_only_configured_columns_can_be_expanded(site, names):
    with pytest.raises(InvalidExpansionError) as caught:
        expansions(site, "diary_wide", *names)
    assert caught.value.public == "Invalid expansion"


def test_a_column_named_twice_is_expanded_once(site):
    assert len(expansions(site, "diary_wide", "club", "club")) == 1


def test_each_referenced_row_is_read_once_however_many_refer_to_it(site):
    read = []

    def counting(sql, params):
        read.append(list(params))
        return site.database.read(sql, params)

    records = [{"club": {"id": 1 + n % 2}} for n in range(6)] + [{"club": None}]
    attach_data(counting, expansions(site, "diary_wide", "club"), records)
    assert [sorted(params) for params in read] == [[1, 2]]
    assert all("data" in record["club"] for record in records[:6])


def test_a_reference_to_nothing_gets_no_data(site):
    records = [{"club": {"id": 77}}]
    attach_data(site.database.read, expansions(site, "diary_wide", "club"), records)
    assert records == [{"club": {"id": 77}}]


def test_many_references_are_read_in_pieces_of_few_sizes(site):
    sizes = []

    def counting(sql, params):
        sizes.append(len(params))
        return []

    records = [{"club": {"id": n}} for n in range(2 * MAX_KEYS + 5)]
    attach_data(counting, expansions(site, "diary_wide", "club"), records)
    assert sizes == [MAX_KEYS, MAX_KEYS, 8]


def test_nothing_is_read_when_nothing_refers(site):
    def never(sql, params):
        raise AssertionError

    attach_data(never, expansions(site, "diary_wide", "club"), [{"club": None}])
