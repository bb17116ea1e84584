"""Calendar windows compile to a unit, a number and a zone; what is no zone is told with those that look like it."""

from typing import Any

import pytest

from livepost import (
    Event,
    Profile,
    calendar_days,
    calendar_months,
    calendar_weeks,
    count,
    days,
    hours,
    latest,
    segment,
    since,
)
from livepost.errors import ProjectError
from livepost.model.compiled import CalendarSpec, FeatureSpec
from livepost.project.calendar import MOST, Calendar
from livepost.project.check import check_project
from livepost.project.compiled import compile_project
from livepost.project.declarations import Declarations, collect


class Viewed(Event):
    product_id: str


def project(**names: Any) -> Declarations:
    """Return a project whose profile holds these names."""
    return collect({"Shopper": type("Shopper", (Profile,), names)})


def spec(over: Any) -> FeatureSpec:
    """Return a feature over this window as data."""
    return compile_project(project(some=count(Viewed, over=over))).features[0]


@pytest.mark.parametrize(
    ("window", "unit", "times", "zone"),
    [
        (calendar_days(1, "Europe/Berlin"), "day", 1, "Europe/Berlin"),
        (calendar_weeks(4, "America/New_York"), "week", 4, "America/New_York"),
        (calendar_months(12, "UTC"), "month", 12, "UTC"),
    ],
)
def test_a_calendar_window_stands_instead_of_a_length_and_a_grid(
    window: Calendar, unit: Any, times: int, zone: str
) -> None:
    compiled = spec(window)
    assert compiled.calendar == CalendarSpec(unit=unit, times=times, zone=zone)
    assert (compiled.over_ms, compiled.grid_ms) == (None, None)
    assert compiled.version != spec(days(1)).version


def test_it_reads_as_it_was_written() -> None:
    assert count(Viewed, over=calendar_days(7, "Europe/Berlin")).text == (
        "count(Viewed, over=calendar_days(7, 'Europe/Berlin'))"
    )


def test_every_word_takes_it() -> None:
    today = calendar_days(1, "UTC")
    names = {"a": latest(Viewed.product_id, over=today), "b": segment(since(Viewed, over=today) >= hours(1))}
    assert check_project(project(**names)) == []
    assert [one.calendar is not None for one in compile_project(project(**names)).features] == [True, True, False]


@pytest.mark.parametrize(
    ("window", "told"),
    [
        (calendar_days(1, "Europe/Berln"), "got 'Europe/Berln' (nearest: Europe/Berlin"),
        (calendar_days(1, "europe/berlin"), "(nearest: Europe/Berlin"),
        (calendar_days(1, "berlin"), "(nearest: Europe/Berlin"),
        (calendar_days(1, "New York"), "America/New_York"),
        (calendar_days(1, "localtime"), "expected a zone of the IANA database"),
        (calendar_days(1, "../../etc/passwd"), "expected a zone of the IANA database"),
        (calendar_days(1, "qqqqqqqqqq"), "got 'qqqqqqqqqq'; choose one"),
        (calendar_days(0, "UTC"), "calendar_days() of 1 to 3,660, got 0; 1 is the day at hand"),
        (calendar_days(MOST["day"] + 1, "UTC"), "got 3661"),
        (calendar_weeks(MOST["week"] + 1, "UTC"), "of 1 to 520"),
        (calendar_months(MOST["month"] + 1, "UTC"), "of 1 to 120"),
        (calendar_days(1.5, "UTC"), "got 1.5"),  # type: ignore[arg-type]
        (calendar_days(True, "UTC"), "got True"),
    ],
)
def test_a_zone_or_a_number_that_is_none_is_refused_with_the_line(window: Calendar, told: str) -> None:
    with pytest.raises(ProjectError) as refused:
        spec(window)
    assert told in str(refused.value)
    assert "test_calendar.py:" in str(refused.value)
    assert [told in one.sentence for one in check_project(project(some=count(Viewed, over=window)))] == [True]


def test_the_bounds_themselves_are_good() -> None:
    assert spec(calendar_days(MOST["day"], "UTC")).calendar is not None
    assert spec(calendar_months(MOST["month"], "UTC")).calendar is not None


def test_a_grid_beside_a_calendar_window_is_refused() -> None:
    problems = check_project(project(some=count(Viewed, over=calendar_days(1, "UTC"), grid=hours(1))))
    assert [one.sentence for one in problems] == [
        "some: expected no grid= beside calendar_days(1, 'UTC'), which moves by its own units; drop the grid"
    ]
    assert "test_calendar.py:" in problems[0].where


@pytest.mark.parametrize("over", [7, "today", calendar_days])
def test_a_window_that_is_none_is_refused_where_it_is_written(over: Any) -> None:
    with pytest.raises(ProjectError, match=r"expected over= of count\(\) to be a window such as days\(7\)") as refused:
        count(Viewed, over=over)
    assert "test_calendar.py:" in str(refused.value)
