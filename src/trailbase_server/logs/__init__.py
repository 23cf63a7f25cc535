"""
The access log: one row per answered request in ``logs.db``.

Writing: ``store`` (a bounded queue and its thread), ``keep`` (which entries), ``rows`` (entries to
statements), ``redact`` (what must not be written), ``batch`` (the transaction), ``removal`` (what
goes again). Reading: ``pages``, ``stats``. Lines for collectors: ``stream``, ``lines``.
``web.dispatch`` and ``web.front_door`` hand over entries (``web.log_entry``) of bounded size
(``web.shorten``); nothing else enters here. Spec: server/access-log-rows.
"""
