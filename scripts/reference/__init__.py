"""
The pages of ``docs/reference/``, made from the code, so that they cannot drift from it.

``pages`` lists them; each page has a module with one ``render_…`` function: ``commands`` (click),
``configuration`` (the ``.proto`` file), ``routes`` (tables of ``Route``), ``errors`` (the tree of
``AppError``), ``functions`` (what a connection registers), ``limits`` (named constants), ``cases``
(marks of tests). ``source`` reads comments, ``markdown`` writes tables. ``scripts/docs`` runs this
and ``tests/test_docs_reference.py`` compares.
"""
