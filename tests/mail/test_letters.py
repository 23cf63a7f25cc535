"""The mails of accounts: their words, their links, and whose words they are."""

import logging
import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.config.proto.config_pb2 import EmailConfig
from trailbase_server.mail.letters import (
    CONFIG_FIELDS,
    LETTERS,
    PARTS,
    Letters,
    encode_query,
    find_template_problems,
    letter_values,
    read_built_in,
)
from trailbase_server.mail.templates import compile_template

SITE = "https://site.test:8443"
TOKEN = "eyJ0.eyJz-_.sig"
CHANGE = f"/api/auth/v1/change_email/confirm/{TOKEN}"
HOSTILE = '/"><script>alert(1)</script>&code=x#y'


def values(letter, to="ada+x@mail.test", **given):
    given = given or ({"code": "aB3dE9"} if letter == "otp" else {"token": TOKEN})
    return letter_values(letter, to=to, app_name="The Site", site=SITE, given=given)


def render(letter, config=None, depot=None, **given):
    return Letters(config or EmailConfig(), depot).render(letter, values(letter, **given))


def links(html):
    return [unescape(link) for link in re.findall(r'href="([^"]*)"', html)]


@pytest.mark.parametrize(
    ("letter", "given", "expected"),
    [
        ("verify_email", {}, "/api/auth/v1/verify_email/confirm/eyJ0.eyJz-_.sig"),
        ("change_email", {}, CHANGE),
        (
            "verify_email",
            {"token": TOKEN, "redirect_uri": "/welcome"},
            "/api/auth/v1/verify_email/confirm/eyJ0.eyJz-_.sig?redirect_uri=/welcome",
        ),
        (
            "change_email",
            {"token": TOKEN, "redirect_uri": "https://app.test/a?b=c&d=e#f"},
            f"{CHANGE}?redirect_uri=https://app.test/a%3Fb%3Dc%26d%3De%23f",
        ),
        ("reset_password", {}, "/_/auth/reset_password/update/eyJ0.eyJz-_.sig"),
        ("otp", {}, "/_/auth/otp/login?email=ada%2Bx%40mail.test&code=aB3dE9"),
        (
            "otp",
            {"code": "aB3dE9", "redirect_uri": "/x?y"},
            "/_/auth/otp/login?email=ada%2Bx%40mail.test&code=aB3dE9&redirect_uri=/x%3Fy",
        ),
    ],
)
def test_each_letter_has_one_link(letter, given, expected):
    rendered = render(letter, **given)
    assert links(rendered.html) == [SITE + expected]
    assert SITE + expected in rendered.text.splitlines()


def test_who_knew_the_old_address_is_told_without_a_link():
    rendered = render("email_changed", new_email="new@mail.test")
    assert links(rendered.html) == []
    for body in (rendered.html, rendered.text):
        assert "new@mail.test" in body
        assert "ada+x@mail.test" in body
    assert "another address" in render("email_changed", new_email=None).text


@pytest.mark.parametrize("letter", LETTERS)
def test_our_own_words_are_complete(letter):
    rendered = render(letter)
    assert "The Site" in rendered.subject
    assert rendered.subject.splitlines() == [rendered.subject]
    for body in (rendered.html, rendered.text):
        assert "The Site" in body
        assert "{{" not in body
    if letter == "otp":
        assert re.search(r"code=([a-zA-Z0-9]*)", rendered.html)[1] == "aB3dE9"


@pytest.mark.case("T-50")
@pytest.mark.parametrize("letter", LETTERS)
def test_nothing_that_a_client_sends_becomes_markup(letter):
    rendered = render(letter, token=TOKEN, code="c", redirect_uri=HOSTILE, new_email=HOSTILE)
    assert "<script>" not in rendered.html
    for link in links(rendered.html):
        query = parse_qs(urlsplit(link).query)
        assert query.get("code", ["c"]) == ["c"]
        if letter != "reset_password":
            assert query["redirect_uri"] == [HOSTILE]


@given(st.text())
def test_a_value_of_a_link_comes_back_as_it_was(text):
    encoded = encode_query(text)
    assert re.fullmatch(r"[A-Za-z0-9/:._~%-]*", encoded)
    assert parse_qs(f"v={encoded}", keep_blank_values=True) == {"v": [text]}


def test_values_of_the_specification():
    base = {"APP_NAME", "EMAIL", "SITE_URL", "CODE"}
    more = base | {"TOKEN", "REDIRECT_URI", "VERIFICATION_URL"}
    names = {letter: set(values(letter)) for letter in CONFIG_FIELDS}
    assert names["verify_email"] == names["change_email"] == more
    assert names["reset_password"] == base | {"TOKEN", "RESET_URL"}
    assert names["otp"] == base | {"REDIRECT_URI", "LOGIN_URL"}
    assert values("verify_email")["CODE"] == values("verify_email")["TOKEN"] == TOKEN
    assert values("otp")["CODE"] == "aB3dE9"
    assert values("otp")["SITE_URL"] == SITE


def own(field, **parts):
    config = EmailConfig()
    for name, text in parts.items():
        setattr(getattr(config, field), name, text)
    return config


def test_words_of_the_configuration_each_for_itself():
    body = "O|{{ EMAIL }}|{{ SITE_URL }}|{{ CODE }}|{{ REDIRECT_URI }}"
    rendered = render("otp", own("otp_template", body=body))
    assert rendered.html == f"O|ada+x@mail.test|{SITE}|aB3dE9|"
    assert rendered.subject == render("otp").subject
    assert rendered.text is None, "made from the HTML, not our words beside theirs"
    rendered = render("otp", own("otp_template", subject="{{EMAIL}} at {{ APP_NAME }} {{ CODE }}"))
    assert rendered.subject == "ada+x@mail.test at The Site "
    assert rendered.html == render("otp").html


def test_values_are_escaped_in_own_words_too():
    config = own("otp_template", body="{{ EMAIL }}|{{ CODE }}|{{ APP_NAME }}")
    given = letter_values("otp", to="a&b@c.test", app_name="<b>", site=SITE, given={"code": "<i>"})
    rendered = Letters(config, None).render("otp", given)
    assert rendered.html == "a&amp;b@c.test|&lt;i&gt;|&lt;b&gt;"


def test_a_subject_is_no_html():
    config = own("otp_template", subject="{{ APP_NAME }}")
    given = letter_values("otp", to="a@b.test", app_name="R&D", site=SITE, given={"code": "x"})
    assert Letters(config, None).render("otp", given).subject == "R&D"


@pytest.fixture
def depot(tmp_path):
    (tmp_path / "mail").mkdir()
    return tmp_path


def test_words_of_the_depot(depot):
    (depot / "mail/otp.html").write_text("<b>{{ CODE }}</b>")
    rendered = render("otp", depot=depot)
    assert (rendered.html, rendered.text) == ("<b>aB3dE9</b>", None)
    (depot / "mail/otp.txt").write_text("<{{ CODE }}>")
    (depot / "mail/otp.subject").write_text("Grüße\n")
    rendered = render("otp", depot=depot)
    assert (rendered.subject, rendered.text) == ("Grüße", "<aB3dE9>")
    config = own("otp_template", body="config {{ CODE }}")
    assert render("otp", config, depot).html == "config aB3dE9"
    assert render("verify_email", depot=depot) == render("verify_email")


def test_broken_words_are_replaced_by_ours(depot, caplog):
    (depot / "mail/otp.html").write_text("{{ CODE|upper }}")
    (depot / "mail/otp.txt").write_bytes(b"\xff")
    (depot / "mail/otp.subject").mkdir()
    with caplog.at_level(logging.ERROR):
        assert render("otp", depot=depot) == render("otp")
    assert "do not have filters" in caplog.text
    assert "otp.txt" in caplog.text
    assert "otp.subject" in caplog.text


def test_a_configuration_with_broken_words_is_refused():
    assert find_template_problems(EmailConfig()) == []
    config = own("otp_template", subject="{{ x", body="{{ CODE }}")
    config.change_email_template.body = "{{ CODE.x }}"
    problems = find_template_problems(config)
    assert [problem.path for problem in problems] == [
        "email.change_email_template.body",
        "email.otp_template.subject",
    ]
    assert all(problem.message.startswith("Invalid template: line 1") for problem in problems)


@pytest.mark.parametrize("letter", LETTERS)
@pytest.mark.parametrize("part", PARTS)
def test_our_own_templates_keep_to_the_grammar(letter, part):
    compile_template(read_built_in(letter, part), escape=True)
