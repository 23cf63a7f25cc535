"""The queue of the access log and the thread that writes it, on a real database."""

import threading
import time

import apsw
import pytest

from trailbase_server.db.errors import ClosedError
from trailbase_server.logs.keep import Keep
from trailbase_server.logs.removal import ROWS_PER_BATCH
from trailbase_server.logs.store import MAX_BATCH, MAX_GATHERED, LogStore

SCHEMA = """
CREATE TABLE _logs (
  id INTEGER PRIMARY KEY, created REAL NOT NULL DEFAULT (UNIXEPOCH('subsec')),
  status INTEGER NOT NULL DEFAULT 0, method TEXT NOT NULL DEFAULT '', url TEXT NOT NULL DEFAULT '',
  latency REAL NOT NULL DEFAULT 0, client_ip TEXT NOT NULL DEFAULT '',
  referer TEXT NOT NULL DEFAULT '', user_agent TEXT NOT NULL DEFAULT '', user_id BLOB, data TEXT
) STRICT;
"""
USER = bytes(range(16))
CREATED = 1_800_000_000.5


def entry(url="/", method="GET", referer=b"", agent=b"kit/1", user_id=None, created=CREATED):
    return (
        *(created, 200, method, url, 0.25, "192.0.2.7", referer, agent, user_id),
        *(b"trail.test", "1.1", "", None),
    )


@pytest.fixture
def path(tmp_path):
    connection = apsw.Connection(str(tmp_path / "logs.db"))
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.execute(SCHEMA).fetchall()
    connection.close()
    return tmp_path / "logs.db"


def rows(path, columns="*"):
    connection = apsw.Connection(str(path))
    found = connection.execute(f"SELECT {columns} FROM _logs ORDER BY id").fetchall()
    connection.close()
    return found


class Factory:
    """Opens connections and counts them and their transactions."""

    def __init__(self, path):
        self.path = path
        self.opened = 0
        self.statements = []

    def __call__(self):
        self.opened += 1
        connection = apsw.Connection(str(self.path))
        connection.exec_trace = self._seen
        return connection

    def _seen(self, _cursor, sql, _bindings):
        self.statements.append(sql.split()[0])
        return True


@pytest.fixture
def factory(path):
    return Factory(path)


@pytest.fixture
def store(factory):
    store = LogStore(factory, flush_s=0.01)
    yield store
    store.close()


def test_a_row_holds_the_whole_entry(store, path):
    store.append(entry("/a?b=c", "POST", b"http://from.test/", user_id=USER))
    assert store.flush()
    assert rows(path) == [
        (
            1,
            1_800_000_000.5,
            200,
            "POST",
            "/a?b=c",
            0.25,
            "192.0.2.7",
            "http://from.test/",
            "kit/1",
            USER,
            None,
        )
    ]


def test_entries_keep_their_order(store, path):
    for number in range(1_234):
        store.append(entry(f"/{number}"))
    assert store.flush()
    assert rows(path, "url") == [(f"/{number}",) for number in range(1_234)]
    assert (store.waiting, store.dropped) == (0, 0)


def test_entries_are_written_without_being_asked_for(store, path):
    store.append(entry())
    deadline = time.monotonic() + 5
    while not rows(path) and time.monotonic() < deadline:
        time.sleep(0.005)
    assert len(rows(path)) == 1
    store.append(entry())
    while len(rows(path)) < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    assert len(rows(path)) == 2


def test_what_gathers_becomes_one_transaction(factory, path):
    store = LogStore(factory, flush_s=60)
    for _ in range(450):
        store.append(entry())
    store.close()
    assert factory.statements.count("BEGIN") == 1
    assert factory.statements.count("INSERT") == 3 + 2 + 2
    assert len(rows(path)) == 450


def test_many_entries_do_not_wait(factory, path):
    store = LogStore(factory, flush_s=60)
    store.append(entry())
    time.sleep(0.05)  # the thread waits for more
    for _ in range(MAX_GATHERED):
        store.append(entry())
    deadline = time.monotonic() + 5
    while store.waiting and time.monotonic() < deadline:
        time.sleep(0.005)
    assert store.waiting == 0
    store.close()
    assert len(rows(path)) == MAX_GATHERED + 1


def test_what_comes_while_a_batch_is_written_waits_for_more(path):
    written, store = [], None

    class Connection:
        def __init__(self):
            self.inner = apsw.Connection(str(path))
            self.close = self.inner.close

        def execute(self, sql, params=()):
            if sql == "COMMIT":
                written.append(len(rows(path)))
                if len(written) == 1:
                    store.append(entry("/meanwhile"))
            return self.inner.execute(sql, params)

    store = LogStore(Connection, flush_s=60)
    store.append(entry())
    store.flush()
    assert (store.waiting, len(rows(path))) == (1, 1)
    store.close()
    assert rows(path, "url") == [("/",), ("/meanwhile",)]


def test_what_has_piled_up_is_written_in_bounded_transactions(factory, path):
    opened = threading.Event()

    def connect():
        opened.wait(5)
        return factory()

    store = LogStore(connect, flush_s=60)
    for _ in range(MAX_BATCH + 1):
        store.append(entry())
    opened.set()
    store.close()
    assert len(rows(path)) == MAX_BATCH + 1
    assert factory.statements.count("BEGIN") >= 2


@pytest.mark.case("T-88")
def test_secrets_are_not_written(store, path):
    store.append(entry("/api/auth/v1/verify_email/confirm/abc", referer=b"/done?code=abc"))
    store.flush()
    assert rows(path, "url, referer") == [
        ("/api/auth/v1/verify_email/confirm/<redacted>", "/done?code=<redacted>")
    ]


def test_odd_methods_are_unknown(store, path):
    store.append(entry(method="BREW"))
    store.append(entry(method="PATCH"))
    store.flush()
    assert rows(path, "method") == [("Unknown",), ("PATCH",)]


@pytest.mark.case("T-88")
def test_a_full_queue_drops_and_counts(path):
    opened = threading.Event()

    def connect():
        opened.wait(5)
        return apsw.Connection(str(path))

    store = LogStore(connect, flush_s=0.0, max_waiting=10)
    store.append(entry("/first"))
    deadline = time.monotonic() + 5
    while store.waiting and time.monotonic() < deadline:
        time.sleep(0.001)
    for number in range(15):
        store.append(entry(f"/{number}"))
    assert (store.waiting, store.dropped) == (10, 5)
    assert not store.flush(timeout_s=0.01)
    opened.set()
    store.close()
    assert len(rows(path)) == 11


@pytest.mark.case("T-88")
def test_a_failed_write_drops_its_batch_and_goes_on(store, factory, path, caplog):
    store.append(entry("/before"))
    store.flush()
    connection = apsw.Connection(str(path))
    connection.execute("ALTER TABLE _logs RENAME TO away").fetchall()
    store.append(entry("/lost"))
    store.flush()
    connection.execute("ALTER TABLE away RENAME TO _logs").fetchall()
    connection.close()
    assert store.dropped == 1
    assert "Dropped 1 rows of the access log" in caplog.text
    store.append(entry("/after"))
    store.flush()
    assert rows(path, "url") == [("/before",), ("/after",)]
    assert factory.opened == 2


def test_a_text_that_cannot_be_stored_takes_only_its_batch(store, path, caplog):
    store.append(entry("/\ud800"))
    store.flush()
    store.append(entry("/good"))
    store.flush()
    assert rows(path, "url") == [("/good",)]
    assert store.dropped == 1


def test_a_database_that_cannot_be_opened_is_tried_again(tmp_path, path, caplog):
    answers = [apsw.CantOpenError("gone"), apsw.Connection(str(path))]

    def connect():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    store = LogStore(connect, flush_s=0.0)
    store.append(entry("/lost"))
    store.flush()
    store.append(entry("/kept"))
    store.close()
    assert rows(path, "url") == [("/kept",)]


def test_closing_writes_what_is_left_and_ends_the_thread(factory, path):
    store = LogStore(factory, flush_s=60)
    store.append(entry())
    store.close()
    store.close()
    store.append(entry())
    assert store.flush()
    assert store.dropped == 1
    assert len(rows(path)) == 1
    assert not any(thread.name == "logs" for thread in threading.enumerate())


def test_a_store_without_entries_opens_nothing(factory):
    store = LogStore(factory)
    assert store.flush()
    store.close()
    assert factory.opened == 0


def test_flushing_from_several_threads(store, path):
    def work():
        for _ in range(50):
            store.append(entry())
            assert store.flush()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rows(path)) == 200


def test_old_rows_are_deleted_in_batches_between_which_the_log_goes_on(store, factory, path):
    old = 2 * ROWS_PER_BATCH + 1
    for number in range(old):
        store.append(entry(created=CREATED - 1 - number))
    store.append(entry("/young"))
    store.append(entry("/younger", created=CREATED + 1))
    store.flush()
    assert store.delete_before(CREATED).result(5) == old
    assert rows(path, "url") == [("/young",), ("/younger",)]
    assert factory.statements.count("DELETE") == 4
    assert store.delete_before(CREATED).result(5) == 0
    store.append(entry("/later"))
    store.flush()
    assert len(rows(path)) == 3


def test_a_deletion_that_fails_is_told_to_who_asked(store, path, caplog):
    connection = apsw.Connection(str(path))
    connection.execute("DROP TABLE _logs").fetchall()
    connection.close()
    with pytest.raises(apsw.SQLError):
        store.delete_before(CREATED).result(5)
    assert "Failed to delete rows of the access log" in caplog.text


def test_a_closed_store_deletes_nothing(factory):
    store = LogStore(factory)
    store.close()
    with pytest.raises(ClosedError):
        store.delete_before(CREATED).result(5)


def test_what_is_not_to_be_kept_is_not_written(store, path):
    store.keep = Keep(excluded=("/health",))
    store.append(entry("/health?x"))
    store.append(entry("/healthy"))
    store.flush()
    store.keep = Keep(disabled=True)
    store.append(entry("/never"))
    store.flush()
    assert rows(path, "url") == [("/healthy",)]
    assert store.dropped == 0


def test_the_oldest_rows_go_when_the_database_is_too_large(factory, path):
    store = LogStore(factory, flush_s=0.0)
    for number in range(5 * ROWS_PER_BATCH):
        store.append(entry(f"/{number:0500}"))
        if number % 1_000 == 0:
            store.flush()
    store.flush()
    store.keep = Keep(max_bytes=3_000_000)
    store._size_looked_at = float("-inf")
    store.append(entry("/newest", created=CREATED + 1))
    store.flush()
    deadline = time.monotonic() + 5
    while len(rows(path)) > 3 * ROWS_PER_BATCH and time.monotonic() < deadline:
        time.sleep(0.01)
    store.close()
    left = len(rows(path))
    assert 0 < left <= 3 * ROWS_PER_BATCH
    assert rows(path, "url")[-1] == ("/newest",)


def test_the_last_failure_is_told_until_a_batch_is_written(path):
    store = LogStore(Factory(path), flush_s=0.0)
    path.rename(path.with_name("away.db"))
    for name in ("logs.db-wal", "logs.db-shm"):
        path.with_name(name).unlink(missing_ok=True)
    store.append(entry())
    store.flush()
    assert "no such table" in store.last_failure[1]
    assert store.dropped == 1
    path.with_name("away.db").replace(path)
    store.append(entry("/again"))
    store.flush()
    assert store.last_failure is None
    store.close()
    assert rows(path, "url") == [("/again",)]


def test_a_file_that_was_replaced_is_written_after_reopening(path):
    factory = Factory(path)
    store = LogStore(factory, flush_s=0.0)
    store.append(entry())
    store.flush()
    store.reopen()
    store.append(entry())
    store.flush()
    store.close()
    assert factory.opened == 2
