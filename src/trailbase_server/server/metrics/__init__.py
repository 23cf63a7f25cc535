"""
The metrics of a server, for Prometheus: ``GET /metrics``.

Requests and databases count for themselves, cheaply (``trailbase_server.tally``). Nothing here runs
unless somebody asks. Then, in reading order:

1. ``page``: who may ask, one at a time.
2. ``reading``: on the event loop, copy all numbers.
3. ``families``, with ``requests``, ``databases`` and ``work``: in a thread, give them names, units
   and labels. A label is never a user, a key or a path that was asked for: there are as many series
   as routes, databases and jobs.
4. The text is the ``prometheus-client`` library's, which is loaded with the first question.

Spec: server/introspection-and-metrics-p2-docs-call-the-present-state-minimal
"""
