"""
What stands before the whole admin API: whoever is no administrator is not told which paths exist.

The route is bound like all others, so credentials, rights and the CSRF token are checked before.
"""

from trailbase_server.errors import NotFoundError
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response
from trailbase_server.web.router import ALLOW


def refuse_unknown(_state: None, request: Request) -> Response:
    """
    Answer an administrator's request that no operation takes.

    Raises:
        NotFoundError: There is no such path.

    Spec:
        admin-api/authentication-and-csrf
    """
    allowed = request.params.get(ALLOW)
    if allowed is None:
        raise NotFoundError
    return Response(405, headers=[(b"allow", allowed.encode())])
