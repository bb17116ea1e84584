"""Metrics as Prometheus reads them."""

from __future__ import annotations

from livepost.observe.exposition import EDGES_S, Family, Sample, exposition, histogram
from livepost.observe.latencies import Latencies


def test_a_value_of_a_label_cannot_end_it() -> None:
    told = Family(name="m", kind="counter", help="a\nb", samples=[Sample(1.5, {"of": 'a"\\\nb'}), Sample(2)])
    assert exposition([told]) == '# HELP m a\\nb\n# TYPE m counter\nm{of="a\\"\\\\\\nb"} 1.5\nm 2\n'


def test_a_family_without_samples_is_left_out() -> None:
    assert exposition([Family(name="m", kind="gauge", help="", samples=[])]) == ""


def test_a_histograms_buckets_add_up_to_all() -> None:
    seen = Latencies()
    for ms in (0.5, 4, 40, 40, 700, 3_000_000):
        seen.add(ms)
    told = histogram("m_seconds", "M.", seen.counts)
    buckets = {one.labels["le"]: one.value for one in told.samples if one.suffix == "_bucket"}
    assert len(buckets) == len(EDGES_S) + 1
    assert (buckets["0.001"], buckets["0.005"], buckets["0.05"], buckets["1"], buckets["60"]) == (1, 2, 4, 5, 5)
    assert list(buckets.values()) == sorted(buckets.values()) and buckets["+Inf"] == 6
    total = {one.suffix: one.value for one in told.samples}
    assert total["_count"] == 6 and 3_000.7 < total["_sum"] < 3_200
    assert 'm_seconds_bucket{le="+Inf"} 6\n' in exposition([told])
    assert "m_seconds_count 0\n" in exposition([histogram("m_seconds", "M.", {})])
