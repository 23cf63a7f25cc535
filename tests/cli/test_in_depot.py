"""Commands that open the depot."""

import pytest

from trailbase_server.auth.users import list_admins
from trailbase_server.cli.in_depot import run_in_depot, run_with_accounts
from trailbase_server.errors import OperatorError
from trailbase_server.server.audit import Deed
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


def test_a_deed_is_recorded_whatever_becomes_of_it(tmp_path):
    options = ServerOptions(depot=tmp_path / "depot")

    async def fail(_depot):
        raise OperatorError("no such luck")

    async def succeed(_depot):
        return 7

    with pytest.raises(OperatorError, match="no such luck"):
        run_in_depot(options, fail, Deed("user.delete", "1"))
    assert run_in_depot(options, succeed, Deed("user.delete", "2")) == 7

    async def read(depot):
        return await depot.audit.database.query("SELECT object, outcome FROM entry ORDER BY id")

    assert run_in_depot(options, read) == [("1", "refused"), ("2", "done")]
