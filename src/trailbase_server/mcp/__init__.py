"""
``trail mcp``: the server's operations as tools of the Model Context Protocol.

A process of its own beside the program that wants tools: it reads messages from standard input and
passes calls on to a running server over HTTP. ``tools.py`` makes tools of the OpenAPI document,
``proxy.py`` calls the server, ``stdio.py`` speaks the protocol. Enter at ``stdio.serve_tools``.

Spec: server.md 11.2.
"""
