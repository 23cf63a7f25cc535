"""
The schema model: tables and views as immutable values, read from the DDL text that SQLite stores.

``model`` (the values), ``lexer`` and ``parser`` (DDL text → model), ``render`` (model → canonical
DDL), ``views`` (columns of views), ``introspect`` (a whole database → ``Catalog``), ``roles`` (what
a column means to a record API), ``json_schema`` (the schema endpoint) and ``registry`` (named JSON
schemas). Spec: sqlite/schema-model, sqlite/views-column-inference.
"""
