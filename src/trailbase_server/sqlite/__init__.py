"""
SQLite as a database of ours: inline reads under a budget, a pool for the slow ones, writes in
turns.

``open`` (one connection, all its settings with their reasons), ``errors`` (engine errors →
``db.errors``), ``readers`` (reads where you are), ``turns`` (the one writer and its group commit),
``changes`` (row changes of committed jobs), ``checkpoint`` (a WAL that stays small), ``database``
(all of it as one ``db.base.Database``); ``functions`` (the SQL functions of a depot) with
``arguments``, ``geometry``, ``regexp``, ``geoip`` and ``vectors``. Spec:
sqlite/files-connections-pragmas, sqlite/sql-functions; design note 0001.
"""
