"""What is said about requests: answers, connections, log-ins, subscriptions."""

from collections import defaultdict
from typing import TYPE_CHECKING

from trailbase_server.server.metrics.families import add_up, counter, gauge, histogram
from trailbase_server.server.metrics.reading import Answers, Reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric

    from trailbase_server.tally import Distribution

TOO_MANY = 429
_FIRST_ANSWER = 200  # below are WebSockets, whose time is how long they were open
Operation = tuple[str, str]


def describe_requests(reading: Reading) -> "Iterator[Metric]":
    """Describe what clients did and got."""
    yield from _describe_answers(reading.answers)
    connections = reading.connections
    yield gauge("http_requests_in_flight", "Requests that are being answered.", connections.busy)
    yield gauge("http_connections", "Open connections.", connections.open)
    yield counter("http_connections_refused", "Connections beyond the limits.", connections.refused)
    yield counter(
        "http_requests_given_up",
        "Requests that were refused before they were complete.",
        [({"status": str(status)}, count) for status, count in connections.given_up.items()],
    )
    yield counter(
        "auth_events",
        "What happened to accounts; see the guide for the names.",
        [({"event": event}, count) for event, count in reading.auth.items()],
    )
    realtime = reading.realtime
    yield gauge("realtime_subscriptions", "Open subscriptions.", realtime.streams)
    yield gauge("realtime_changes_waiting", "Changes that wait to be judged.", realtime.pending)
    yield gauge("realtime_events_waiting", "Events that wait for slow clients.", realtime.queued)
    yield counter("realtime_events_sent", "Events sent to subscribers.", realtime.sent)
    yield counter(
        "realtime_events_dropped", "Events lost for clients that were too slow.", realtime.dropped
    )


def _describe_answers(answers: list[Answers]) -> "Iterator[Metric]":
    classes: dict[tuple[str, str, str], int] = defaultdict(int)
    times: dict[Operation, list[Distribution]] = defaultdict(list)
    sizes: dict[Operation, int] = defaultdict(int)
    limited: dict[Operation, int] = defaultdict(int)
    for one in answers:
        operation = (one.route, one.method)
        for status, (took, size) in one.by_status.items():
            count = sum(took.counts)
            classes[(*operation, f"{status // 100}xx")] += count
            sizes[operation] += size
            if status == TOO_MANY:
                limited[operation] += count
            if status >= _FIRST_ANSWER:
                times[operation].append(took)
    yield counter(
        "http_requests",
        "Answers by route, method and class of status.",
        [
            ({"route": route, "method": method, "status": status}, count)
            for (route, method, status), count in classes.items()
        ],
    )
    yield histogram(
        "http_request_duration_seconds",
        "From the head of a request to the head of its answer.",
        [(_labels(operation), add_up(took)) for operation, took in times.items()],
    )
    yield counter(
        "http_response_bytes",
        "Bodies of answers, without streams of events.",
        [(_labels(operation), size) for operation, size in sizes.items()],
    )
    yield counter(
        "http_rate_limited",
        "Answers 429: too many requests.",
        [(_labels(operation), count) for operation, count in limited.items()],
    )


def _labels(operation: Operation) -> dict[str, str]:
    route, method = operation
    return {"route": route, "method": method}
