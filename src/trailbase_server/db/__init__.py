"""
What any database engine promises to the rest of the program.

``values`` (what a cell can hold), ``errors`` (what can go wrong), ``base`` (reading and writing),
``dialect`` (quoting). ``records``, ``auth`` and ``logs`` know these and no engine; ``sqlite``
implements them.
"""
