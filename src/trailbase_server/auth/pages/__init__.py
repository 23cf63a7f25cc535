"""
The account pages: log in, register, manage an account, in plain HTML that needs no scripts.

.. code-block:: text

    GET  /_/auth/<page>   visit ──> page family ──> render ──> HTML
    POST (no account)     straight to /api/auth/v1/…, which sends back to a page with ?alert=
    POST (an account)     actions ──> the same handler of the API ──> back to a page with ?alert=

Files in reading order: ``routes`` (the table), ``links`` (addresses and what they carry), ``visit``
(who comes, with what), the families ``sign_in`` ``codes`` ``register`` ``passwords`` ``account``
``profile`` ``second_factor`` ``leave``, ``actions`` (forms of people who are logged in), ``render``
(HTML and its headers), ``messages`` (what may be said), ``texts`` (in which words), ``templates``
(the depot's own first), ``assets`` (styles, logo), ``site`` (all of that for one configuration),
``settings`` (what administrators choose). Spec: auth/built-in-auth-ui.
"""
