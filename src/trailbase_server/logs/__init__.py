"""
The access log: one row per answered request in ``logs.db``.

``store`` (a bounded queue and the thread that writes it), ``redact`` (what must not be written).
``web.dispatch`` hands over entries; nothing else enters here. Spec: server/access-log-rows.
"""
