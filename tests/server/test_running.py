import asyncio

from trailbase_server.server.options import ServerOptions
from trailbase_server.server.running import background_work
from trailbase_server.server.start import open_depot


async def test_what_runs_beside_requests_ends_with_the_block(tmp_path):
    async with open_depot(ServerOptions(depot=tmp_path / "depot")) as depot:
        before = asyncio.all_tasks()
        async with background_work(depot):
            assert asyncio.all_tasks() > before
        await asyncio.sleep(0)
        left = {task.get_name() for task in asyncio.all_tasks() - before}
        assert left <= {"mail delivery"}  # the depot ends that one: closing it may still write mail
