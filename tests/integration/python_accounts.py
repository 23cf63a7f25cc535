"""
Everything that the published Python client has for accounts, with a mailbox that is read.

``python python_accounts.py URL MAILS`` prints what ``python_client.py`` prints. The server's auth
tokens live for 62 seconds: the client exchanges them when they have less than 60 left.
"""

import email
import email.policy
import json
import re
import sys
import time
from pathlib import Path

from python_client import run
from trailbase import Client, FetchException, Filter, Tokens

AUTH = "api/auth/v1"
PASSWORD = "tulip-and-rope-9"
SHORT_S = 3  # after which an auth token has less than a minute left


class Scenarios:
    def __init__(self, url, mails):
        self.url = url
        self.mails = Path(mails)

    def new_name(self):
        return f"py{time.time_ns()}"

    def mailed(self, address, pattern):
        """What the newest mail to an address says."""
        for _ in range(500):
            for path in sorted(self.mails.glob("*.json"), reverse=True):
                mail = json.loads(path.read_text())
                if mail["to"] == [address]:
                    message = email.message_from_string(
                        mail["content"], policy=email.policy.default
                    )
                    found = re.search(pattern, message.get_body(("plain",)).get_content())
                    if found:
                        return found[1]
            time.sleep(0.02)
        raise AssertionError(f"no mail to {address}")

    def confirm(self, address):
        path = self.mailed(address, r"https?://[^/\s]+/(api/auth/v1/verify_email/confirm/\S+)")
        return Client(self.url).fetch(path, throwOnError=False)

    def new_user(self):
        """Register somebody and log them in."""
        name = self.new_name()
        address = f"{name}@harbour.test"
        Client(self.url).register(PASSWORD, email=address, username=name)
        assert self.confirm(address).status_code == 200
        client = Client(self.url)
        assert client.login(address, PASSWORD) is None
        return client

    def status_of(self, function, *args, **more):
        try:
            function(*args, **more)
        except FetchException as exc:
            return exc.status
        return 200

    def register_confirm_and_log_in(self):
        name = self.new_name()
        address = f"{name}@harbour.test"
        client = Client(self.url)
        assert client.site() == self.url
        client.register(PASSWORD, email=address, username=name)
        assert client.tokens() is None
        assert self.status_of(client.login, address, PASSWORD) == 401
        assert self.confirm(address).status_code == 200
        for typed in (address, address.upper(), name):
            client.login(typed, PASSWORD)
            assert (client.user().email, client.user().username) == (address, name)
        client.logout()
        assert client.user() is None

    def registering_tells_nobody_who_is_here(self):
        client = self.new_user()
        taken = client.user()
        nobody = Client(self.url)
        nobody.register("another-password", email=taken.email, username=taken.username)
        assert self.status_of(nobody.login, taken.email, "another-password") == 401
        assert (
            self.status_of(nobody.register, PASSWORD, email="x@y.test", password_repeat="z") == 400
        )
        assert self.status_of(nobody.register, PASSWORD, email="nobody") == 400
        assert self.status_of(nobody.register, "short", email="x@y.test") == 400
        assert self.status_of(nobody.register, PASSWORD) == 400

    def a_target_goes_along_with_the_mail(self):
        name = self.new_name()
        address = f"{name}@harbour.test"
        client = Client(self.url)
        register = {"email": address, "redirect_uri": "/welcome"}
        assert self.status_of(client.register, PASSWORD, **register) == 303
        answer = self.confirm(address)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/welcome")
        foreign = {"email": address, "redirect_uri": "https://foreign.test/"}
        assert self.status_of(client.register, PASSWORD, **foreign) == 400

    def a_code_by_mail_logs_in_once(self):
        address = self.new_user().user().email
        client = Client(self.url)
        client.request_otp(address)
        code = self.mailed(address, r"\n([A-Z0-9]{6})\s")
        client.login_otp(address, code)
        assert client.user().email == address
        assert client.refresh_auth_tokens(force=True)
        assert self.status_of(Client(self.url).login_otp, address, code) == 401

    def an_anonymous_account_is_promoted_with_what_it_owns(self):
        client = Client(self.url)
        client.login_anonymously()
        before, tokens = client.user(), client.tokens()
        boat = client.records("boats").create({"owner": before.id, "name": "Nautilus"})
        address = f"{self.new_name()}@harbour.test"
        client.promote_anonymous(PASSWORD, email=address)
        # The session rests until the address is confirmed.
        client.refresh_auth_tokens(force=True)
        assert client.tokens() is None
        assert self.status_of(client.login, address, PASSWORD) == 401
        assert self.confirm(address).status_code == 200
        again = Client(self.url, tokens)
        assert again.refresh_auth_tokens(force=True)
        assert again.user().email == address
        client.login(address, PASSWORD)
        assert client.user().id == before.id
        assert client.user().username is None
        assert client.records("boats").read(boat)["owner"] == before.id
        client.records("boats").update(boat, {"name": "Argo"})

    def promotion_may_name_the_account_and_happens_once(self):
        client, name = Client(self.url), self.new_name()
        client.login_anonymously()
        taken = self.new_user().user().username
        address = f"{name}@harbour.test"
        assert self.status_of(client.promote_anonymous, PASSWORD, address, taken) == 400
        assert self.status_of(client.promote_anonymous, "short", address, name) == 400
        assert self.status_of(client.promote_anonymous, PASSWORD, None, name) == 400
        client.promote_anonymous(PASSWORD, email=address, username=name)
        # The session rests now: with a refresh token the client might try to use it.
        bare = Client(self.url, Tokens(client.tokens().auth, None, None))
        assert self.status_of(bare.promote_anonymous, PASSWORD, address, name) == 424
        self.confirm(address)
        client.login(name, PASSWORD)

    def tokens_are_exchanged_in_time(self):
        client = self.new_user()
        first = client.tokens()
        time.sleep(SHORT_S)
        assert client.fetch(f"{AUTH}/status").status_code == 200
        assert client.tokens().auth != first.auth
        assert client.tokens().refresh == first.refresh
        # Without anything to exchange, the client goes on with what it has.
        bare = Client(self.url, Tokens(first.auth, None, None))
        assert not bare.refresh_auth_tokens(force=True)
        assert bare.fetch(f"{AUTH}/sessions").status_code == 200

    def log_out_without_a_session_ends_all(self):
        client, other = self.new_user(), Client(self.url)
        other.login(client.user().email, PASSWORD)
        bare = Client(self.url, Tokens(client.tokens().auth, None, None))
        bare.logout()
        assert bare.tokens() is None
        for left in (client, other):
            left.refresh_auth_tokens(force=True)
            assert left.tokens() is None

    def log_out_ends_one_session(self):
        client, other = self.new_user(), Client(self.url)
        other.login(client.user().email, PASSWORD)
        client.logout()
        assert other.refresh_auth_tokens(force=True)
        assert other.tokens() is not None
        client.logout()  # of nobody

    def an_account_leaves_with_its_rows(self):
        client = self.new_user()
        me = client.user().id
        client.records("boats").create({"owner": me, "name": f"of {me}"})
        entry = client.records("log_entries").create({"writer": me, "body": f"by {me}"})
        assert client.fetch(f"{AUTH}/delete", method="DELETE").status_code == 200
        assert self.status_of(Client(self.url).login, client.user().email, PASSWORD) == 401
        client.refresh_auth_tokens(force=True)
        assert client.tokens() is None
        nobody = Client(self.url)
        assert nobody.records("boats").list(filters=[Filter("name", f"of {me}")]).records == []
        assert nobody.records("log_entries").read(entry)["writer"] is None

    def an_account_that_is_held_stays(self):
        client = self.new_user()
        debts = client.records("debts")
        debt = debts.create({"debtor": client.user().id, "amount": 7})
        boats = client.records("boats")
        boat = boats.create({"owner": client.user().id, "name": "Erebus"})
        assert self.status_of(client.fetch, f"{AUTH}/delete", method="DELETE") == 400
        assert client.refresh_auth_tokens(force=True)
        assert boats.read(boat)["name"] == "Erebus"
        debts.delete(debt)
        client.fetch(f"{AUTH}/delete", method="DELETE")
        assert self.status_of(boats.read, boat) == 404

    def a_new_password_ends_the_other_sessions(self):
        client, other = self.new_user(), Client(self.url)
        address = client.user().email
        other.login(address, PASSWORD)
        change = {"old_password": PASSWORD, "new_password": "upper-deck-7"}
        client.fetch(f"{AUTH}/change_password", method="POST", data=change)
        assert client.refresh_auth_tokens(force=True)
        assert client.tokens() is not None
        other.refresh_auth_tokens(force=True)
        assert other.tokens() is None
        assert self.status_of(other.login, address, PASSWORD) == 401
        other.login(address, "upper-deck-7")

    def a_forgotten_password_is_set_anew(self):
        client = self.new_user()
        address = client.user().email
        nobody = Client(self.url)
        nobody.fetch(f"{AUTH}/reset_password/request", method="POST", data={"email": address})
        token = self.mailed(address, r"reset_password/update/(eyJ[\w.-]+)")
        new = {"password": "upper-deck-7", "password_repeat": "upper-deck-7"}
        new["password_reset_token"] = token
        update = f"{AUTH}/reset_password/update"
        nobody.fetch(update, method="POST", data=new)
        assert self.status_of(nobody.fetch, update, method="POST", data=new) == 401
        client.refresh_auth_tokens(force=True)
        assert client.tokens() is None
        nobody.login(address, "upper-deck-7")


HELPERS = {"new_name", "new_user", "status_of"}
NAMES = [
    name
    for name in vars(Scenarios)
    # Helpers of one word aside; and Python's own.
    if "_" in name and name[0] != "_" and name not in HELPERS
]

if __name__ == "__main__":
    run(Scenarios(*sys.argv[1:]), NAMES)
