"""
What the published Python client does with the server; run by the interpreter it is installed in.

``python python_client.py URL`` prints one JSON object: per scenario an empty text or a traceback.
"""

import base64
import hmac
import json
import signal
import sys
import time
import traceback

from trailbase import (
    And,
    Client,
    CompareOp,
    DeleteEvent,
    FetchException,
    Filter,
    InsertEvent,
    Or,
    UpdateEvent,
)

ODD = "=?&/\\^ %äß"
ABSENT = "AZOl1MAAcACAAAAAAAAAAA=="
FILES = "api/records/v1/{api}/{record}/{kind}/{name}"
PATIENCE_S = 20  # a stream that says nothing waits for ever


class Scenarios:
    def __init__(self, url):
        self.url = url

    def login(self, name="admin@localhost"):
        client = Client(self.url)
        assert client.login(name, "secret") is None
        return client

    def table(self):
        return self.login().records("simple_strict_table")

    def status_of(self, function, *args):
        try:
            function(*args)
        except FetchException as exc:
            return exc.status
        return 200

    def a_log_in_carries_the_claims(self):
        client = self.login()
        user = client.user()
        assert user.email == "admin@localhost"
        assert user.username == "admin"
        assert len(user.id) == 24
        assert client.tokens().valid()
        assert self.login("admin").user().id == user.id

    def a_wrong_password_is_refused(self):
        assert self.status_of(Client(self.url).login, "0@localhost", "wrong") == 401

    def an_unverified_user_is_refused(self):
        assert self.status_of(Client(self.url).login, "1@localhost", "secret") == 401

    def refreshing_works_twice_and_not_after_log_out(self):
        client = self.login()
        first = client.tokens()
        for _ in range(2):
            assert client.refresh_auth_tokens(force=True)
            assert client.tokens().refresh == first.refresh
        client.logout()
        assert client.tokens() is None
        assert not client.refresh_auth_tokens()
        late = Client(self.url, first)
        late.refresh_auth_tokens(force=True)
        assert late.tokens() is None

    def a_later_log_in_has_another_token(self):
        first = self.login().tokens().auth
        time.sleep(1.5)
        assert self.login().tokens().auth != first

    def status_returns_the_tokens(self):
        client = self.login()
        answer = client.fetch("api/auth/v1/status").json()
        assert answer["refresh_token"] == client.tokens().refresh
        assert answer["auth_token"]
        assert Client(self.url).fetch("api/auth/v1/status").json()["auth_token"] is None

    def a_second_factor_ends_the_log_in(self):
        client = Client(self.url)
        pending = client.login("alice@trailbase.io", "secret")
        assert pending is not None
        assert client.tokens() is None
        assert self.status_of(client.login_second, pending, "12345") == 401
        client.login_second(pending, one_time_code("YCUTAYEZ346ZUEI7FLCG57BOMZQHHRA5"))
        assert client.user().email == "alice@trailbase.io"
        assert client.refresh_auth_tokens(force=True)

    def anonymous_accounts_are_promoted_once(self):
        assert self.status_of(Client(self.url).promote_anonymous, "tulip-and-rope-9") == 401
        client = Client(self.url)
        client.login_anonymously()
        assert client.user().username.startswith("anon")
        assert client.user().email is None
        assert client.refresh_auth_tokens(force=True)
        address = f"test_py_{time.time_ns()}@test.org"
        client.promote_anonymous("tulip-and-rope-9", email=address)
        assert self.status_of(client.promote_anonymous, "tulip-and-rope-9", address) == 424
        client.logout()
        assert client.tokens() is None

    def codes_by_mail_are_told_nobody_and_not_guessed(self):
        client = Client(self.url)
        for who in ("nobody@localhost", "nobody", "admin"):
            client.request_otp(who)
        assert self.status_of(client.login_otp, "admin@localhost", "AAAAAA") == 401
        assert self.status_of(client.request_otp, "admin") == 429

    def records_are_created_read_changed_and_deleted(self):
        table = self.table()
        record_id = table.create({"text_null": ODD, "text_not_null": ODD})
        assert len(record_id.id) == 24
        assert record_id.id.endswith("==")
        record = table.read(record_id)
        assert record["id"] == record_id.id
        assert record["text_null"] == record["text_not_null"] == ODD
        assert (record["int_default"], record["real_not_null"]) == (5, 7.1)
        assert record["blob_default"] == "qrvM3Q=="
        table.update(record_id, {"text_not_null": "new", "int_null": 3})
        record = table.read(record_id)
        assert (record["text_null"], record["text_not_null"], record["int_null"]) == (ODD, "new", 3)
        table.delete(record_id)
        assert self.status_of(table.read, record_id) == 404

    def bulk_creation_returns_all_ids(self):
        table = self.table()
        ids = table.create_bulk([{"text_not_null": f"bulk {n}"} for n in range(2)])
        assert [table.read(i)["text_not_null"] for i in ids] == ["bulk 0", "bulk 1"]

    def lists_filter_order_count_and_page(self):
        table = self.table()
        now = f"py {time.time_ns()}"
        for text in ("a", "b", "c"):
            table.create({"text_not_null": f"{text} =?&{now}"})
        exact = [Filter("text_not_null", f"a =?&{now}")]
        found = table.list(filters=exact)
        assert len(found.records) == 1
        assert found.total_count is None
        assert found.cursor
        assert table.list(filters=exact, cursor=found.cursor).records == []
        like = [Filter("text_not_null", f"% =?&{now}", CompareOp.LIKE)]
        up = table.list(filters=like, order=["+text_not_null"], count=True)
        assert up.total_count == 3
        assert [r["text_not_null"][0] for r in up.records] == ["a", "b", "c"]
        down = table.list(filters=like, order=["-text_not_null"], limit=1, count=True)
        assert down.total_count == 3
        assert [r["text_not_null"][0] for r in down.records] == ["c"]
        assert len(down.records[0]) == 13
        second = table.list(filters=like, order=["-text_not_null"], limit=1, offset=1)
        assert second.records[0]["text_not_null"][0] == "b"

    def filters_combine(self):
        movies = Client(self.url).records("movies")
        both = [Filter("watch_time", "120", CompareOp.LESS_THAN)]
        both.append(Filter("description", "%love%", CompareOp.LIKE))
        found = movies.list(order=["rank"], limit=3, filters=both)
        assert [r["rank"] for r in found.records] == [2, 3, 4]
        either = Or([Filter("rank", "1"), Filter("rank", "5")])
        assert [r["rank"] for r in movies.list(order=["rank"], filters=[either]).records] == [1, 5]
        nested = And(
            [
                Or([Filter("rank", "1"), Filter("rank", "5")]),
                Filter("rating", "5", CompareOp.GREATER_THAN),
            ]
        )
        assert [r["rank"] for r in movies.list(filters=[nested]).records] == [1]
        assert len(movies.list(filters=[Filter.is_null("gross")]).records) == 2
        assert len(movies.list(filters=[Filter.is_not_null("gross")]).records) == 3

    def views_are_read(self):
        client = self.login()
        text = f"seen by Python {time.time_ns()}"
        record_id = client.records("simple_strict_table").create({"text_null": text})
        whole = client.records("simple_complete_view").read(record_id)
        assert (whole["id"], whole["text_null"]) == (record_id.id, text)
        part = client.records("simple_subset_view").read(record_id)
        assert part == {"id": record_id.id, "t_null": text, "t_default": "", "t_not_null": ""}
        listed = client.records("simple_subset_view").list(filters=[Filter("t_null", text)])
        assert listed.records == [part]
        assert listed.cursor is None

    def references_expand(self):
        comments = Client(self.url).records("comment")
        plain = comments.read(1)
        assert plain["post"] == {"id": 1}
        assert plain["author"] == {"id": 2}
        expanded = comments.read("1", expand=["post"])
        assert expanded["post"]["data"]["title"] == "first post"
        assert "data" not in expanded["author"]
        both = comments.list(expand=["author", "post"], order=["-id"], limit=2, count=True)
        assert both.total_count == 2
        assert both.records[0]["author"]["data"] == {"id": 1, "name": "first"}
        second = comments.list(expand=["author", "post"], order=["-id"], limit=1, offset=1)
        assert second.records == both.records[1:]

    def batches_run(self):
        client = self.login()
        table = client.records("simple_strict_table")
        made = client.execute([table.create_op({"text_not_null": "batch"})]).results[0]
        assert table.read(made)["text_not_null"] == "batch"
        done = client.execute(
            [table.update_op(made, {"text_not_null": "changed"}), table.delete_op(made)],
            transaction=False,
        )
        assert [r.id for r in done.results] == [made.id, made.id]
        assert self.status_of(table.read, made) == 404

    def json_columns_take_objects(self):
        table = self.login().records("simple_schema_table")
        value = {"name": "Alice", "nested": {"deep": [1, 2.5, None]}}
        record_id = table.create({"data": value})
        assert record_id.id.isdecimal()
        assert table.read(record_id)["data"] == value
        table.update(int(record_id.id), {"data": {"name": "Bob"}})
        assert table.read(record_id)["data"] == {"name": "Bob"}
        assert self.status_of(table.create, {"data": {"nested": {}}}) == 400
        assert self.status_of(table.create, {"data": '{"name": "text"}'}) == 400
        other = self.login("0@localhost").records("simple_schema_table")
        assert self.status_of(other.create, {"data": value}) == 403

    def large_integers_survive(self):
        table = self.table()
        record_id = table.create({"int_not_null": 2**63 - 1})
        assert table.read(record_id)["int_not_null"] == 2**63 - 1
        assert self.status_of(table.create, {"int_not_null": 2**63}) == 400

    def mistakes_have_their_statuses(self):
        table = self.table()
        assert self.status_of(table.read, ABSENT) == 404
        assert self.status_of(table.update, ABSENT, {"int_null": 1}) == 404
        assert self.status_of(table.delete, ABSENT) == 404
        assert self.status_of(table.read, "InvalidId0123") == 400
        assert self.status_of(self.login().records("non-existent").read, ABSENT) == 405
        assert self.status_of(Client(self.url).records("simple_strict_table").list) == 403
        assert self.status_of(self.login().fetch, "api/nothing") == 404

    def download(self, api, record, kind, name):
        path = FILES.format(api=api, record=record, kind=kind, name=name)
        return Client(self.url).fetch(path)

    def files_go_up_and_down(self):
        for api in ("file_upload_table", "other_file_upload_table"):
            table = self.login().records(api)
            contents = [bytes(range(256)), b"x" * 500_000, b""]
            single, *several = [
                {
                    "data": base64.urlsafe_b64encode(content).decode(),
                    "filename": f"file {number}.txt",
                    "content_type": "text/plain",
                }
                for number, content in enumerate(contents)
            ]
            made = table.create({"single_file": single, "multiple_files": several})
            record = table.read(made)
            assert "id" not in record["single_file"]
            assert record["single_file"]["original_filename"] == "file 0.txt"
            assert record["single_file"]["content_type"] == "text/plain"
            assert self.download(api, made.id, "file", "single_file").content == contents[0]
            names = [f"multiple_files/{file['filename']}" for file in record["multiple_files"]]
            for name, content in zip(names, contents[1:], strict=True):
                assert self.download(api, made.id, "files", name).content == content
            kept = record["multiple_files"][1:]
            table.update(made, {"single_file": several[0], "multiple_files": kept})
            assert self.download(api, made.id, "file", "single_file").content == contents[1]
            assert self.download(api, made.id, "files", names[1]).content == contents[2]
            gone = [(api, made.id, "files", names[0]), (api, made.id, "file", "single_file")]
            assert self.status_of(self.download, *gone[0]) == 404
            table.delete(made)
            assert self.status_of(self.download, *gone[1]) == 404

    def a_table_tells_its_changes_in_order(self):
        client = self.login()
        table = client.records("simple_strict_table")
        stream = client.records("simple_strict_table").subscribe_all()
        # Nobody reads before everything is written.
        record_id = table.create({"text_not_null": "watched"})
        table.update(record_id, {"text_null": "changed"})
        table.delete(record_id)
        events = [next(stream) for _ in range(3)]
        assert [type(event) for event in events] == [InsertEvent, UpdateEvent, DeleteEvent]
        assert [event.seq for event in events] == [1, 2, 3]
        assert [event.value["id"] for event in events] == [record_id.id] * 3
        assert [event.value["text_null"] for event in events] == [None, "changed", "changed"]
        assert len(events[0].value) == 13
        stream.close()

    def a_record_tells_its_own_changes_and_ends_with_it(self):
        table = self.table()
        record_id = table.create({"text_not_null": "one"})
        stream = table.subscribe(record_id)
        table.create({"text_not_null": "another"})
        table.update(record_id, {"text_not_null": "two"})
        table.delete(record_id)
        events = list(stream)
        assert [type(event) for event in events] == [UpdateEvent, DeleteEvent]
        assert [event.seq for event in events] == [1, 2]
        assert events[0].value["text_not_null"] == "two"

    def filters_hold_for_events(self):
        client = self.login()
        table = client.records("simple_strict_table")
        path = "api/records/v1/simple_strict_table/subscribe/*"
        # ``subscribe_all`` takes no filters.
        context = client.stream(path, query_params={"filter[text_null]": "second"}, timeout=10)
        with context as response:
            assert response.status_code == 200
            record_id = table.create({"text_null": "first"})
            table.update(record_id, {"text_null": "second"})
            table.delete(record_id)
            data = (line[6:] for line in response.iter_lines() if line.startswith("data: "))
            events = [json.loads(next(data)) for _ in range(2)]
        assert [sorted(event) for event in events] == [["Update", "seq"], ["Delete", "seq"]]
        assert [event["seq"] for event in events] == [1, 2]
        with client.stream(path, query_params={"filter[nothing]": "1"}) as response:
            assert response.status_code == 400

    def who_may_not_read_may_not_listen(self):
        # Of a refused ``subscribe`` this version cannot even raise its error.
        def listen(client, api, record_id="*"):
            path = f"api/records/v1/{api}/subscribe/{record_id}"
            with client.stream(path, timeout=10) as response:
                return response.status_code

        nobody, client = Client(self.url), self.login()
        assert listen(nobody, "simple_strict_table") == 403
        assert listen(client, "movies") == 403
        assert listen(client, "no-api") == 405
        assert listen(client, "simple_strict_table", "InvalidId0123") == 400
        assert listen(client, "simple_strict_table", ABSENT) == 404

    def geometries_are_written_and_found(self):
        table = self.login().records("geometry")
        geom = {"type": "Point", "coordinates": [100.5, 1.25]}
        made = table.create({"description": "from Python", "geom": geom})
        read = table.read(made)["geom"]
        assert {key: read[key] for key in geom} == geom
        box = Filter("geom", "POLYGON ((100 1, 101 1, 101 2, 100 2, 100 1))", CompareOp.ST_WITHIN)
        assert [r["id"] for r in table.list(filters=[box]).records] == [int(made.id)]
        table.delete(made)


def one_time_code(secret):
    step = int(time.time()) // 30
    mac = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), "sha1")
    number = int.from_bytes(mac[mac[-1] & 15 :][:4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def run(scenarios, names):
    """Run scenarios and print what became of them."""
    signal.signal(signal.SIGALRM, give_up)
    outcome = {}
    for name in names:
        signal.alarm(PATIENCE_S)
        try:
            getattr(scenarios, name)()
            outcome[name] = ""
        except Exception:  # noqa: BLE001  # whatever it is, it is reported
            outcome[name] = traceback.format_exc()
        finally:
            signal.alarm(0)
    print(json.dumps(outcome))


def give_up(*_):
    raise TimeoutError


NAMES = (
    "a_log_in_carries_the_claims",
    "a_wrong_password_is_refused",
    "an_unverified_user_is_refused",
    "refreshing_works_twice_and_not_after_log_out",
    "a_later_log_in_has_another_token",
    "status_returns_the_tokens",
    "a_second_factor_ends_the_log_in",
    "anonymous_accounts_are_promoted_once",
    "codes_by_mail_are_told_nobody_and_not_guessed",
    "records_are_created_read_changed_and_deleted",
    "bulk_creation_returns_all_ids",
    "lists_filter_order_count_and_page",
    "filters_combine",
    "views_are_read",
    "references_expand",
    "batches_run",
    "json_columns_take_objects",
    "large_integers_survive",
    "mistakes_have_their_statuses",
    "files_go_up_and_down",
    "a_table_tells_its_changes_in_order",
    "a_record_tells_its_own_changes_and_ends_with_it",
    "filters_hold_for_events",
    "who_may_not_read_may_not_listen",
    "geometries_are_written_and_found",
)

if __name__ == "__main__":
    run(Scenarios(sys.argv[1]), NAMES)
