"""The words of the pages: ours, and those of a depot."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.auth.pages.templates import BUILT_IN
from trailbase_server.auth.pages.texts import Texts, built_in_words, fill


def test_words_of_a_depot_come_first(tmp_path):
    (tmp_path / "texts.toml").write_text('lang = "de"\n[login]\ntitle = "Anmelden"\n')
    texts = Texts(tmp_path)
    assert texts.problems == []
    words = texts.choose(None)
    assert (words["lang"], words["login.title"]) == ("de", "Anmelden")
    assert words["login.submit"] == "Log in"


def test_a_visitor_gets_the_preferred_language(tmp_path):
    (tmp_path / "texts.fr.toml").write_text('[login]\ntitle = "Connexion"\n')
    (tmp_path / "texts.pt-BR.toml").write_text('[login]\ntitle = "Entrar"\n')
    texts = Texts(tmp_path)
    for accepted, title in (
        ("fr", "Connexion"),
        ("fr-CA,en;q=0.5", "Connexion"),
        ("de,fr;q=0.4", "Connexion"),
        ("en;q=0.2, PT-br;q=0.9", "Entrar"),
        ("fr;q=0, en", "Log in"),
        ("de", "Log in"),
        ("*", "Log in"),
        ("fr;q=x", "Log in"),
        (None, "Log in"),
    ):
        assert texts.choose(accepted)["login.title"] == title, accepted


@given(st.text(max_size=60))
def test_no_header_is_too_odd(accepted):
    assert Texts().choose(accepted) == built_in_words()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('[login]\ntitel = "x"\n', ":2: login.titel: no such text"),
        ("[login]\ntitle = 3\n", ":2: login.title: no such text, or not a text"),
        ('[login]\ntitle = "x\n', "line 2"),
        ('lang = "<b>"\n', ":1: lang"),
        ("\xff", "utf-8"),
        ("x" * 300_000, "larger than"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_costs_only_itself(tmp_path, content, problem):
    (tmp_path / "texts.toml").write_bytes(content.encode("latin-1"))
    (tmp_path / "texts.fr.toml").write_text('[login]\nsubmit = "Entrer"\n')
    texts = Texts(tmp_path)
    assert len(texts.problems) == 1
    assert str(tmp_path / "texts.toml") in texts.problems[0]
    assert problem in texts.problems[0]
    assert texts.choose("fr")["login.submit"] == "Entrer"
    assert texts.default["login.title"] == "Log in"


def test_a_file_that_is_no_language_is_told(tmp_path):
    (tmp_path / "texts.x.toml").write_text("")
    assert "texts.<language>.toml" in Texts(tmp_path).problems[0]


def test_filling_in_is_done_once():
    assert fill("{a} {b} {c}", a="{b}", b=2) == "{b} 2 {c}"
    assert fill("{a.__class__} {0} {}", a="x") == "{a.__class__} {0} {}"


def test_every_text_that_a_template_asks_for_is_there():
    sources = "".join(path.read_text() for path in BUILT_IN.glob("*.html"))
    asked = set(re.findall(r't\["([a-z_.]+)"\]', sources)) - {"lang"}
    assert asked <= set(built_in_words())
    for path in BUILT_IN.glob("*.html"):
        if path.stem not in ("base", "form") and not path.stem.startswith("passkey"):
            assert f"{path.stem}.title" in built_in_words()
            assert f"{path.stem}.heading" in built_in_words()
