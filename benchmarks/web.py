"""JSON over HTTP, for setting up; the load itself is wrk's business."""

import json
from typing import Any
from urllib.request import Request, urlopen

TIMEOUT_S = 30


def send(method: str, url: str, body: object = None, authorization: str = "") -> Any:  # JSON edge
    """
    Send one request and return the JSON answer.

    Raises:
        HTTPError: The answer is an error.
    """
    headers = {"content-type": "application/json"}
    if authorization:
        headers["authorization"] = authorization
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(url, data, headers, method=method), timeout=TIMEOUT_S) as answer:
        return json.loads(answer.read() or b"null")
