"""
Reload the server from the admin API, for whoever cannot send it SIGHUP, and look how it went.

Spec: server/zero-downtime-operation-p2.
"""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from msgspec import Struct

from trailbase_server.config.changes import list_changes
from trailbase_server.config.holder import ConfigHolder
from trailbase_server.errors import BadRequestError, OperatorError
from trailbase_server.web.audit import annotate
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, json_value


class ReloadStep(Protocol):
    """What became of one thing; an empty error is none."""

    @property
    def name(self) -> str:
        """Of the thing."""
        ...

    @property
    def error(self) -> str:
        """What went wrong."""
        ...


class ReloadOutcome(Protocol):
    """What became of a reload."""

    @property
    def started(self) -> float:
        """Unix seconds."""
        ...

    @property
    def finished(self) -> float:
        """Unix seconds."""
        ...

    @property
    def steps(self) -> Sequence[ReloadStep]:
        """In order, as far as it came."""
        ...


class ReloadState(Struct, frozen=True):
    """
    State of these operations.

    Attributes:
        config: What runs.
        run: Reloads; raises ``OperatorError`` with all that went wrong.
        last: How the last one went, whoever wanted it.
    """

    config: ConfigHolder
    run: Callable[[], Coroutine[Any, Any, None]]
    last: Callable[[], ReloadOutcome | None]


async def reload_server(state: ReloadState, _request: Request) -> Response:
    """
    Apply new migrations, read configuration, keys and certificate again.

    Raises:
        BadRequestError: Something is wrong with them; the message tells all problems. What ran
            before runs on.

    Spec:
        server/zero-downtime-operation-p2
    """
    before = state.config.config
    try:
        await state.run()
    except OperatorError as exc:
        raise BadRequestError(str(exc)) from exc
    finally:
        old, new = list_changes(before, state.config.config)
        annotate(before=old, after=new)
    return get_reload(state, _request)


def get_reload(state: ReloadState, _request: Request) -> Response:
    """
    Answer with the outcome of the last reload, and with the mark of the configuration that runs.

    Spec:
        server/zero-downtime-operation-p2
    """
    last = state.last()
    outcome = last and {
        "started": int(last.started),
        "finished": int(last.finished),
        "ok": not any(step.error for step in last.steps),
        "steps": [{"name": step.name, "error": step.error or None} for step in last.steps],
    }
    return json_value({"last": outcome, "config_hash": state.config.hash})
