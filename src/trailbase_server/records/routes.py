"""The table of record operations."""

from trailbase_server.errors import (
    BadRequestError,
    ForbiddenError,
    MethodNotAllowedError,
    NotFoundError,
    TooManyRequestsError,
    UnavailableError,
    UnprocessableError,
    UnsupportedMediaError,
)
from trailbase_server.records.create import create_records
from trailbase_server.records.delete import delete_record
from trailbase_server.records.files import download_file, download_listed_file
from trailbase_server.records.json_schema import get_json_schema
from trailbase_server.records.list import list_records
from trailbase_server.records.read import read_record
from trailbase_server.records.subscribe import check_subscription, subscribe, subscribe_socket
from trailbase_server.records.transaction import execute_transaction
from trailbase_server.records.update import update_record
from trailbase_server.web.route import Route
from trailbase_server.web.websocket import SocketEndpoint

PREFIX = "/api/records/v1"
TAG = "records"

FILE_ERRORS = (
    BadRequestError,
    ForbiddenError,
    NotFoundError,
    MethodNotAllowedError,
    UnavailableError,
)

ROUTES = (
    Route(
        "GET",
        f"{PREFIX}/{{api}}",
        list_records,
        operation="list_records_handler",
        summary="List records: filter, order, page, count, expand.",
        errors=(BadRequestError, ForbiddenError, MethodNotAllowedError),
        tag=TAG,
        hot=True,
    ),
    Route(
        "GET",
        f"{PREFIX}/{{api}}/schema",
        get_json_schema,
        operation="json_schema_handler",
        summary="JSON schema of an API's records.",
        errors=(BadRequestError, ForbiddenError, MethodNotAllowedError),
        tag=TAG,
    ),
    Route(
        "GET",
        f"{PREFIX}/{{api}}/subscribe/{{record}}",
        subscribe,
        operation="add_subscription_sse_and_ws_handler",
        summary="Follow a record, or the whole table (``*``).",
        errors=(
            BadRequestError,
            ForbiddenError,
            NotFoundError,
            MethodNotAllowedError,
            TooManyRequestsError,
            UnavailableError,
        ),
        tag=TAG,
        hot=True,
        socket=SocketEndpoint(check_subscription, subscribe_socket),
    ),
    Route(
        "GET",
        f"{PREFIX}/{{api}}/{{record}}",
        read_record,
        operation="read_record_handler",
        summary="Read one record.",
        errors=(BadRequestError, ForbiddenError, NotFoundError, MethodNotAllowedError),
        tag=TAG,
        hot=True,
    ),
    Route(
        "GET",
        f"{PREFIX}/{{api}}/{{record}}/file/{{column}}",
        download_file,
        operation="get_uploaded_file_from_record_handler",
        summary="Download the file of a column.",
        errors=FILE_ERRORS,
        tag=TAG,
    ),
    Route(
        "GET",
        f"{PREFIX}/{{api}}/{{record}}/files/{{column}}/{{filename}}",
        download_listed_file,
        operation="get_uploaded_files_from_record_handler",
        summary="Download a file by its unique name.",
        errors=FILE_ERRORS,
        tag=TAG,
    ),
    Route(
        "POST",
        f"{PREFIX}/{{api}}",
        create_records,
        operation="create_record_handler",
        summary="Create one record or several.",
        errors=(BadRequestError, ForbiddenError, MethodNotAllowedError),
        tag=TAG,
        streams_forms=True,
        hot=True,
    ),
    Route(
        "PATCH",
        f"{PREFIX}/{{api}}/{{record}}",
        update_record,
        operation="update_record_handler",
        summary="Change some columns of a record.",
        errors=(BadRequestError, ForbiddenError, NotFoundError, MethodNotAllowedError),
        tag=TAG,
        streams_forms=True,
        hot=True,
    ),
    Route(
        "DELETE",
        f"{PREFIX}/{{api}}/{{record}}",
        delete_record,
        operation="delete_record_handler",
        summary="Delete a record.",
        errors=(BadRequestError, ForbiddenError, NotFoundError, MethodNotAllowedError),
        tag=TAG,
        hot=True,
    ),
)

TRANSACTION_ROUTES = (
    Route(
        "POST",
        "/api/transaction/v1/execute",
        execute_transaction,
        operation="record_transactions_handler",
        summary="Run a batch of record operations, atomically if wanted.",
        errors=(
            BadRequestError,
            ForbiddenError,
            NotFoundError,
            MethodNotAllowedError,
            UnsupportedMediaError,
            UnprocessableError,
        ),
        tag=TAG,
    ),
)
"""Only where ``server.enable_record_transactions`` is set at start-up."""
