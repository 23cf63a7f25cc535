"""
The audit log: who changed what about the server, kept apart from everything else.

``entry`` (what is recorded, redacted and bounded), ``chain`` (how entries are tied together),
``log`` (writing, retention, proof), ``search`` (reading). Entries of requests come from the
dispatcher (``web/audit``), those of commands and of the server itself from ``server/audit``.
Spec: server/audit-log-p2.
"""
