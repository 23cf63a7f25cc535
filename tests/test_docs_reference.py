"""The pages of ``docs/reference/`` are what the code says now, and the code says enough."""

import re
from difflib import unified_diff

import click
import pytest

from scripts.reference import configuration, source
from scripts.reference.commands import render_command
from scripts.reference.errors import descendants
from scripts.reference.functions import registered_functions
from scripts.reference.limits import limits
from scripts.reference.markdown import first_sentence, table
from scripts.reference.pages import PAGES, write_pages
from scripts.reference.routes import route_tables
from tests.serving import ROOT
from trailbase_server.auth import options
from trailbase_server.errors import AppError
from trailbase_server.records.api import DEFAULT_HARD_LIMIT
from trailbase_server.server.configuration import DEFAULT_BODY_LIMIT

COMMITTED = ROOT / "docs" / "reference"
FILE = configuration.read_descriptor()
COMMENTS = configuration.comments_of(FILE)
FIELDS = {
    f"{message.name}.{field.name}": COMMENTS.get((4, i, 2, j), "")
    for i, message in enumerate(FILE.message_type)
    for j, field in enumerate(message.field)
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    directory = tmp_path_factory.mktemp("reference")
    write_pages(directory)
    return directory


@pytest.mark.parametrize("name", PAGES)
def test_the_committed_page_is_what_the_code_says(made, name):
    pages = [(folder / name).read_text().splitlines() for folder in (COMMITTED, made)]
    drift = "\n".join(unified_diff(*pages, "committed", "made now", n=0, lineterm=""))
    assert not drift, f"docs/reference/{name} is out of date, run scripts/docs:\n{drift}"


def test_there_are_no_other_pages():
    assert {path.name for path in COMMITTED.iterdir()} == set(PAGES)


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_of_the_configuration_says_what_it_is(field):
    assert FIELDS[field].endswith(".")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("AuthConfig.auth_token_ttl_sec", options.DEFAULT_AUTH_TTL_S),
        ("AuthConfig.refresh_token_ttl_sec", options.DEFAULT_REFRESH_TTL_S),
        (
            "AuthConfig.anonymous_refresh_token_ttl_sec",
            options.DEFAULT_ANONYMOUS_REFRESH_TTL_S,
        ),
        ("AuthConfig.password_minimal_length", options.DEFAULT_PASSWORD_LENGTH),
        ("ServerConfig.request_size_limit_bytes", DEFAULT_BODY_LIMIT),
        ("RecordApiConfig.listing_hard_limit", DEFAULT_HARD_LIMIT),
    ],
)
def test_a_default_in_a_comment_is_the_codes(field, value):
    assert re.search(rf"Default: {value}\b", FIELDS[field])


def test_every_route_has_a_name_and_a_sentence():
    routes = [route for found, _ in route_tables() for route in found]
    assert len(routes) > 20
    for route in routes:
        assert route.operation, route
        assert route.tag, route
        assert route.summary.endswith((".", "?")), route
    names = [route.operation for route in routes]
    assert len(names) == len(set(names))


def test_every_route_stands_in_its_page(made):
    page = (made / "routes.md").read_text()
    for found, _ in route_tables():
        for route in found:
            assert f"| `{route.method}` `{route.path}` |" in page


def test_every_command_stands_in_its_page(made):
    page = (made / "command-line.md").read_text()
    for command in ("run", "schema", "migration", "user", "user import", "admin promote", "help"):
        assert f"## `trail {command}`\n" in page


def test_what_a_command_declares_is_told():
    @click.command()
    @click.argument("source")
    @click.argument("mode", type=click.Choice(["a", "b"]), default="a")
    @click.option(
        "-n", "--limit", type=click.IntRange(1, 9), default=3, show_default=True, help="L."
    )
    @click.option("--wait", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="W.")
    @click.option("--at", type=click.DateTime(), help="When.  [default: now]")
    @click.option("--on/--off", help="Or not.", envvar="ON", show_envvar=True)
    @click.option("--old", hidden=True)
    def copy():
        """
        Copy
        things.

        \b
        as it
        is
        """

    assert render_command(copy, "trail copy") == (
        "`trail copy [OPTIONS] SOURCE [a|b]`\n"
        "\nCopy things.\n"
        "\n```text\nas it\nis\n```\n"
        "\n| option | meaning | default | variable |\n"
        "|---|---|---|---|\n"
        "| `-n`, `--limit NUMBER` | L. | `3` (from 1 to 9) |  |\n"
        "| `--wait SECONDS` | W. | (above 0) |  |\n"
        "| `--at TIME` | When. | now |  |\n"
        "| `--on`, `--off` | Or not. |  | `ON` |\n"
    )


def test_every_error_says_when_it_is_raised():
    errors = list(descendants(AppError))
    assert AppError not in errors
    assert len(errors) > 20
    for error in errors:
        assert error.__doc__, error


def test_every_limit_says_what_it_counts_and_why():
    assert [limit for limit in limits() if not limit.reason] == []


def test_flags_and_arities_are_those_of_the_connection():
    functions = registered_functions()
    assert functions["st_point"] == ({2, 3}, 0x200800)
    assert functions["uuid_v7"] == ({0}, 0x200000)


def test_a_table_keeps_bars_and_line_breaks_inside_their_cells():
    assert table(("a", "b"), [("x|y", "two\nlines")]) == (
        "| a | b |\n|---|---|\n| x\\|y | two lines |\n"
    )
    assert table(("a",), []) == ""


def test_the_first_paragraph_becomes_a_line():
    assert (
        first_sentence("\n  One ``word``\n  and more.\n\n  Not this.\n") == "One `word` and more."
    )
    assert first_sentence(None) == ""


def test_a_constant_is_found_with_its_reason(tmp_path, monkeypatch):
    text = (
        '"""A module."""\n'
        "A = 3  # of a kind\n"
        "# more than\n"
        "# one line\n"
        "B = 2 * A\n"
        'C: int = 5\n"""Said\nbelow."""\n'
        "_D = 1  # private\n"
        'e = "ä"\n'
        'F = "#ü"  # noqa: S105  # after a mark\n'
        "G = H = 2\n"
        "I = (\n    4,  # within\n)\n"
    )
    (tmp_path / "some_constants.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    import some_constants

    found = {c.name: (c.value, c.reason) for c in source.constants_of(some_constants)}
    assert found == {
        "A": (3, "of a kind"),
        "B": (6, "more than one line"),
        "C": (5, "Said below."),
        "F": ("#ü", "after a mark"),
        "I": ((4,), "within"),
    }
