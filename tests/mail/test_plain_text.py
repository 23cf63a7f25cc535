"""HTML bodies as plain text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.mail.plain_text import render_plain_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("plain", "plain"),
        ("<p>high</p>", "high"),
        ("<p>one</p><p>two\n  lines</p>", "one\n\ntwo lines"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<ul><li>x</li><li>y</li></ul>", "- x\n- y"),
        ('<a href="https://a.test/?x=1&amp;y=2">Go</a>!', "Go <https://a.test/?x=1&y=2>!"),
        ('<a href="https://a.test">https://a.test</a>', "https://a.test"),
        ('<a href="https://a.test"><img src=x alt=""></a>', "https://a.test"),
        ('<a href="javascript:alert(1)">Go</a>', "Go"),
        ('<a href="/path">Go</a> <a>there</a>', "Go there"),
        ("<head><title>T</title><style>b{}</style></head><body>B</body>", "B"),
        ("<title>T</title>B", "B"),
        ("<script>alert('<p>')</script>x", "x"),
        ("1 &lt; 2 &amp;&nbsp;3", "1 < 2 &\xa03"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<img alt='a bird'>", "a bird"),
        ("x <!-- hidden --> y", "x y"),
        ("<![x]>y &lt;", "y <"),
        ("<![x[ y", "<![x[ y"),
        ("", ""),
    ],
)
def test_text_of(html, text):
    assert render_plain_text(html) == text + "\n"


_TAGS = ["p", "a href='https://x.test'", "br", "/p", "/a", "script", "/script", "head", "/head"]
_HTML = st.lists(
    st.one_of(
        st.sampled_from([f"<{tag}>" for tag in _TAGS]),
        st.sampled_from(["<!", "<![", "<?", "<", ">", "&", "&#", "&lt;", "--", "]]>", "</", "\n"]),
        st.text(max_size=5),
    ),
    max_size=20,
).map("".join)


@given(_HTML)
def test_any_text_can_be_read(html):
    text = render_plain_text(html)
    assert text.endswith("\n")
    assert "\n\n\n" not in text


@given(st.text(alphabet=st.characters(exclude_characters="<&", exclude_categories=("Cc", "Cs"))))
def test_words_without_markup_stay(words):
    assert render_plain_text(words).split() == words.split()
