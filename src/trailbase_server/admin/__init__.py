"""
The admin API: what the dashboard and operators change while the server runs.

``routes`` (the operations), ``config`` (reading and replacing the configuration), ``tables`` and
``info`` (looking around), ``state`` (what handlers need). All of them demand an administrator and a
CSRF token. Spec: admin-api/conventions.
"""
