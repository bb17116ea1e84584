"""The words for calendar windows: the day, week or month at hand in a zone, and those before it."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from livepost.errors import ProjectError
from livepost.model.compiled import CalendarSpec, CalendarUnit
from livepost.model.hours import zones

MOST: dict[CalendarUnit, int] = {"day": 3_660, "week": 520, "month": 120}
"""How many units a window may have: ten years."""
NEAREST = 3


@dataclass(frozen=True, slots=True)
class Calendar:
    """The unit at hand and the `times` - 1 before it, in an IANA zone; `calendar_spec` checks both."""

    unit: CalendarUnit
    times: int
    zone: str

    @property
    def text(self) -> str:
        """The window as an author writes it."""
        return f"calendar_{self.unit}s({self.times}, {self.zone!r})"


def calendar_days(number: int, zone: str) -> Calendar:
    """Return the window of today and the `number` - 1 days before, as days go in an IANA zone ("Europe/Berlin")."""
    return Calendar("day", number, zone)


def calendar_weeks(number: int, zone: str) -> Calendar:
    """Return the window of this week, from Monday, and the `number` - 1 weeks before, in an IANA zone."""
    return Calendar("week", number, zone)


def calendar_months(number: int, zone: str) -> Calendar:
    """Return the window of this month and the `number` - 1 months before, in an IANA zone."""
    return Calendar("month", number, zone)


def calendar_spec(calendar: Calendar) -> CalendarSpec:
    """Return a calendar window as data; `ProjectError` for a zone that is none, or a number out of bounds."""
    unit, times, zone = calendar.unit, calendar.times, calendar.zone
    if isinstance(times, bool) or not isinstance(times, int) or not 1 <= times <= MOST[unit]:
        raise ProjectError(
            f"expected calendar_{unit}s() of 1 to {MOST[unit]:,}, got {times!r}; 1 is the {unit} at hand"
        )
    if zone not in zones():
        raise no_zone(zone)
    return CalendarSpec(unit=unit, times=times, zone=zone)


def no_zone(zone: object) -> ProjectError:
    """Return what is wrong with the name of a zone that is none."""
    return ProjectError(
        f"expected a zone of the IANA database such as 'Europe/Berlin', got {zone!r}{_nearest(zone)}; choose one"
    )


def _nearest(zone: object) -> str:
    """Return the names that look like it, spelled as they are."""
    by_folded = {name.casefold(): name for name in sorted(zones())}
    by_city = {name.rpartition("/")[2]: name for name in by_folded}
    asked = str(zone).casefold().replace(" ", "_")
    near = [*get_close_matches(asked, by_folded, NEAREST), *get_close_matches(asked, by_city, NEAREST)]
    names = dict.fromkeys(by_folded[by_city.get(name, name)] for name in near)
    return f" (nearest: {', '.join(list(names)[:NEAREST])})" if names else ""
