import inspect

import pytest

from trailbase_server import errors
from trailbase_server.db import errors as db_errors
from trailbase_server.web.errors import error_response

EVERY = [
    kind
    for module in (errors, db_errors)
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, errors.AppError) and kind is not errors.AppError
]


@pytest.mark.parametrize("kind", sorted(set(EVERY), key=lambda kind: kind.__name__))
def test_every_error_has_a_status_and_a_sentence(kind):
    assert 400 <= kind.status < 600
    assert kind.__doc__
    assert kind.__name__.endswith("Error")


def test_a_message_is_the_whole_body_and_no_message_is_no_body():
    told = error_response(errors.BadRequestError("Invalid id"))
    silent = error_response(errors.ForbiddenError())
    assert (told.status, told.body) == (400, b"Invalid id")
    assert (silent.status, silent.body, silent.headers) == (403, b"", [])


@pytest.mark.parametrize(
    "error",
    [
        errors.InternalError("secret", detail="secret"),
        db_errors.DatabaseError(detail="no such table: secret"),
        RuntimeError("secret"),
    ],
)
def test_the_reason_of_a_500_stays_in_the_log(error, caplog):
    response = error_response(error)
    assert (response.status, response.body) == (500, b"")
    assert "secret" in caplog.text


@pytest.mark.case("T-85")
@pytest.mark.parametrize("reason", ["", "too many at once"])
def test_who_is_turned_away_is_told_when_to_come_again(reason):
    response = error_response(errors.UnavailableError(reason))
    assert (response.status, response.body) == (503, reason.encode())
    assert (b"retry-after", b"1") in response.headers
    assert error_response(errors.DependencyError()).headers == []


def test_a_detail_is_never_told():
    response = error_response(db_errors.ConstraintError("unique", detail="UNIQUE: secret.column"))
    assert response.body == b"db constraint: unique"
