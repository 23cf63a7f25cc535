"""
Hostile requests to every operation of a server in its own process.

``hostile`` makes requests, ``campaign`` sends them and judges the answers: never 500, never silent,
never a traceback, and a body that is what its type says. ``scripts/fuzz`` runs one for minutes,
``tests/security/test_fuzz.py`` for some seconds, always the same one.
"""
