"""How far behind a replica is."""

from pathlib import Path

from trailbase_server.clock import FrozenClock
from trailbase_server.replication import lag as module
from trailbase_server.replication.control import NoAnswerError
from trailbase_server.replication.lag import Lag

MAIN, TIDE = Path("/d/main.db"), Path("/d/tide.db")


async def test_it_grows_when_litestream_is_silent_and_is_gone_when_it_answers(monkeypatch):
    clock = FrozenClock(1000.0)
    answers = [{"/d/main.db": 1003.0, "/d/tide.db": None}, None, {"/d/main.db": 1019.5}]

    async def ask(_socket):
        answer = answers.pop(0)
        if answer is None:
            raise NoAnswerError("no answer")
        return answer

    monkeypatch.setattr(module, "ask_databases", ask)
    lag = Lag(Path("/l.sock"), clock)
    clock.advance(4)
    assert await lag.ask([MAIN, TIDE]) == {"/d/main.db": 1.0, "/d/tide.db": 4.0}
    assert lag.problem == ""
    clock.advance(6)
    assert await lag.ask([MAIN]) == {"/d/main.db": 7.0}
    assert lag.problem == "no answer"
    clock.advance(10)
    assert await lag.ask([MAIN]) == {"/d/main.db": 0.5}
    assert lag.problem == ""


async def test_clocks_that_differ_give_no_negative_lag(tmp_path):
    clock = FrozenClock(1000.0)
    lag = Lag(tmp_path / "none.sock", clock)
    lag.learn({"/d/main.db": 2000.0})
    assert await lag.ask([MAIN]) == {"/d/main.db": 0.0}
    assert "no answer" in lag.problem
