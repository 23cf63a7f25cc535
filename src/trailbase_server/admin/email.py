"""Send one mail to find out whether mails get out (spec server/failures-and-test-route)."""

from trailbase_server.errors import DependencyError, UnprocessableError
from trailbase_server.mail.envelope import parse_address
from trailbase_server.mail.mailer import Mailer
from trailbase_server.mail.nowhere import NoTransport
from trailbase_server.mail.transport import SendError
from trailbase_server.web.audit import annotate
from trailbase_server.web.body import decode_json_only
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, empty

SUBJECT = "test email"
BODY = "This is a test. Do not reply"


async def send_test_email(state: Mailer, request: Request) -> Response:
    """
    Send a mail past the outbox and wait for how that went.

    Raises:
        UnprocessableError: The address is missing or no text.
        InvalidAddressError: It is no address.
        DependencyError: The mail was not taken; the reason is told, as for administrators.

    Spec:
        server/failures-and-test-route
    """
    body = decode_json_only(request)
    address = body.get("email_address") if isinstance(body, dict) else None
    if not isinstance(address, str):
        raise UnprocessableError("missing or malformed member `email_address`")
    annotate(object=address)
    if isinstance(state.settings.transport, NoTransport):
        parse_address(address)
        raise DependencyError(f"Email: {state.settings.transport.label}")
    try:
        await state.send_now(address, SUBJECT, BODY)
    except SendError as exc:
        raise DependencyError(f"Email: {exc.reason}") from exc
    return empty()
