"""
The grammar of list queries: text in, values out, no I/O.

Read in this order: ``filter`` (the tree and the typing of its values), ``parse`` (query string to
``ListQuery``), ``sql`` (filter to condition), ``order`` (terms to ORDER BY), ``cursor`` (where the
next page begins). A request enters in ``parse.parse_list_query``. Spec: records/8.
"""
