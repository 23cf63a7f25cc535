"""
Record APIs: tables and views as REST resources with access rules.

Read in this order: ``columns`` (what is known of a column), ``access`` (permissions, evaluation of
rules), ``rules`` (their text becomes SQL), ``api`` (the compiled plan of an API), ``encode`` and
``expand`` (row to JSON), ``read``, ``list``, ``json_schema``, then the writing half: ``params``
(JSON to row), ``inserts`` (statements of a set of columns), ``writes``, ``create``, ``update``,
``delete``, ``transaction``. Files come in by ``file_entries``, ``file_writes`` and ``uploads``, and
go out by ``files``. What changes is told by ``subscribe`` and ``realtime``. ``check`` holds what
must be true of the configuration. A request enters in ``routes``; handlers get a
``state.RecordsState``. Spec: records.
"""
