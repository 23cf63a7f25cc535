"""
Where everything meets: the only package that knows all the others.

``options`` (what the command line asked for), ``depot`` (the directory), ``start`` (start-up in its
order, and reload), ``app`` (the table of routes and the application), ``static``
(``--public-dir``), ``encryption`` (certificates: ``tls``, ``certificate``, ``acme``), ``handshake``
(connections before they are encrypted), ``serve`` (listeners, signals, shutdown). Spec:
server/start-up-order.
"""
