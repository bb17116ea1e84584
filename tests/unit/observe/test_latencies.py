import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livepost.observe.latencies import Latencies

MS = st.floats(min_value=0.01, max_value=3_600_000.0)


def of(values: list[float]) -> Latencies:
    found = Latencies()
    for ms in values:
        found.add(ms)
    return found


def exact(values: list[float], share: float) -> float:
    """The smallest of the values that `share` of all do not exceed."""
    return sorted(values)[max(math.ceil(share * len(values)) - 1, 0)]


@given(st.lists(MS, min_size=1, max_size=200), st.sampled_from([0.01, 0.5, 0.9, 0.99, 1.0]))
def test_a_quantile_is_never_less_than_it_was_and_at_most_5_percent_more(values: list[float], share: float) -> None:
    told, was = of(values).quantile(share), exact(values, share)
    assert was * (1 - 1e-9) <= told <= was * 1.05 * (1 + 1e-9)


@given(st.lists(st.floats(min_value=0.0, max_value=1e12), max_size=500))
def test_there_are_at_most_a_few_hundred_buckets_whatever_comes(values: list[float]) -> None:
    found = of([*values, 0.0, 1e12])
    assert len(found.counts) <= 410
    assert len(found) == len(values) + 2


@given(st.lists(MS, max_size=50), st.lists(MS, max_size=50))
def test_counts_carried_over_go_on_as_if_nothing_had_been_between(before: list[float], after: list[float]) -> None:
    carried = Latencies(of(before).counts)
    for ms in after:
        carried.add(ms)
    assert carried.counts == of(before + after).counts


def test_what_is_below_a_hundredth_of_a_millisecond_counts_as_that_and_above_an_hour_as_an_hour() -> None:
    assert of([-5.0, 0.0]).quantile(1.0) == pytest.approx(0.01, rel=0.05)
    assert of([1e9]).quantile(0.5) == pytest.approx(3_600_000, rel=0.05)


def test_many_at_once_count_as_many() -> None:
    found = Latencies()
    found.add(1.0, 99)
    found.add(1_000.0)
    assert len(found) == 100
    assert found.quantile(0.99) < 1.1 < 999 < found.quantile(1.0)


def test_the_given_counts_are_not_changed() -> None:
    given_counts = {0: 1}
    Latencies(given_counts).add(1.0)
    assert given_counts == {0: 1}


def test_nothing_measured_is_no_latency() -> None:
    assert Latencies().quantile(0.99) == 0.0
