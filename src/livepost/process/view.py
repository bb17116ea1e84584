"""One person as others read them: the row at a moment, seals unopened. The plain form of what rounds do for many."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from livepost.engine import picks
from livepost.engine.program import MICRO, Program, Reading
from livepost.engine.row import NEVER, Row
from livepost.engine.window import sums_at
from livepost.model import journal as journals
from livepost.model.journal import Journal
from livepost.model.moment import NO_DUE
from livepost.model.person import JourneyView, MembershipView, PersonView
from livepost.model.record import SealedValue
from livepost.process.people import People


def view_of(people: People, number: int) -> PersonView:
    """Return the person with this number, as of the people's position and time."""
    row = people.row(number)
    book = journals.read(row.journal)
    fixed = people.fixed[number]
    values = _values(people, number, row)
    due = int(min(fixed["due"], fixed["journey"]))
    return PersonView(
        person=row.name,
        subjects=row.subjects,
        position=people.position,
        as_of=people.as_of,
        features={name: value for name, value in values.items() if not isinstance(value, SealedValue)},
        sealed={name: value for name, value in values.items() if isinstance(value, SealedValue)},
        memberships=_memberships(people.program, fixed),
        journeys=_journeys(book),
        consents={purpose: said.allowed for purpose, said in journals.standing(book.consents).items()},
        next_due=None if due == NO_DUE else due,
    )


def _memberships(program: Program, fixed: np.void) -> tuple[MembershipView, ...]:
    columns = [fixed[part].tolist()[: len(program.rules)] for part in ("inside", "unknown", "changed", "numbers")]
    return tuple(
        MembershipView(segment=rule.name, inside=inside, unknown=unknown, since=since, number=number)
        for rule, inside, unknown, since, number in zip(program.rules, *columns, strict=True)
    )


def _journeys(book: Journal) -> tuple[JourneyView, ...]:
    return tuple(
        JourneyView(
            campaign=name,
            entered_at=journey.entered_at,
            due=journey.due,
            cause_text=journey.cause_text,
            step=journey.step,
        )
        for name, memory in book.campaigns.items()
        if (journey := memory.journey) is not None
    )


def _values(people: People, number: int, row: Row) -> dict[str, Any]:
    held = picks.decode(row.picks, people.program)
    sums = sums_at(row.tiles, people.program.windows, people.as_of)
    values = {}
    for name, reading in people.program.readings.items():
        if reading.pick is not None:
            pick = people.program.picks[reading.pick]
            picked = None if pick is None else pick.value(held[reading.pick], people.as_of)
            values[name] = _sealed(picked) if reading.spec.personal else _money(people, reading, picked)
        else:
            values[name] = _number(people, people.fixed[number], sums, reading)
    return values


def _number(people: People, fixed: np.void, sums: list[int], reading: Reading) -> Any:
    if reading.last is not None:
        last = _last(people, fixed, reading)
        if reading.spec.kind == "exists":
            return last != NEVER
        return None if last == NEVER else people.as_of - last
    if reading.spec.kind == "count":
        return _sum(fixed, sums, reading, reading.count)
    total = _sum(fixed, sums, reading, reading.total)
    scaled = total / MICRO if reading.micro else total
    if reading.spec.kind == "total":
        return _money(people, reading, scaled)
    count = _sum(fixed, sums, reading, reading.count)
    return scaled / count if count else None


def _last(people: People, fixed: np.void, reading: Reading) -> int:
    last = int(fixed["lasts"][reading.last])
    return last if reading.window is None or last >= int(reading.window.oldest(people.as_of)) else NEVER


def _money(people: People, reading: Reading, value: Any) -> Any:
    """Return money that was computed with: its currency is the project's. A value of an event brings its own."""
    computed = reading.spec.type == "money" and isinstance(value, int)
    return [value, people.program.compiled.currency] if computed else value


def _sum(fixed: np.void, sums: list[int], reading: Reading, slot: int | None) -> int:
    assert slot is not None
    return sums[slot] if reading.windowed else int(fixed["sums"][slot])


def _sealed(value: Any) -> Any:
    return None if value is None else msgspec.convert(value, SealedValue)
