"""
Families of series, as the library wants them: names, units, help texts and labels.

The library's own counters are not used: they cost microseconds each, and more under threads. Its
types for finished numbers are.
"""

from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING

from trailbase_server.tally import Distribution

if TYPE_CHECKING:
    from prometheus_client.core import Metric

PREFIX = "trail_"
Labels = Mapping[str, str]
Samples = Iterable[tuple[Labels, float]]
NO_LABELS: Labels = {}


def counter(name: str, text: str, samples: Samples | float) -> "Metric":
    """
    Describe something that only grows.

    Args:
        name: Without prefix and ``_total``.
        text: What it is.
        samples: Values by labels; a number for one without any.
    """
    from prometheus_client.core import CounterMetricFamily  # noqa: PLC0415  # at the first scrape

    given = _samples(samples)
    family = CounterMetricFamily(PREFIX + name, text, labels=_names(given))
    for labels, value in given:
        family.add_metric(list(labels.values()), value)
    return family


def gauge(name: str, text: str, samples: Samples | float) -> "Metric":
    """Describe something that is so much at this moment; see ``counter``."""
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415  # at the first scrape

    given = _samples(samples)
    family = GaugeMetricFamily(PREFIX + name, text, labels=_names(given))
    for labels, value in given:
        family.add_metric(list(labels.values()), value)
    return family


def histogram(name: str, text: str, samples: Iterable[tuple[Labels, Distribution]]) -> "Metric":
    """Describe how something is distributed; see ``counter``."""
    from prometheus_client.core import HistogramMetricFamily  # noqa: PLC0415  # as above

    given = list(samples)
    family = HistogramMetricFamily(PREFIX + name, text, labels=_names(given))
    for labels, (bounds, counts, total) in given:
        ends = [*map(_bound, bounds), "+Inf"]
        buckets = [(end, float(upto)) for end, upto in zip(ends, accumulate(counts), strict=True)]
        family.add_metric(list(labels.values()), buckets, total)
    return family


def _bound(bound: float) -> str:
    """As Prometheus writes numbers itself, so that series keep their names."""
    return f"{bound:.6f}".rstrip("0").rstrip(".") if bound < 1 else f"{float(bound)}"


def _samples(samples: Samples | float) -> list[tuple[Labels, float]]:
    return [(NO_LABELS, samples)] if isinstance(samples, int | float) else list(samples)


def _names(samples: "list[tuple[Labels, float]] | list[tuple[Labels, Distribution]]") -> list[str]:
    return list(samples[0][0]) if samples else []


def add_up(distributions: Iterable[Distribution]) -> Distribution:
    """Put distributions with the same bounds together; there is at least one."""
    bounds, counts, totals = zip(*distributions, strict=True)
    return Distribution(bounds[0], tuple(map(sum, zip(*counts, strict=True))), sum(totals))
