"""The grammar of query strings: what is read, what is ignored, what is refused."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.query.filter import And, Comparison, Operator, Or
from trailbase_server.query.parse import (
    InvalidQueryError,
    ListQuery,
    OrderTerm,
    SubscribeQuery,
    check_flags,
    parse_list_query,
    parse_subscribe_query,
)

NAMES = st.text("abcXYZ_.-09é", min_size=1, max_size=4).filter(
    lambda name: not (name.isascii() and name.isdigit())
)
COMPARISONS = st.builds(
    Comparison, NAMES, st.sampled_from([o for o in Operator if o is not Operator.IS]), st.text()
) | st.builds(Comparison, NAMES, st.just(Operator.IS), st.sampled_from(["NULL", "!NULL"]))


def lists(inner):
    return st.lists(inner, min_size=1, max_size=3).map(tuple)


TREES = st.one_of(
    COMPARISONS,
    st.builds(And, lists(COMPARISONS)),
    st.builds(Or, lists(st.one_of(COMPARISONS, st.builds(And, lists(COMPARISONS))))),
    st.builds(And, lists(st.builds(Or, lists(st.builds(And, lists(COMPARISONS)))))),
)


def eq(column, value):
    return Comparison(column, Operator.EQUAL, value)


def render(node, path="filter"):
    """Write a filter as an official client would."""
    if isinstance(node, Comparison):
        key = f"{path}[{quote(node.column)}]"
        operator = "" if node.operator is Operator.EQUAL else f"[{node.operator}]"
        return f"{key}{operator}={quote(node.value)}"
    word = "$or" if isinstance(node, Or) else "$and"
    return "&".join(
        render(inner, f"{path}[{word}][{index}]") for index, inner in enumerate(node.nodes)
    )


@given(TREES)
def test_what_a_client_renders_is_read_back(node):
    assert parse_list_query(render(node)).filter == node
    assert parse_subscribe_query(render(node)) == SubscribeQuery(node)
    encoded = render(node).replace("[", "%5b").replace("]", "%5D")
    assert parse_list_query(encoded).filter == node


@pytest.mark.case("T-37")
@given(st.text())
def test_arbitrary_text_is_read_or_refused(text):
    for parse in (parse_list_query, parse_subscribe_query, check_flags):
        try:
            parse(text)
        except InvalidQueryError as exc:
            assert exc.status == 400  # noqa: PT017


@given(
    st.lists(
        st.sampled_from(
            ["filter", "[", "]", "[0", "[$or]", "[a]", "=", "&", "1", "$is", "%5B", "%ff", "limit="]
        ),
        max_size=24,
    )
)
def test_garbled_filters_are_read_or_refused(pieces):
    try:
        parse_list_query("".join(pieces))
    except InvalidQueryError as exc:
        assert exc.public == "Invalid query"  # noqa: PT017


@pytest.mark.parametrize(
    ("raw", "query"),
    [
        ("", ListQuery()),
        ("&&limit=2&", ListQuery(limit=2)),
        ("limit=5&limit=2&offset=5&offset=1", ListQuery(limit=2, offset=1)),
        ("limit=%2B3", ListQuery(limit=3)),
        ("limit&offset&cursor&order&expand&filter", ListQuery()),
        ("cursor=", ListQuery(cursor="")),
        ("cursor=a&cursor=b%3D", ListQuery(cursor="b=")),
        ("count=1", ListQuery(count=True)),
        ("count=TRUE", ListQuery(count=True)),
        ("count=FALSE", ListQuery()),
        ("skip_cursor=true&geojson=g", ListQuery(skip_cursor=True, geojson="g")),
        ("geojson=", ListQuery(geojson="")),
        ("expand=a,b", ListQuery(expand=("a", "b"))),
        ("limit=2&foo=bar&page[size]=7&x", ListQuery(limit=2)),
        (
            "order=a,-b,+c,%2Bd,%2D%20e",
            ListQuery(
                order=tuple(
                    OrderTerm(name, name in ("b", "e")) for name in ("a", "b", "c", "d", "e")
                )
            ),
        ),
        (
            "order=brand%20,%20-id",
            ListQuery(order=(OrderTerm("brand", False), OrderTerm("id", True))),
        ),
        ("order=--id", ListQuery(order=(OrderTerm("-id", True),))),
    ],
)
def test_parameters_are_read(raw, query):
    assert parse_list_query(raw) == query


@pytest.mark.case("T-44")
@pytest.mark.parametrize(
    "raw",
    [
        "limit=-1",
        "limit=ten",
        "limit=1.5",
        "limit=",
        "limit=" + "9" * 5000,
        "limit=18446744073709551616",
        "limit[0]=1",
        "offset=x",
        "offset=",
        "count=yes",
        "count=",
        "count",
        "count=true&count=true",
        "order=id&order=a",
        "order&order=a",
        "order=",
        "order=-",
        "order=id,",
        "order=a,b,c,d,e,f",
        "order=id;drop",
        "order=length(a)",
        "order=%22id%22",
        "order=id%20desc",
        "expand=",
        "expand=a,b,c,d,e,f",
        "expand=a b",
        "filter=",
        "filter=a",
        "skip_cursor=1",
        "skip_cursor",
        "skip_cursor=true&skip_cursor=true",
        "geojson",
        "geojson=a&geojson=b",
        "limit=%ff",
        "x=%ff",
        "\xff=1",
    ],
)
def test_malformed_parameters_are_refused(raw):
    with pytest.raises(InvalidQueryError, match="Invalid query"):
        parse_list_query(raw)


def test_an_offset_beyond_sql_has_a_text_of_its_own():
    assert parse_list_query(f"offset={2**63 - 1}").offset == 2**63 - 1
    with pytest.raises(InvalidQueryError, match="Invalid offset"):
        parse_list_query(f"offset={2**63}")


@pytest.mark.parametrize(
    ("raw", "node"),
    [
        ("filter[a]=1", eq("a", "1")),
        ("filter[a]=", eq("a", "")),
        ("filter[a]=%love%", eq("a", "%love%")),
        ("filter[a]=x+y%2B%26", eq("a", "x y+&")),
        ("filter[a]=x=y", eq("a", "x=y")),
        ("filter[a]=M\xc3\xb6we", eq("a", "Möwe")),
        ("filter[größe]=1".encode().decode("latin-1"), eq("größe", "1")),
        ("filter%5Ba%5d%5B%24gt%5D=1", Comparison("a", Operator.GREATER, "1")),
        ("filter[a]=1&filter[b]=2", And((eq("a", "1"), eq("b", "2")))),
        (
            "filter[a][$gte]=1&filter[a][$lte]=2",
            And(
                (
                    Comparison("a", Operator.GREATER_EQUAL, "1"),
                    Comparison("a", Operator.LESS_EQUAL, "2"),
                )
            ),
        ),
        ("filter[$or][1][b]=2&filter[$or][0][a]=1", Or((eq("a", "1"), eq("b", "2")))),
        ("filter[$or][0][a]=1", Or((eq("a", "1"),))),
        (
            "filter[c]=3&filter[$or][0][a]=1&filter[$or][1][b]=2",
            And((eq("c", "3"), Or((eq("a", "1"), eq("b", "2"))))),
        ),
        (
            "filter[$and][0[a]=1&filter[$and][1[b][$is]=NULL",
            And((eq("a", "1"), Comparison("b", Operator.IS, "NULL"))),
        ),
        (
            "filter[$and][0[$or][0[a]=1&filter[$and][0[$or][1[b]=2",
            And((Or((eq("a", "1"), eq("b", "2"))),)),
        ),
        (
            "filter[$or][0][$and][0][$or][0][$and][0][id]=3",
            Or((And((Or((And((eq("id", "3"),)),)),)),)),
        ),
        ("filter[1a]=1&filter&", eq("1a", "1")),
        (
            "filter[x]=1&filter[$or][0][y]=1&filter[$or][0][$and][0][z]=1",
            And((eq("x", "1"), Or((And((eq("y", "1"), And((eq("z", "1"),)))),)))),
        ),
    ],
)
def test_filters_are_read(raw, node):
    assert parse_list_query(raw).filter == node


@pytest.mark.case("T-40")
@pytest.mark.parametrize(
    "raw",
    [
        "filter[a]=1&filter[a]=2",
        "filter[a][$gt]=1&filter[a][$gt]=2",
        "filter[a]=1&filter[a][$gt]=2",
        "filter[a][$gt]=2&filter[a]=1",
        "filter[$or][0][a]=1&filter[$or][2][a]=2",
        "filter[$or][00][a]=1",
        "filter[$or][a]=1",
        "filter[$or]=1",
        "filter[$or][0]=1",
        "filter[$or][0][$and][0][$or][0][$and][0][$or][0][a]=3",
        "filter[$or][0][$and][0][$or][0][$and][0][a][$gt]=3",
        (
            "filter[x]=1&filter[$or][0][y]=1"
            "&filter[$or][0][$and][0][z]=1&filter[$or][0][$and][0][w]=1"
        ),
        "filter[brand=Heron",
        "filter[brand]]=Heron",
        "filter[brand]x=Heron",
        "filter[[brand]]=Heron",
        "filter[a[0]=Heron",
        "filter[]=Heron",
        "filter[a]",
        "filter[bra%20nd]=Heron",
        "filter[brand%22]=Heron",
        "filter[$gt]=5",
        "filter[0][brand]=Heron",
        "filter[0]=Heron",
        "filter[a][gt]=1",
        "filter[a][$not]=1",
        "filter[a][$gt][b]=1",
        "filter[a][$is]=null",
        "filter[a][$is]=",
        "filter[brand]=%ff",
        "filter[brand]=\xff",
        "filters[brand]=Quince",
        "filter_a=1",
        "filtered",
        "&".join(f"filter[$or][{n}][a]={n}" for n in range(501)),
    ],
)
def test_malformed_filters_are_refused(raw):
    for parse in (parse_list_query, parse_subscribe_query):
        with pytest.raises(InvalidQueryError, match="Invalid query"):
            parse(raw)


@pytest.mark.parametrize(
    ("raw", "query"),
    [
        ("", SubscribeQuery()),
        ("ws=true", SubscribeQuery(ws=True)),
        ("ws=false&limit=ten&x", SubscribeQuery()),
        ("filter[a]=1&ws=true", SubscribeQuery(eq("a", "1"), True)),
    ],
)
def test_subscriptions_know_filters_and_web_sockets(raw, query):
    assert parse_subscribe_query(raw) == query


@pytest.mark.parametrize("raw", ["ws", "ws=1", "ws=", "ws=true&ws=true"])
def test_malformed_subscriptions_are_refused(raw):
    with pytest.raises(InvalidQueryError):
        parse_subscribe_query(raw)


@pytest.mark.parametrize("raw", ["geojson=a&geojson=b", "skip_cursor=maybe", "limit=x&geojson"])
def test_malformed_flags_are_found_before_anything_else(raw):
    with pytest.raises(InvalidQueryError):
        check_flags(raw)


@pytest.mark.parametrize("raw", ["", "limit=x", "geojson=a&skip_cursor=true", "filter[%ff]=geo"])
def test_other_mistakes_are_left_for_later(raw):
    check_flags(raw)
