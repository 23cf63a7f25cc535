"""Commands that open the depot."""

import pytest

from trailbase_server.auth.users import list_admins
from trailbase_server.cli.in_depot import run_with_accounts
from trailbase_server.errors import OperatorError
from trailbase_server.server.options import ServerOptions


def test_the_action_works_on_the_accounts_of_the_depot(tmp_path):
    options = ServerOptions(depot=tmp_path / "depot")
    found = run_with_accounts(options, lambda state: list_admins(state.database))
    assert [user.username for user in found] == ["admin"]


def test_the_depot_is_closed_when_the_action_fails(tmp_path):
    options = ServerOptions(depot=tmp_path / "depot")

    async def fail(_state):
        raise OperatorError("no such luck")

    for _ in range(2):
        with pytest.raises(OperatorError, match="no such luck"):
            run_with_accounts(options, fail)
