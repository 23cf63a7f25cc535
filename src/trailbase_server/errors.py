"""
The errors of this program, one tree.

.. code-block:: text

    AppError                    has a status, a public message and a private detail
    ├── BadRequestError         400  the client's mistake; the message says which
    ├── UnauthorizedError       401  no or bad credentials (empty body)
    ├── ForbiddenError          403  (empty body)
    ├── NotFoundError           404  (empty body)
    ├── MethodNotAllowedError   405  (empty body)
    ├── ConflictError           409  (empty body)
    ├── PreconditionError       412  an operation is switched off or based on stale data
    ├── TooLargeError           413  the body is larger than the configured limit
    ├── UnsupportedMediaError   415  the endpoint wants JSON
    ├── UnprocessableError      422  well-formed, but of the wrong shape
    ├── DependencyError         424  something outside refused
    ├── TooManyRequestsError    429
    ├── InternalError           500  a bug of ours (empty body, detail in the log)
    └── UnavailableError        503  a bounded queue is full, a disk or a bucket is down

    OperatorError               what the operator has to mend: printed as one line, exit status 1

``web/errors.py`` is the only place that turns an ``AppError`` into a response. Packages raise
children of their own where a caller has to tell causes apart.
"""


class AppError(Exception):
    """
    A refusal with an HTTP status. Never raised itself.

    Args:
        public: Body of the answer, plain text; empty means an empty body.
        detail: What the log may know and the client may not.
    """

    status = 500

    def __init__(self, public: str = "", *, detail: str = "") -> None:
        super().__init__(public or detail)
        self.public = public
        self.detail = detail


class BadRequestError(AppError):
    """The request is wrong; the message says how."""

    status = 400


class UnauthorizedError(AppError):
    """Credentials are missing, wrong or expired."""

    status = 401


class ForbiddenError(AppError):
    """The caller may not do this."""

    status = 403


class NotFoundError(AppError):
    """There is no such thing, or the caller may not know that there is."""

    status = 404


class MethodNotAllowedError(AppError):
    """The path is known, the operation is not offered on it."""

    status = 405


class ConflictError(AppError):
    """The state has changed meanwhile, or a name is taken."""

    status = 409


class PreconditionError(AppError):
    """An operation that is switched off, or that is based on stale data."""

    status = 412


class TooLargeError(AppError):
    """The body is larger than the configured limit."""

    status = 413


class UnsupportedMediaError(AppError):
    """The endpoint does not take this content type."""

    status = 415


class UnprocessableError(AppError):
    """Well-formed input of the wrong shape."""

    status = 422


class DependencyError(AppError):
    """Something the answer depends on refused."""

    status = 424


class TooManyRequestsError(AppError):
    """A limit was exceeded."""

    status = 429


class InternalError(AppError):
    """A bug of ours, or an engine failure that no client can mend."""

    status = 500


class UnavailableError(AppError):
    """A bounded resource is exhausted or down; trying again later may help."""

    status = 503


class OperatorError(Exception):
    """
    A mistake in files, flags or environment. The command prints the message as one line and exits
    with 1.

    Args:
        message: What is wrong and, where there is one, ``file:line`` and field.
    """
