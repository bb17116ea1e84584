"""What the generators make happen: each word, window and form of a condition in enough of the cases, and to effect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from livepost.model.compiled import CalendarSpec, CampaignSpec, FeatureSpec, Tree
from livepost.model.decision import Transition
from livepost.model.record import Record
from tests.oracle.calendar import tile_end, unit_of
from tests.oracle.conditions import UNKNOWN, Truth
from tests.oracle.naive import Journey, Naive, Occasion, Person
from tests.oracle.values import in_window
from tests.properties.driver import WORKSPACE
from tests.properties.generators import Case, cases

CASES = 250
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

WANTED = {
    "count is fed": 0.2,
    "total is fed": 0.03,
    "mean is fed": 0.03,
    "minimum is fed": 0.03,
    "maximum is fed": 0.03,
    "exists is fed": 0.1,
    "since is fed": 0.15,
    "latest is fed": 0.04,
    "first is fed": 0.04,
    "recent is fed": 0.04,
    "top is fed": 0.05,
    "distinct is fed": 0.15,
    "since over a window": 0.1,
    "latest or first over a window": 0.08,
    "a facet is counted": 0.1,
    "a facet in where": 0.05,
    "arithmetic in where": 0.01,
    "arithmetic": 0.3,
    "a division": 0.1,
    "alternatives": 0.2,
    "a segment of a segment": 0.1,
    "late within a window": 0.3,
    "late within a window, and somebody enters or leaves": 0.06,
    "late within a calendar window": 0.1,
    "a segment is unknown": 0.04,
    "a segment is known again": 0.02,
    "unknown and in": 0.04,
    "clocks change within a unit": 0.08,
    "a unit begins, and somebody enters or leaves": 0.06,
    "people merge": 0.2,
    "a mail waits for quiet hours to end": 0.1,
    "a mail waits for a time of day": 0.1,
    "a later mail is decided": 0.1,
    "a cap on all campaigns is reached": 0.02,
    "a person says a zone": 0.3,
}
"""In which share of the cases each thing has to happen at least once."""


@pytest.fixture(scope="module")
def seen() -> Counter[str]:
    """Return in how many of the cases each thing happens."""
    found: Counter[str] = Counter()

    @settings(
        derandomize=True,
        database=None,
        deadline=None,
        max_examples=CASES,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases())
    def look(case: Case) -> None:
        found["cases"] += 1
        found.update(set(happenings(case)))

    look()
    return found


def test_every_word_of_the_vocabulary_is_used_to_effect(seen: Counter[str]) -> None:
    assert seen["cases"] == CASES
    assert too_rare(seen) == {}


def test_what_never_happens_is_noticed(seen: Counter[str]) -> None:
    for name in WANTED:
        assert too_rare(seen | Counter()) == {}
        without = Counter({each: count for each, count in seen.items() if each != name})
        assert too_rare(without) == {name: 0}


def too_rare(seen: Counter[str]) -> dict[str, int]:
    """Return what happens in fewer cases than wanted, with in how many it does."""
    return {name: seen[name] for name, share in WANTED.items() if seen[name] < share * seen["cases"]}


class Watching(Naive):
    """The oracle, noting what of interest it meets."""

    def __init__(self, case: Case) -> None:
        super().__init__(case.compiled, case.records, WORKSPACE)
        self.found: set[str] = set()
        self.unknown: set[tuple[bytes, str]] = set()

    def inside(self, person: Person, condition: Tree, at: int) -> Truth:
        """Note unknown conditions, and those that are told again."""
        told = super().inside(person, condition, at)
        for name in [name for name, each in self.conditions.items() if each is condition]:
            if told is UNKNOWN:
                self.unknown.add((person.name, name))
                self.found.add("unknown and in" if person.bits.get(name) else "a segment is unknown")
            elif (person.name, name) in self.unknown:
                self.found.add("a segment is known again")
        return told

    def skip(self, person: Person, campaign: CampaignSpec, occasion: Occasion) -> str:
        """Note caps that only hold for all campaigns together."""
        told = super().skip(person, campaign, occasion)
        alone = msgspec.structs.replace(campaign, overall=())
        if told == "cap" and super().skip(person, alone, occasion) != "cap":
            self.found.add("a cap on all campaigns is reached")
        return told

    def arrive(self, person: Person, campaign: CampaignSpec, journey: Journey, occasion: Occasion) -> None:
        """Note what mails wait for, and later ones."""
        due = journey.due
        super().arrive(person, campaign, journey, occasion)
        if journey.due != due:
            self.found.add("a mail waits for quiet hours to end")
        elif journey.step:
            self.found.add("a later mail is decided")
        if person.zone is not None:
            self.found.add("a person says a zone")
        if campaign.at is not None and not journey.step:
            self.found.add("a mail waits for a time of day")

    def merge(self, one: Person, other: Person, record: Record) -> None:
        """Note merges."""
        self.found.add("people merge")
        super().merge(one, other, record)


def happenings(case: Case) -> Iterator[str]:
    """Yield what happens in a case."""
    engine = Watching(case)
    result = engine.finish([engine.take(record) for record in case.records])
    yield from engine.found
    people = {id(person): person for person in engine.person_by_subject.values()}
    for person in people.values():
        for spec in case.compiled.features:
            for record in person.fed.get(spec.name, []):
                yield from told_by_feeding(spec, record, engine.transitions)
    for segment in case.compiled.segments:
        yield from forms(segment.condition)
    for moved in result.transitions:
        if moved.at < case.records[moved.position].stamp and begins_a_unit(case, moved.at):
            yield "a unit begins, and somebody enters or leaves"


def told_by_feeding(spec: FeatureSpec, record: Record, moved: list[Transition]) -> Iterator[str]:
    """Yield what it is that a record feeds, and how late."""
    yield f"{spec.kind} is fed"
    windowed = spec.over_ms is not None or spec.calendar is not None
    if windowed and spec.kind == "since":
        yield "since over a window"
    if windowed and spec.kind in ("latest", "first"):
        yield "latest or first over a window"
    if spec.field is not None and "." in spec.field:
        yield "a facet is counted"
    if spec.where is not None:
        yield from (f"{form} in where" for form in forms(spec.where))
    if is_late(spec, record):
        yield "late within a window" if spec.calendar is None else "late within a calendar window"
        if any(each.position == record.seq and each.at == record.stamp for each in moved):
            yield "late within a window, and somebody enters or leaves"
    if spec.calendar is not None and is_uneven(spec.calendar, record.effective_ts):
        yield "clocks change within a unit"


def is_late(spec: FeatureSpec, record: Record) -> bool:
    """Say whether a record comes when its tile is no longer the newest, but still in the window."""
    if not in_window(spec, record, record.stamp):
        return False
    if spec.calendar is not None:
        return unit_of(spec.calendar, record.effective_ts) < unit_of(spec.calendar, record.stamp)
    return spec.over_ms is not None and record.stamp - record.effective_ts >= (spec.grid_ms or 0)


def is_uneven(window: CalendarSpec, at: int) -> bool:
    """Say whether clocks change between a time and when its unit leaves the window."""
    begin, end = (EPOCH + timedelta(milliseconds=each) for each in (at, tile_end(window, at)))
    zone = ZoneInfo(window.zone)
    return begin.astimezone(zone).utcoffset() != end.astimezone(zone).utcoffset()


def begins_a_unit(case: Case, at: int) -> bool:
    """Say whether a unit of some calendar window begins at a time."""
    calendars = [spec.calendar for spec in case.compiled.features if spec.calendar is not None]
    return any(unit_of(each, at) != unit_of(each, at - 1) for each in calendars)


def forms(tree: Tree) -> Iterator[str]:
    """Yield the forms that a condition has."""
    match tree["type"]:
        case "segment":
            yield "a segment of a segment"
        case "field" if "." in tree["name"]:
            yield "a facet"
        case "compare" | "arithmetic":
            if tree["type"] == "arithmetic":
                yield "arithmetic"
            if tree.get("sign") == "/":
                yield "a division"
            yield from forms(tree["left"])
            yield from forms(tree["right"])
        case "not":
            yield from forms(tree["of"])
        case "and" | "or":
            yield from ["alternatives"] if tree["type"] == "or" else []
            for part in tree["of"]:
                yield from forms(part)
