"""A batch is written as a whole or not at all, on the table of a real depot."""

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trailbase_server.logs.batch import write_batch
from trailbase_server.logs.redact import redact_url
from trailbase_server.logs.rows import METHODS, Inserts

ENTRIES = st.lists(
    st.tuples(
        st.floats(0, 2e9),
        st.sampled_from((200, 404)),
        st.sampled_from(("GET", "POST", "BREW")),
        st.sampled_from(("/a", "/b?token=c", "/api/auth/v1/verify_email/confirm/x", "/eyJa.b.c")),
        st.floats(0, 1e6),
        st.sampled_from(("", "192.0.2.7")),
        st.sampled_from((b"", b"/\xff?code=a")),
        st.binary(max_size=3),
        st.none() | st.binary(min_size=16, max_size=16),
        st.just(b"trail.test"),
        st.just("1.1"),
        st.sampled_from(("", "abc")),
        st.none(),
    ),
    max_size=40,
)


def expected(entry):
    created, status, method, url, latency, address, referer, agent, user, _, _, request_id, _ = (
        entry
    )
    return (
        *(created, status, method if method in METHODS else "Unknown", redact_url(url), latency),
        *(address, redact_url(referer.decode("latin-1")), agent.decode("latin-1"), user),
        f'{{"request_id":"{request_id}"}}' if request_id else None,
    )


def entry(url="/"):
    return (1.5, 200, "GET", url, 0.25, "", b"", b"", None, b"", "1.1", "", None)


@given(entries=ENTRIES, times=st.sampled_from((1, 7)))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_rows_are_the_entries_in_their_order(log, entries, times):
    log.read("DELETE FROM _logs")
    write_batch(log.connection, Inserts(), entries * times)
    found = log.read(
        "SELECT created, status, method, url, latency, client_ip, referer, user_agent, user_id,"
        " data FROM _logs ORDER BY id"
    )
    assert found == [expected(one) for one in entries * times]


def test_the_indexes_know_every_row(log):
    write_batch(log.connection, Inserts(), [entry()] * 1_000)
    assert log.read("PRAGMA integrity_check") == [("ok",)]
    by_status = "SELECT count(*) FROM _logs INDEXED BY __logs__status_index WHERE status = 200"
    assert log.read(by_status) == [(1_000,)]


def test_a_batch_that_fails_leaves_nothing(log):
    log.add("/before")
    log.read(
        "CREATE TRIGGER refuse BEFORE INSERT ON _logs WHEN new.url = '/bad'"
        " BEGIN SELECT raise(ABORT, 'no'); END"
    )
    with pytest.raises(apsw.ConstraintError):
        write_batch(log.connection, Inserts(), [entry()] * 200 + [entry("/bad")])
    log.connection.close()
    other = apsw.Connection(str(log.files.path))
    assert other.execute("SELECT url FROM _logs").fetchall() == [("/before",)]
    other.close()
