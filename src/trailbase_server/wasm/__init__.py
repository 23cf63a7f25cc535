"""
Components: WebAssembly files in the depot's ``wasm/``.

Nothing runs them yet: they can be listed, looked into, added and removed. ``interfaces.py`` reads
what a component wants and offers, ``files.py`` keeps the files. Requests enter at
``admin/components.py``, commands at ``cli/components.py``.

Spec: server.md 3.9, admin-api.md 15.
"""
