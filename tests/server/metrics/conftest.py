"""A depot with requests behind it, and what its page says."""

import asyncio
from contextlib import asynccontextmanager

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.pier import Pier
from trailbase_server.server.app import build_application, main_routes, metrics_routes
from trailbase_server.server.metrics.page import MetricsPage
from trailbase_server.server.metrics.reading import take_reading
from trailbase_server.server.options import ServerOptions
from trailbase_server.server.start import open_depot


class Scraped:
    """Samples by name and labels."""

    def __init__(self, text):
        self.families = {family.name: family for family in text_string_to_metric_families(text)}
        self.samples = {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in self.families.values()
            for sample in family.samples
        }

    def __call__(self, name, **labels):
        """The value of a series; None if there is none."""
        return self.samples.get((f"trail_{name}", tuple(sorted(labels.items()))))

    def labelled(self, name):
        """All values of a name, by the values of their labels."""
        return {
            tuple(value for _, value in labels): found
            for (sample, labels), found in self.samples.items()
            if sample == f"trail_{name}"
        }


class Watched:
    """An open depot, a client of its application and one of its metrics."""

    def __init__(self, depot, page, web, metrics):
        self.depot = depot
        self.page = page
        self.web = web
        self.metrics = metrics

    async def scrape(self):
        answer = await self.metrics.get("/metrics")
        assert answer.status_code == 200
        return Scraped(answer.text)

    async def read(self):
        return await take_reading(self.depot, self.page.dispatchers, 0.0)


@asynccontextmanager
async def watched_depot(root, **options):
    async with open_depot(ServerOptions(depot=root, **options)) as depot:
        page = MetricsPage(depot)
        applications = [
            build_application(depot, routes)
            for routes in (main_routes(depot), metrics_routes(depot, page))
        ]
        page.dispatchers = [application.dispatcher for application in applications]
        transports = map(httpx.ASGITransport, applications)
        web, metrics = (
            httpx.AsyncClient(transport=t, base_url="http://m.test") for t in transports
        )
        async with web, metrics:
            yield Watched(depot, page, web, metrics)


@pytest.fixture
def pier(tmp_path):
    return Pier(tmp_path / "depot")


@pytest.fixture
async def watched(pier):
    async with watched_depot(pier.root) as watched:
        yield watched


@pytest.fixture
def together():
    """Ask many things at once."""

    async def gather(*work):
        return await asyncio.gather(*work)

    return gather
