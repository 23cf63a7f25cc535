"""
What a request is and how it is answered, free of any framework.

``route`` (the table everything is derived from), ``request``, ``response``, ``identity`` (who is
asking), ``body`` (decoders), ``errors`` (the one place that renders a refusal), ``front_door`` (hot
routes straight from the socket), ``asgi`` (all the rest), ``sse``, ``streaming`` and ``websocket``
(answers that do not end). A request enters in ``front_door`` or
``asgi``; both call the same handlers. Spec: records/conventions, server/http-server.
"""
