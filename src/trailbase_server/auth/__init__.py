"""
Who people are: accounts, log-in, tokens, sessions.

Reading order: ``users`` and ``addresses`` (the row), ``identifiers``, ``lookalikes`` and
``password`` (what may be in it), ``keys`` and ``tokens`` (what is signed), ``sessions``,
``one_time_codes`` and ``factors`` (what is stored besides), ``cookies``, ``authenticate`` (from a
request to an identity), ``state`` (what handlers get), ``options`` (what the configuration says).

One module per flow: ``login`` and ``login_mfa``, ``code_exchange`` with ``used_codes``,
``refresh`` with ``rotation``, ``status``, ``logout``, ``own_sessions``; ``register``,
``verify_email``, ``anonymous``, ``otp``; ``change_password``, ``reset_password``, ``change_email``,
``change_username``, ``second_factor`` with ``recovery``, ``avatar`` with ``pictures/``, ``delete``;
``oauth/`` for accounts from elsewhere. ``accounts`` are the same things for the command line.

Shared by them: ``fields`` (bodies and queries), ``redirects``, ``replies``, ``sign_in`` (the last
step of every log-in), ``letters`` (mails and their tokens), ``csrf``, ``lockout``, ``limits``,
``address_limit``, ``background`` (answers whose time tells nothing), ``totp`` (codes). ``upkeep``
tidies up.

A request enters in ``routes``. Spec: auth.md.
"""
