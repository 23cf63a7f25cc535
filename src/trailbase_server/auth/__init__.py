"""
Who people are: accounts, log-in, tokens, sessions.

Reading order: ``users`` (the row), ``identifiers`` and ``password`` (what may be in it), ``keys``
and ``tokens`` (what is signed), ``sessions`` (what is stored), ``cookies``, ``authenticate`` (from
a request to an identity), ``state`` (what handlers get). Then one module per operation: ``login``,
``code_exchange``, ``refresh``, ``status``, ``logout``, ``register``, ``change_password``,
``delete``; ``accounts`` are the same things for the command line. Shared by the handlers:
``fields`` (bodies and queries), ``redirects``, ``lockout``, ``csrf``, ``replies``.

A request enters in ``routes``. Spec: auth.md.
"""
