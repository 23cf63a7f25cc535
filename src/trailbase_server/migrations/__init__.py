"""
Schema migrations: SQL files that run once, in the order of their numbers, and the record of it.

``migration`` (one file: name, number, checksum), ``embedded`` (the system's own files in
``system/``), ``files`` (the user's files on disk), ``applied`` (the history table), ``plan`` (what
has to run, and what forbids it: pure), ``script`` (one script, with the place of a failure),
``runner`` (all of it on a connection). Spec: server/migrations-and-system-tables.
"""
