"""
The schema model: tables and views as immutable values, read from the DDL text that SQLite stores.

Text → model: ``lexer`` (tokens), ``cursor`` (a walk over them), ``canonical`` (expressions in one
spelling), ``columns`` and ``parser`` (definitions), ``select`` and ``views`` (where a view's
columns come from), ``introspect`` (a whole database → ``Catalog``). Model → text: ``render``.

Meaning: ``checks`` (what a CHECK promises), ``roles`` (keys, references, JSON, files, geometry),
``json_schema`` (the schema endpoint's documents), ``builtin`` and ``registry`` (named JSON
schemas), ``wire`` (the admin API's shapes). ``model`` holds the values; ``email``, ``geometry`` and
``json_text`` check values of columns. Spec: sqlite/schema-model, sqlite/views-column-inference.
"""
