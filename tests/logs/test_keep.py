"""What is written of the access log: all, a sample, or nothing."""

from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.logs.keep import KEEP_ALL, Keep


def entry(url="/", status=200):
    return (0.0, status, "GET", url, 0.1, "", b"", b"", None, b"", "1.1", "", None)


def urls(entries):
    return [one[3] for one in entries]


def test_everything_is_written_unless_something_else_is_wanted():
    entries = [entry("/a"), entry("/b")]
    assert KEEP_ALL(entries) == entries


def test_paths_are_excluded_as_a_whole_or_by_their_beginning():
    keep = Keep(excluded=("/api/healthcheck", "/assets/*"))
    entries = [
        entry(url)
        for url in ("/api/healthcheck", "/api/healthcheck?x=/", "/api/healthchecks", "/assets/a.js")
    ]
    assert urls(keep(entries)) == ["/api/healthchecks"]


def test_only_whole_paths_are_excluded_where_no_beginning_is():
    assert urls(Keep(excluded=("/a",))([entry("/a"), entry("/ab")])) == ["/ab"]


@given(st.floats(0, 1), st.integers(0, 300))
def test_a_sample_is_as_large_as_was_asked_for(share, count):
    kept = Keep(share=share)([entry(f"/{n}") for n in range(count)])
    assert abs(len(kept) - share * count) <= 1


def test_errors_are_always_in_the_sample():
    keep = Keep(share=0.0)
    assert urls(keep([entry("/a"), entry("/b", 500), entry("/c", 404)])) == ["/b", "/c"]


def test_nothing_is_written_when_the_log_is_off():
    assert Keep(disabled=True)([entry("/b", 500)]) == []
