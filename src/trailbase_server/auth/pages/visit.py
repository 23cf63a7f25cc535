"""
A visit to a page: who comes, and with which parameters.

A valid cookie is not enough to be somebody: the account must be there, since pages show what it is
now, not what the token says.
"""

from msgspec import Struct

from trailbase_server.auth.cookies import TOKEN_COOKIES, remove_cookies
from trailbase_server.auth.pages.links import LOGIN, Query, page
from trailbase_server.auth.redirects import render_location
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.users import User, find_user
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, redirect


class Visit(Struct, frozen=True):
    """
    One visit.

    Attributes:
        state: Of this package.
        request: As received.
        query: Its parameters.
        user: Who is logged in, None for nobody.
        csrf_token: What the forms of ``user`` repeat; empty for nobody.
    """

    state: AuthState
    request: Request
    query: Query
    user: User | None
    csrf_token: str = ""

    @property
    def name(self) -> str:
        """What the visitor is called."""
        if self.user is None:
            return ""
        return self.user.email or self.user.username or ""

    @property
    def alert(self) -> str | None:
        """Message that came along, as it came."""
        return self.query.text("alert")


async def open_visit(state: AuthState, request: Request) -> Visit:
    """
    Find out who comes with what.

    Raises:
        BadRequestError: The query is too large.
    """
    query, identity = Query(request.query), request.identity
    user = await find_user(state.database, identity.user_id) if identity is not None else None
    if identity is None or user is None:
        return Visit(state, request, query, None)
    return Visit(state, request, query, user, identity.csrf_token)


def ask_to_log_in(visit: Visit) -> Response:
    """Send a visitor to log in and come back; without the cookies of an account that is gone."""
    location = page(LOGIN, redirect_uri=visit.request.path, alert=visit.alert)
    is_gone = visit.request.identity is not None
    cookies = remove_cookies(visit.request, TOKEN_COOKIES) if is_gone else None
    return redirect(location, cookies)


def go(target: str) -> Response:
    """Send a browser to a checked target."""
    return redirect(render_location(target))
