"""Templates of mails: what they can do, what they refuse, and that rendering never fails."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.mail.templates import (
    MAX_TEMPLATE_CHARS,
    TemplateError,
    compile_template,
)


def render(source, escape=True, **values):
    return compile_template(source, escape=escape)(values)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Hello {{ NAME }}!", "Hello Ada!"),
        ("{{NAME}}|{{ NAME}}|{{   NAME   }}", "Ada|Ada|Ada"),
        ("a  {{- NAME -}}  b", "aAdab"),
        ("{% if NAME %}yes{% else %}no{% endif %}", "yes"),
        ("{% if NOTHING %}yes{% else %}no{% endif %}", "no"),
        ("{% if UNKNOWN %}yes{% elif NAME %}elif{% endif %}", "elif"),
        ("{% if NAME == 'Ada' and not NOTHING %}yes{% endif %}", "yes"),
        ("{{ 'x' if NAME != 'Ada' else 'y' }}", "y"),
        ("{{ NAME ~ '-' ~ 1 }}", "Ada-1"),
        ("[{{ NOTHING }}|{{ UNKNOWN }}]", "[|]"),
        ("{# nobody sees this #}{% raw %}{{ NAME }}{% endraw %}", "{{ NAME }}"),
        ("one\ntwo\n", "one\ntwo"),
        ("", ""),
    ],
)
def test_what_templates_can_do(source, expected):
    assert render(source, NAME="Ada", NOTHING=None) == expected


@pytest.mark.parametrize(
    "source",
    [
        "{{ NAME|upper }}",
        "{{ NAME.upper() }}",
        "{{ NAME.__class__ }}",
        "{{ NAME[0] }}",
        "{{ range(9) }}",
        "{{ self }}",
        "{{ 'x' * 1000000000 }}",
        "{{ 1 + 1 }}",
        "{{ NAME < 'B' }}",
        "{{ 'A' in NAME }}",
        "{{ [NAME] }}",
        "{{ NAME is defined }}",
        "{% for x in NAME %}{% endfor %}",
        "{% set x = NAME %}",
        "{% include '/etc/passwd' %}",
        "{% autoescape false %}{{ NAME }}{% endautoescape %}",
        "{% macro x() %}{% endmacro %}",
        "{% if NAME %}",
        "{{ NAME }",
        "{{ 9" + "9" * 5000 + " }}",
        "{{ 0x" + "f" * 5000 + " }}",
        "{{ " + "not " * 5000 + "NAME }}",
        "{{ " + "(" * 5000,
        "{% if NAME %}" * 50 + "{% endif %}" * 50,
        "x" * (MAX_TEMPLATE_CHARS + 1),
    ],
    ids=lambda source: source[:30],
)
def test_what_templates_refuse(source):
    with pytest.raises(TemplateError):
        compile_template(source, escape=True)


def test_a_refusal_says_where():
    with pytest.raises(TemplateError, match="line 2: templates of mails do not have filters"):
        compile_template("one\n{{ NAME|upper }}", escape=True)


def test_values_are_escaped_in_html_only():
    markup = """<a href="x" title='y'>&"""
    escaped = "&lt;a href=&#34;x&#34; title=&#39;y&#39;&gt;&amp;"
    assert render("{{ NAME }}", NAME=markup) == escaped
    assert render("{{ NAME ~ '<' }}", NAME=markup) == escaped + "&lt;"
    assert render("{{ NAME }}", escape=False, NAME=markup) == markup


def test_a_link_stays_intact():
    link = "https://site.test/_/auth/otp/login?email=a%40b.test&code=x1"
    assert render("{{ LINK }}", LINK=link).replace("&amp;", "&") == link


_PIECES = st.sampled_from(
    [
        *("{{", "}}", "{%", "%}", "{#", "#}", "-", " ", "if ", "else", "endif", "elif ", "NAME"),
        *("(", ")", "==", "!=", "~", "not ", "and ", "or ", "1", ".", "|", "self", "'", "é"),
        *("<b>", "\n"),
    ]
)


@given(st.lists(_PIECES, max_size=30).map("".join), st.text(max_size=20))
def test_any_text_is_refused_or_renders(source, value):
    try:
        ready = compile_template(source, escape=True)
    except TemplateError:
        return
    assert isinstance(ready({"NAME": value}), str)
    assert isinstance(ready({}), str)


@pytest.mark.case("T-50")
@given(st.text())
def test_no_value_brings_markup_into_html(value):
    rendered = render("{{ V }}", V=value)
    assert not set("<>\"'") & set(rendered)
