"""A configuration as mails need it."""

import logging

import pytest

from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.mail.envelope import Sender
from trailbase_server.mail.nowhere import LogTransport
from trailbase_server.mail.settings import compile_mail, parse_site
from trailbase_server.mail.smtp import SmtpTransport


def config(**email):
    return Config(email=email, server={"application_name": "The Site"})


def compile_dev(site_url="https://site.test/path", **email):
    return compile_mail(config(**email), site_url, dev=True)


@pytest.mark.parametrize(
    ("url", "origin", "host"),
    [
        ("https://site.test", "https://site.test", "site.test"),
        ("https://Site.test:443/x?y", "https://site.test", "site.test"),
        ("http://site.test:443", "http://site.test:443", "site.test"),
        ("http://bücher.test", "http://xn--bcher-kva.test", "xn--bcher-kva.test"),
        ("http://192.0.2.1:80", "http://192.0.2.1", "[192.0.2.1]"),
        ("http://[2001:db8::1]:8080", "http://[2001:db8::1]:8080", "[IPv6:2001:db8::1]"),
    ],
)
def test_sites(url, origin, host):
    assert parse_site(url) == (origin, host)


@pytest.mark.parametrize(
    ("email", "sender"),
    [
        ({}, Sender("noreply@site.test")),
        ({"sender_name": "S"}, Sender("noreply@site.test", "S")),
        ({"sender_name": "S", "sender_address": "a@b.test"}, Sender("a@b.test", "S")),
        ({"sender_name": "S\r\nBcc: x"}, Sender("noreply@site.test", "S Bcc: x")),
        ({"sender_address": "a@bücher.test"}, Sender("a@xn--bcher-kva.test")),
        ({"sender_address": "nobody"}, Sender("noreply@site.test")),
    ],
)
def test_senders(email, sender):
    assert compile_dev(**email).sender == sender


def test_what_is_compiled():
    settings = compile_dev()
    assert (settings.app_name, settings.site) == ("The Site", "https://site.test")
    assert isinstance(settings.transport, LogTransport)
    settings = compile_mail(config(smtp_host="mail.test", smtp_port=25), "https://site.test")
    assert isinstance(settings.transport, SmtpTransport)
    assert settings.transport.settings.local_host == "site.test"


@pytest.mark.parametrize("url", [None, ""])
def test_without_a_site_links_lead_to_this_machine(url, caplog):
    with caplog.at_level(logging.WARNING):
        settings = compile_dev(url)
    assert settings.site == "http://localhost:4000"
    assert settings.sender.address == "noreply@localhost"
    assert "no site URL" in caplog.text
