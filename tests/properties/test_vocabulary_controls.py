"""R5's negative controls for the vocabulary: an oracle, or DuckDB, with one rule broken is told from the right one.

The oracle itself is broken, not the engine: a case in which a broken oracle says other things is one in which an engine
broken in the same way would be found.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from livepost.expr import Arithmetic, Expr, walk
from livepost.model.compiled import CalendarSpec, CalendarUnit, FeatureSpec, Tree
from livepost.model.record import Record
from livepost.ops.parity import conditions as sql_conditions
from livepost.ops.parity import formulas
from livepost.ops.parity.fields import Side
from tests.oracle import calendar, conditions, naive, values
from tests.oracle.conditions import UNKNOWN, Truth
from tests.oracle.naive import OracleResult, essences
from tests.oracle.naive import run as naive_run
from tests.properties.driver import WORKSPACE
from tests.properties.generators import DAY, HOUR, Case, seeded_case
from tests.properties.test_parity import people_of_duckdb, people_of_oracle

CASES = 200
"""Always the same ones, for all controls; a control stops at the first that tells."""

Drawn = list[tuple[Case, OracleResult]]
Fault = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    """Return the cases, each with what the oracle says."""
    found = [seeded_case(seed) for seed in range(CASES)]
    return [(case, naive_run(case.compiled, case.records, WORKSPACE)) for case in found]


@pytest.fixture(autouse=True)
def no_beginning_remembered() -> Iterator[None]:
    """Forget the beginnings of units that a broken calendar gave."""
    yield
    calendar.begin.cache_clear()


# --- faults of the oracle -------------------------------------------------------------------------


def clocks_that_never_change(patch: pytest.MonkeyPatch) -> None:
    """Let a zone have its winter's offset all the year."""

    def winters(moment: datetime, zone: str) -> date:
        there = moment.astimezone(ZoneInfo(zone))
        return (there - (there.dst() or timedelta())).date()

    calendar.begin.cache_clear()
    patch.setattr(calendar, "clock", winters)


def days_of_24_hours(patch: pytest.MonkeyPatch) -> None:
    """Begin a calendar window so many times 24 hours before the unit at hand, not so many dates."""

    def begin(window: CalendarSpec, at: int) -> int:
        lengths = {"day": DAY, "week": 7 * DAY, "month": 30 * DAY}
        today = calendar.begin(calendar.unit_of(window, at), window.zone)
        return today - (window.times - 1) * lengths[window.unit]

    patch.setattr(values, "window_begin", begin)


def utc_for_every_zone(patch: pytest.MonkeyPatch) -> None:
    """Take the dates of UTC."""
    calendar.begin.cache_clear()
    patch.setattr(calendar, "clock", lambda moment, zone: moment.date())


def weeks_that_begin_on_sunday(patch: pytest.MonkeyPatch) -> None:
    """Begin weeks a day early."""
    first_date = calendar.first_date

    def sundays(day: date, unit: CalendarUnit) -> date:
        return day - timedelta(days=(day.weekday() + 1) % 7) if unit == "week" else first_date(day, unit)

    patch.setattr(calendar, "first_date", sundays)


def calendars_that_nobody_wakes_for(patch: pytest.MonkeyPatch) -> None:
    """Have no due time where a unit begins."""
    expiries = values.expiries

    def without(feature: FeatureSpec, fed: Any) -> Iterator[int]:
        return iter(()) if feature.calendar is not None else expiries(feature, fed)

    patch.setattr(naive, "expiries", without)


def no_cap(patch: pytest.MonkeyPatch) -> None:
    """Tell any number of values apart."""
    patch.setattr(values, "cap_of", lambda feature: 1_000)


def unknown_taken_for_false(patch: pytest.MonkeyPatch) -> None:
    """Take a comparison with what is unknown for false: two truths instead of three."""
    compared = conditions.compared

    def two_valued(*args: Any) -> Truth:
        return compared(*args) is True

    patch.setattr(conditions, "compared", two_valued)


def unknown_in_every_company(patch: pytest.MonkeyPatch) -> None:
    """Take And and Or for unknown wherever a part is."""
    all_of = conditions.all_of

    def weak(parts: list[Truth]) -> Truth:
        return UNKNOWN if any(part is UNKNOWN for part in parts) else all_of(parts)

    patch.setattr(conditions, "all_of", weak)


def who_is_unknown_leaves(patch: pytest.MonkeyPatch) -> None:
    """Let a segment lose whoever nobody can tell about, instead of keeping the bit."""
    truth = conditions.truth
    patch.setattr(naive, "truth", lambda *args: truth(*args) is True)


def division_by_zero_is_zero(patch: pytest.MonkeyPatch) -> None:
    """Give 0 instead of never."""
    computed = conditions.computed

    def lenient(sign: str, left: Any, right: Any) -> Any:
        by_zero = sign == "/" and None not in (left, right) and right is not UNKNOWN and right == 0
        return 0.0 if by_zero else computed(sign, left, right)

    patch.setattr(conditions, "computed", lenient)


def infinity_is_a_number(patch: pytest.MonkeyPatch) -> None:
    """Let what is beyond all finite numbers be compared."""

    class Math:
        isfinite = staticmethod(lambda number: not math.isnan(number))

    patch.setattr(conditions, "math", Math)


def never_counts_as_zero(patch: pytest.MonkeyPatch) -> None:
    """Compute with 0 where a side is never."""
    computed = conditions.computed

    def zero(sign: str, left: Any, right: Any) -> Any:
        return computed(sign, 0 if left is None else left, 0 if right is None else right)

    patch.setattr(conditions, "computed", zero)


def arithmetic_of_whole_numbers(patch: pytest.MonkeyPatch) -> None:
    """Divide as integers do."""
    patch.setitem(conditions.SIGNS, "/", lambda left, right: float(left // right))


def no_window_for(*kinds: str) -> Fault:
    """Return the fault that some kinds take all records there ever were."""

    def fault(patch: pytest.MonkeyPatch) -> None:
        in_window = values.in_window

        def over_all(feature: FeatureSpec, record: Record, at: int) -> bool:
            return feature.kind in kinds or in_window(feature, record, at)

        patch.setattr(values, "in_window", over_all)

    fault.__name__ = f"no_window_for_{'_or_'.join(kinds)}"
    return fault


def minimum_and_maximum_changed_about(patch: pytest.MonkeyPatch) -> None:
    """Give the one for the other."""
    patch.setitem(values.FORMULAS, "minimum", values.maximum)
    patch.setitem(values.FORMULAS, "maximum", values.minimum)


def distinct_counts_all(patch: pytest.MonkeyPatch) -> None:
    """Count a value as often as it comes."""

    def every(feature: FeatureSpec, taken: list[Record], at: int) -> Any:
        told = values.distinct(feature, taken, at)
        return told if told is UNKNOWN else len(taken)

    patch.setitem(values.FORMULAS, "distinct", every)


def exists_for_ever(patch: pytest.MonkeyPatch) -> None:
    """Say that there is one whether there is or not."""
    patch.setitem(values.FORMULAS, "exists", lambda feature, taken, at: True)


def no_facets(patch: pytest.MonkeyPatch) -> None:
    """See no facet."""
    field_of = values.field_of
    patch.setattr(values, "field_of", lambda record, name: None if "." in name else field_of(record, name))


def segments_inside_segments_are_false(patch: pytest.MonkeyPatch) -> None:
    """Take a segment named in a condition for empty."""
    truth = conditions.truth

    def empty(tree: Tree, *rest: Any) -> Truth:
        return False if tree["type"] == "segment" else truth(tree, *rest)

    patch.setattr(conditions, "truth", empty)


FAULTS: tuple[Fault, ...] = (
    clocks_that_never_change,
    days_of_24_hours,
    utc_for_every_zone,
    weeks_that_begin_on_sunday,
    calendars_that_nobody_wakes_for,
    no_cap,
    unknown_taken_for_false,
    unknown_in_every_company,
    who_is_unknown_leaves,
    division_by_zero_is_zero,
    infinity_is_a_number,
    never_counts_as_zero,
    arithmetic_of_whole_numbers,
    no_window_for("minimum", "maximum"),
    no_window_for("latest", "first"),
    no_window_for("since"),
    no_window_for("distinct"),
    no_window_for("exists"),
    minimum_and_maximum_changed_about,
    distinct_counts_all,
    exists_for_ever,
    no_facets,
    segments_inside_segments_are_false,
)


def test_without_a_fault_the_oracle_says_the_same_again(drawn: Drawn) -> None:
    assert len(drawn) == CASES
    assert not any(differs(case, expected) for case, expected in drawn[:30])


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_an_oracle_with_a_fault_says_something_else(
    fault: Fault, drawn: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault(monkeypatch)
    assert any(differs(case, expected) for case, expected in drawn)


def differs(case: Case, expected: OracleResult) -> bool:
    """Say whether the oracle's transitions, outbox or people are others than before."""
    now = naive_run(case.compiled, case.records, WORKSPACE)
    return (
        essences(now.transitions) != essences(expected.transitions)
        or essences(now.outbox) != essences(expected.outbox)
        or {name: dataclasses.astuple(person) for name, person in now.people.items()}
        != {name: dataclasses.astuple(person) for name, person in expected.people.items()}
    )


# --- faults of DuckDB's statements ----------------------------------------------------------------


def windows_an_hour_off(patch: pytest.MonkeyPatch) -> None:
    """Begin calendar windows an hour late."""
    begin = formulas.window_begin
    patch.setattr(formulas, "window_begin", lambda window, at: begin(window, at) + HOUR)


def a_cap_of_a_thousand(patch: pytest.MonkeyPatch) -> None:
    """Overlook the author's caps."""
    patch.setattr(formulas.Formula, "_cap", lambda formula: "1000")


def nan_compared_as_a_number(patch: pytest.MonkeyPatch) -> None:
    """Compare what is unknown as DuckDB does: larger than all."""
    comparison = sql_conditions._comparison

    def known(op: str, left: Side, right: Side) -> str:
        return comparison(op, *(dataclasses.replace(side, unknown=False) for side in (left, right)))

    patch.setattr(sql_conditions, "_comparison", known)


def plus_and_minus_changed_about(patch: pytest.MonkeyPatch) -> None:
    """Add where to subtract, and the other way round."""
    computed, others = sql_conditions._computed, {"+": "-", "-": "+"}
    patch.setattr(sql_conditions, "_computed", lambda sign, *sides: computed(others.get(sign, sign), *sides))  # type: ignore[arg-type]


def zero_for_never(patch: pytest.MonkeyPatch) -> None:
    """Compute with 0 where a side is never, as on a division by zero."""
    computed = sql_conditions._computed

    def zero(sign: Any, left: Side, right: Side) -> Side:
        told = computed(sign, left, right)
        return dataclasses.replace(told, sql=f"coalesce({told.sql}, 0)")

    patch.setattr(sql_conditions, "_computed", zero)


def all_time_for_every_calendar(patch: pytest.MonkeyPatch) -> None:
    """Begin no calendar window at all."""
    patch.setattr(formulas, "window_begin", lambda window, at: 0)


@pytest.mark.parametrize(
    "fault",
    [
        windows_an_hour_off,
        a_cap_of_a_thousand,
        nan_compared_as_a_number,
        plus_and_minus_changed_about,
        zero_for_never,
        all_time_for_every_calendar,
    ],
)
def test_duckdb_with_a_fault_is_not_what_the_oracle_says(
    fault: Fault, drawn: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault(monkeypatch)
    told = (each for each in drawn if could_tell(each[0], fault))
    assert any(people_of_duckdb(case, expected) != people_of_oracle(expected) for case, expected in told)


def could_tell(case: Case, fault: Fault) -> bool:
    """Say whether a case has what a fault is about: to ask DuckDB of all of them would take minutes."""
    if fault in (plus_and_minus_changed_about, zero_for_never):
        return any(isinstance(node, Arithmetic) for node in nodes(case))
    if fault in (windows_an_hour_off, all_time_for_every_calendar):
        return any(spec.calendar is not None for spec in case.compiled.features)
    return any(spec.cap is not None for spec in case.compiled.features)


def nodes(case: Case) -> Iterator[Expr]:
    """Yield every node of every segment's condition."""
    for segment in case.compiled.segments:
        yield from walk(msgspec.convert(segment.condition, Expr))
