"""
The schema model: tables and views as immutable values, read from the DDL text that SQLite stores.

``model`` (the values), ``lexer`` and ``parser`` (DDL text → model), ``render`` (model → canonical
DDL), ``views`` (columns of views), ``introspect`` (a whole database → ``Catalog``), ``roles`` (what
a column means to a record API), ``json_schema`` (the schema endpoint). Beside them, what values of
columns have to be: ``registry`` (named JSON schemas) with ``builtin`` and ``json_text``,
``geometry`` (GeoJSON ↔ WKB), ``email``. Spec: sqlite/schema-model, sqlite/views-column-inference.
"""
