"""What a campaign changed: what its treated people bought beside those who were held out, with intervals.

In: whom a campaign treated and held out, what they bought. Out: means per person, their difference, the lift, each with
its interval of 95 %. Promised: both groups are as they were drawn, whoever of them got a mail; nothing is said of too
few.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection
from statistics import NormalDist

import msgspec

from livepost.model.earning import Bought, Exposed
from livepost.project.money import minor_digits

PEOPLE_MIN, BUYERS_MIN = 100, 5
"""Of each group: fewer people, or fewer of them who bought, and there is nothing to be said."""

CONFIDENCE = 0.95


class Interval(msgspec.Struct, frozen=True):
    """An estimate, and between what it lies with a confidence of 95 %."""

    estimate: float
    low: float
    high: float


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """Means per person of both groups, their difference, and the lift (0.1: a tenth more than without)."""

    treated: float
    held_out: float
    difference: Interval
    lift: Interval


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """How many people were treated and held out; orders per person, and by currency what they come to (minor units).

    `why` says why nothing is said of them, "" where there is something.
    """

    treated: int
    held_out: int
    why: str = ""
    orders: Effect | None = None
    amounts: dict[str, Effect] = {}


def compare(exposed: Exposed) -> Comparison | None:
    """Return the comparison; None where nobody was held out."""
    if not exposed.held_out:
        return None
    why = _too_few(exposed)
    if why:
        return Comparison(treated=exposed.treated, held_out=exposed.held_out, why=why)
    currencies = sorted({one.currency for one in exposed.bought if one.currency})
    amounts = {currency: _effect(exposed, currency) for currency in currencies if _is_told(exposed, currency)}
    return Comparison(
        treated=exposed.treated, held_out=exposed.held_out, orders=_effect(exposed, None), amounts=amounts
    )


def effect(treated: Collection[float], n_treated: int, held_out: Collection[float], n_held_out: int) -> Effect:
    """Return the effect on a value of which the people named here have so much, and the others none.

    The difference's interval is Welch's; that of the lift is of the logarithm of the means' ratio (delta method).
    """
    mean_t, spread_t = _mean_and_spread(treated, n_treated)
    mean_h, spread_h = _mean_and_spread(held_out, n_held_out)
    error = math.sqrt(spread_t + spread_h)
    times = _t(_freedom(spread_t, n_treated, spread_h, n_held_out))
    difference = mean_t - mean_h
    ratio, width = mean_t / mean_h, times * math.sqrt(spread_t / mean_t**2 + spread_h / mean_h**2)
    return Effect(
        treated=mean_t,
        held_out=mean_h,
        difference=Interval(difference, difference - times * error, difference + times * error),
        lift=Interval(ratio - 1, ratio * math.exp(-width) - 1, ratio * math.exp(width) - 1),
    )


def _too_few(exposed: Exposed) -> str:
    if min(exposed.treated, exposed.held_out) < PEOPLE_MIN:
        return f"not enough people: {PEOPLE_MIN} of each group are the least"
    if not _is_told(exposed, None):
        return f"not enough orders: {BUYERS_MIN} people of each group have to have ordered"
    return ""


def _is_told(exposed: Exposed, currency: str | None) -> bool:
    return all(len(_values(exposed.bought, held_out, currency)) >= BUYERS_MIN for held_out in (True, False))


def _effect(exposed: Exposed, currency: str | None) -> Effect:
    treated, held_out = (_values(exposed.bought, held_out, currency) for held_out in (False, True))
    return effect(treated.values(), exposed.treated, held_out.values(), exposed.held_out)


def _values(bought: list[Bought], held_out: bool, currency: str | None) -> dict[bytes, float]:
    """Return what each buyer of a group has of a currency above nothing; of orders if it is None."""
    sums: defaultdict[bytes, float] = defaultdict(float)
    for one in bought:
        if one.held_out == held_out and currency in (None, one.currency):
            sums[one.person] += one.orders if currency is None else one.amount
    return {person: value for person, value in sums.items() if value > 0}


def _mean_and_spread(values: Collection[float], people: int) -> tuple[float, float]:
    """Return the mean over all people, most of whom have none, and its variance."""
    mean = sum(values) / people
    squares = sum((value - mean) ** 2 for value in values) + (people - len(values)) * mean**2
    return mean, squares / (people - 1) / people


def _freedom(spread_a: float, people_a: int, spread_b: float, people_b: int) -> float:
    """Return the degrees of freedom by Welch and Satterthwaite."""
    both = spread_a**2 / (people_a - 1) + spread_b**2 / (people_b - 1)
    return (spread_a + spread_b) ** 2 / both if both else math.inf


def _t(freedom: float) -> float:
    """Return the quantile of Student's t for CONFIDENCE (Abramowitz and Stegun 26.7.5); from 5 degrees on it is right
    to two digits.

    >>> [round(_t(freedom), 2) for freedom in (10.0, 100.0, math.inf)]
    [2.23, 1.98, 1.96]
    """
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


def sentences(comparison: Comparison) -> list[str]:
    """Return a comparison as people read it."""
    people = f"{comparison.treated:,} people treated, {comparison.held_out:,} held out"
    if comparison.why or comparison.orders is None:
        return [f"{people}: {comparison.why}"]
    amounts = [
        _sentence(f"{currency} per person", effect, minor_digits(currency))
        for currency, effect in comparison.amounts.items()
    ]
    return [people, _sentence("Orders per person", comparison.orders, None), *amounts]


def _sentence(what: str, effect: Effect, digits: int | None) -> str:
    """Return an effect in words; `digits` are those of a currency's minor units, None for a plain number."""

    def said(value: float) -> str:
        return f"{value:.4f}" if digits is None else f"{value / 10**digits:,.2f}"

    difference, lift = effect.difference, effect.lift
    return (
        f"{what}: {said(effect.treated)} treated, {said(effect.held_out)} held out; difference "
        f"{said(difference.estimate)} ({said(difference.low)} to {said(difference.high)}), lift "
        f"{lift.estimate:+.0%} ({lift.low:+.0%} to {lift.high:+.0%})"
    )
