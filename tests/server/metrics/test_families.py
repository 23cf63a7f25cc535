"""Families are what the library and Prometheus take for such."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from trailbase_server.server.metrics.families import add_up, counter, gauge, histogram
from trailbase_server.tally import DURATION_BOUNDS_S, SIZE_BOUNDS, Histogram

DURATIONS = st.lists(st.floats(0, 20), max_size=30)
LABELS = st.dictionaries(st.sampled_from(["a", "b"]), st.text(max_size=10), min_size=2)


class Registry:
    def __init__(self, *families):
        self.families = families

    def collect(self):
        return self.families


def rendered(*families):
    text = generate_latest(Registry(*families)).decode()
    return {family.name: family for family in text_string_to_metric_families(text)}


def counted(values, bounds=DURATION_BOUNDS_S):
    histogram = Histogram(bounds)
    for value in values:
        histogram.add(value)
    return histogram.look()


@given(LABELS, st.integers(0, 2**53))
def test_labels_and_values_survive_the_text(labels, value):
    for make, suffix in ((counter, "_total"), (gauge, "")):
        [sample] = rendered(make("thing", "Text.", [(labels, value)]))["trail_thing"].samples
        assert (sample.name, sample.value) == (f"trail_thing{suffix}", value)
        assert sample.labels == labels


def test_a_number_is_a_series_without_labels():
    [sample] = rendered(gauge("thing", "Text.", 3))["trail_thing"].samples
    assert (sample.labels, sample.value) == ({}, 3)


def test_a_family_may_be_empty():
    assert rendered(counter("thing", "Text.", []))["trail_thing"].samples == []


@given(DURATIONS)
def test_buckets_are_cumulative_and_end_with_the_count(durations):
    family = histogram("took_seconds", "Text.", [({"a": "x"}, counted(durations))])
    samples = rendered(family)["trail_took_seconds"].samples
    buckets = [s for s in samples if s.name.endswith("_bucket")]
    assert [float(s.labels["le"]) for s in buckets] == [*DURATION_BOUNDS_S, float("inf")]
    for sample in buckets:
        assert sample.value == sum(took <= float(sample.labels["le"]) for took in durations)
    assert next(s.value for s in samples if s.name.endswith("_count")) == len(durations)


def test_bounds_are_written_the_way_prometheus_does():
    family = histogram("n", "Text.", [({}, counted([], SIZE_BOUNDS))])
    ends = [s.labels["le"] for s in family.samples if s.name.endswith("_bucket")]
    assert ends[:3] == ["1.0", "2.0", "4.0"]
    family = histogram("n", "Text.", [({}, counted([]))])
    ends = [s.labels["le"] for s in family.samples if s.name.endswith("_bucket")]
    assert ends[:3] == ["0.000025", "0.00005", "0.0001"]


@given(st.lists(DURATIONS, min_size=1, max_size=4))
def test_distributions_add_up(groups):
    together = add_up([counted(group) for group in groups])
    assert together.counts == counted([took for group in groups for took in group]).counts
