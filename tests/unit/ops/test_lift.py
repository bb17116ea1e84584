from __future__ import annotations

import math
import random
import statistics

import pytest

from livepost.ids import digest
from livepost.model.earning import Bought, Exposed
from livepost.ops.lift import BUYERS_MIN, PEOPLE_MIN, Effect, compare, effect, sentences


def bought(number: int, held_out: bool, currency: str = "USD", orders: int = 1, amount: int = 1_000) -> Bought:
    return Bought(
        person=digest(number, int(held_out)), held_out=held_out, currency=currency, orders=orders, amount=amount
    )


def several(treated: int, held_out: int) -> list[Bought]:
    return [
        *(bought(number, False, amount=1_000 + number) for number in range(treated)),
        *(bought(number, True) for number in range(held_out)),
    ]


def test_the_difference_is_welchs_over_everybody_those_who_bought_nothing_too() -> None:
    treated, held_out = [1.0, 2.0, 3.0, 1.0], [1.0, 1.0]
    found = effect(treated, 200, held_out, 150)
    full_t, full_h = treated + [0.0] * 196, held_out + [0.0] * 148
    assert (found.treated, found.held_out) == (pytest.approx(statistics.fmean(full_t)), statistics.fmean(full_h))
    error = math.sqrt(statistics.variance(full_t) / 200 + statistics.variance(full_h) / 150)
    width = (found.difference.high - found.difference.low) / 2
    assert width / error == pytest.approx(1.968, abs=0.01)  # t of about 310 degrees of freedom
    assert found.difference.estimate == pytest.approx(found.treated - found.held_out)
    assert found.lift.estimate == pytest.approx(found.treated / found.held_out - 1)
    assert found.lift.low < found.lift.estimate < found.lift.high


def _covered(wrong: float = 1.0) -> tuple[float, float]:
    """Return how often the true difference, and the true lift, lie within; `wrong` scales the intervals."""
    dice = random.Random(7)
    inside = within = 0
    tries, people, others, chance, less = 400, 2_000, 600, 0.1, 0.08
    for _ in range(tries):
        treated = [1.0 + (dice.random() < 0.2) for _ in range(sum(dice.random() < chance for _ in range(people)))]
        held_out = [1.0 + (dice.random() < 0.2) for _ in range(sum(dice.random() < less for _ in range(others)))]
        found = effect(treated, people, held_out, others)
        inside += _holds(found.difference.estimate, found.difference.low, found.difference.high, 0.024, wrong)
        within += _holds(found.lift.estimate, found.lift.low, found.lift.high, 0.25, wrong)
    return inside / tries, within / tries


def _holds(estimate: float, low: float, high: float, truth: float, wrong: float) -> bool:
    return estimate - (estimate - low) * wrong <= truth <= estimate + (high - estimate) * wrong


def test_intervals_hold_what_is_true_nineteen_times_of_twenty() -> None:
    assert all(0.92 <= share <= 0.98 for share in _covered())


def test_intervals_that_are_too_narrow_are_found() -> None:
    assert all(share < 0.92 for share in _covered(wrong=0.7))


def test_of_too_few_nothing_is_said_but_that() -> None:
    assert compare(Exposed(treated=500, held_out=0, bought=several(10, 0))) is None
    few = compare(Exposed(treated=500, held_out=PEOPLE_MIN - 1, bought=several(10, 10)))
    assert few is not None and few.orders is None
    assert sentences(few) == ["500 people treated, 99 held out: not enough people: 100 of each group are the least"]
    poor = compare(Exposed(treated=500, held_out=100, bought=several(10, BUYERS_MIN - 1)))
    assert poor is not None and poor.why.startswith("not enough orders: 5 people")


def test_a_comparison_is_told_in_words_with_a_sentence_a_currency() -> None:
    also = [bought(1, True, "EUR"), bought(1, False, "", amount=0)]
    found = compare(Exposed(treated=1_000, held_out=100, bought=[*several(100, 5), *also]))
    assert found is not None and isinstance(found.orders, Effect)
    assert list(found.amounts) == ["USD"]  # one person of one group says nothing of euros
    people, orders, dollars = sentences(found)
    assert people == "1,000 people treated, 100 held out"
    assert orders.startswith("Orders per person: 0.1010 treated, 0.0600 held out; difference 0.0410 (")
    assert dollars.startswith("USD per person: 1.05 treated, 0.50 held out; difference 0.55 (")
