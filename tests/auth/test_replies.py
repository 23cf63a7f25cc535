"""Answers after something is done, and after it failed."""

import pytest

from trailbase_server.auth.fields import Fields
from trailbase_server.auth.replies import fail_on_page, notify, send_on
from trailbase_server.errors import BadRequestError, UnauthorizedError

FORM, JSON = Fields({}, is_form=True), Fields({})


def location(response):
    return dict(response.headers).get(b"location")


def test_a_notice_is_a_text_or_an_alert():
    assert notify("done & dusted", None).body == b"done & dusted"
    assert location(notify("done & dusted", "/a?b=1")) == b"/a?b=1&alert=done+%26+dusted"


def test_only_forms_are_sent_on():
    assert location(send_on(FORM, "/a")) == b"/a"
    for answer in (send_on(FORM, None), send_on(JSON, "/a")):
        assert (answer.status, answer.body) == (200, b"")


def test_failures_go_to_a_forms_page_only():
    assert (
        location(fail_on_page(BadRequestError("no"), FORM, "/a")) == b"/a?alert=Bad+request%3A+no"
    )
    assert location(fail_on_page(UnauthorizedError(), FORM, "/a")).endswith(b"401+Unauthorized")
    for body, target in ((JSON, "/a"), (FORM, None)):
        with pytest.raises(UnauthorizedError):
            fail_on_page(UnauthorizedError(), body, target)
