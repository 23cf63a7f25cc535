"""What handlers answer with once something is done: a text, or a redirect with a message."""

from http import HTTPStatus

from trailbase_server.auth.fields import Fields
from trailbase_server.auth.redirects import add_parameters, render_location
from trailbase_server.errors import AppError, BadRequestError, UnavailableError
from trailbase_server.web.errors import FIRST_SERVER_ERROR
from trailbase_server.web.response import Response, empty, redirect, text


def redirect_with_alert(target: str, message: str) -> Response:
    """Send a browser on with a message for its user."""
    return redirect(render_location(add_parameters(target, alert=message)))


def notify(notice: str, target: str | None) -> Response:
    """Say what was done, on the page that was asked for if there is one."""
    return text(notice) if target is None else redirect_with_alert(target, notice)


def send_on(body: Fields, target: str | None) -> Response:
    """Send a form on to its target as it is; anybody else gets an empty answer."""
    return empty() if target is None or not body.is_form else redirect(render_location(target))


def is_tellable(error: AppError) -> bool:
    """Can a visitor do something about it? Other failures are ours, and belong in the log."""
    return error.status < FIRST_SERVER_ERROR or isinstance(error, UnavailableError)


def fail_on_page(error: AppError, body: Fields, target: str | None) -> Response:
    """
    Tell a form's user on a page what went wrong.

    Raises:
        AppError: ``error``, where there is no form or no page.
    """
    if not body.is_form or target is None:
        raise error
    if isinstance(error, BadRequestError):
        return redirect_with_alert(target, f"Bad request: {error.public}")
    status = HTTPStatus(error.status)
    return redirect_with_alert(target, f"Failed: {status.value} {status.phrase}")
