import pytest

from livepost.observe.rates import KEPT_S, Rates


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_rate_is_over_whole_seconds_that_have_passed() -> None:
    clock = Clock()
    rates = Rates(clock)
    rates.add(5)
    rates.add(7)
    assert rates.per_s(1) == 0.0
    clock.now += 1.2
    rates.add(100)
    assert (rates.per_s(1), rates.per_s(10)) == (12.0, 1.2)
    clock.now += 1.0
    assert (rates.per_s(1), rates.per_s(10)) == (100.0, 11.2)


def test_no_more_is_kept_than_rates_reach_back() -> None:
    clock = Clock()
    rates = Rates(clock)
    for _ in range(10 * KEPT_S):
        rates.add(1)
        clock.now += 1
    assert rates.per_s(KEPT_S) == 1.0
    assert len(rates._counts) <= KEPT_S + 1


@pytest.mark.parametrize("over_s", [0, -1, KEPT_S + 1])
def test_a_rate_over_more_than_is_kept_is_refused(over_s: int) -> None:
    with pytest.raises(ValueError, match="expected 1 to 60 seconds"):
        Rates(Clock()).per_s(over_s)
