"""Templates of a depot, and what happens when they are broken."""

import pytest

from trailbase_server.auth.pages.templates import PageTemplates
from trailbase_server.auth.pages.texts import built_in_words

VALUES = {
    "t": built_in_words(),
    "page": "error",
    "site": {"name": "<b>Boats</b>", "styles": []},
    "message": None,
    "login_url": '/x"onclick="y',
}


def render(directory, name="error.html"):
    templates = PageTemplates(directory)
    return templates.render(name, VALUES), templates.problems


def test_ours_escape_what_they_print():
    text, problems = render(None)
    assert problems == []
    assert "&lt;b&gt;Boats&lt;/b&gt;" in text
    assert "<b>Boats" not in text
    assert 'href="/x&#34;onclick=&#34;y"' in text


def test_one_of_a_depot_comes_first(tmp_path):
    (tmp_path / "error.html").write_text("<p>{{ site.name }} own</p>")
    assert render(tmp_path) == ("<p>&lt;b&gt;Boats&lt;/b&gt; own</p>", [])


def test_one_of_a_depot_may_change_a_block_of_ours(tmp_path):
    (tmp_path / "error.html").write_text(
        '{% extends "built-in/error.html" %}{% block footer %}<p>Imprint</p>{% endblock %}'
    )
    text, problems = render(tmp_path)
    assert problems == []
    assert "Imprint" in text
    assert "This does not work" in text


def test_the_frame_of_a_depot_is_around_our_pages(tmp_path):
    (tmp_path / "base.html").write_text(
        '{% extends "built-in/base.html" %}{% block footer %}<footer>Imprint</footer>{% endblock %}'
    )
    text, problems = render(tmp_path)
    assert problems == []
    assert "Imprint" in text
    assert "This does not work" in text


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (b"<p>\n{% if %}</p>", "error.html:2: "),
        (b"{{ a|nothing }}", "No filter named 'nothing'"),
        (b'\n\n{% extends "elsewhere.html" %}', "error.html:3: there is no elsewhere.html"),
        (b'{% include "../templates.py" %}', "there is no ../templates.py"),
        (b"\xff", "utf-8"),
        (b"x" * 300_000, "larger than"),
    ],
)
def test_a_broken_one_is_told_with_its_place_and_ours_is_used(tmp_path, source, problem):
    (tmp_path / "error.html").write_bytes(source)
    (tmp_path / "login.html").write_text("own login")
    text, problems = render(tmp_path)
    assert len(problems) == 1
    assert problem in problems[0]
    assert str(tmp_path) in problems[0]
    assert "This does not work" in text
    assert PageTemplates(tmp_path).render("login.html", VALUES) == "own login"


@pytest.mark.parametrize(
    "source",
    [
        "{{ 1 // 0 }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ t.update({}) }}",
        "{% for a in 5 %}{% endfor %}",
        "{{ range(10 ** 9) }}",
    ],
)
def test_one_that_fails_on_a_visit_is_logged_and_ours_is_used(tmp_path, source, caplog):
    (tmp_path / "error.html").write_text(source)
    text, problems = render(tmp_path)
    assert problems == []
    assert "This does not work" in text
    assert "the template of error.html failed" in caplog.text
