"""
Certificates from an authority that speaks ACME (RFC 8555), such as Let's Encrypt.

Reading order: ``settings`` (what the operator asks for), ``challenges`` (what the authority fetches
from us over HTTP), ``client`` (one order, from account to certificate), ``keeper`` (when to order).

A certificate arrives as a file below ``secrets/certs``, where ``server/tls`` takes it over like any
other. Only HTTP-01 is spoken. TLS-ALPN-01 would need a certificate chosen by the protocol that a
client offers, and Python shows that to nobody until the certificate has been chosen.

Spec: server/tls-automation-p2-docs-state-the-wish
"""
