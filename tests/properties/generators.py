"""Hypothesis strategies for small projects, and for logs that make their rules bite.

Out: a `Case`: a compiled project and its log as appended blocks (all records of a block have one stamp; seq
runs on from 0). Time steps and ages of events are drawn from what the project itself names (windows, grids,
calendars, waits, constants, and one millisecond to either side), so that boundaries are hit instead of missed; logs
begin shortly before the days on which clocks change.

Promised of a log: stamps never fall; effective_ts <= stamp; one subject id is always known or always not; two
processed records never share (effective_ts, message_id) unless they are copies of one another.

Everything is drawn as small integers through `Dice`: a strategy for each record took five times as long.
The first of several options is the one hypothesis shrinks to.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
from hypothesis import strategies as st

from livepost.ids import digest
from livepost.model.compiled import (
    CalendarSpec,
    CampaignSpec,
    CapSpec,
    Compiled,
    EventSpec,
    FeatureSpec,
    FieldSpec,
    SegmentSpec,
    StepSpec,
    Tree,
)
from livepost.model.hours import QuietHours
from livepost.model.record import KeyKind, Kind, Mention, Origin, Record, Verdict
from tests.oracle.calendar import tile_end, window_begin

T = TypeVar("T")

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
START = 1_767_225_600_000 + 5 * HOUR  # 2026-01-01 05:00 UTC: on the hour, not on the day
STARTS = {
    "Europe/Berlin": (
        1_774_616_400_000,
        1_792_839_600_000,
    ),  # 2026-03-27 13:00 UTC, on the 29th clocks go on; 10-24 11:00
    "UTC": (START,),
    "America/St_Johns": (
        1_772_870_400_000,
        1_289_037_600_000,
    ),  # 2026-03-07 08:00; 2010-11-06 10:00: a minute of the 7th
    "Africa/Cairo": (1_776_895_200_000,),  # 2026-04-22 22:00: the 24th begins at one
    "Pacific/Apia": (1_325_073_600_000,),  # 2011-12-28 12:00: the 31st follows the 29th
}
"""Zones, each with moments (UTC, ms) shortly before its clocks change."""
ZONES = tuple(STARTS)
MAX_RECORDS = 60

EVENT_NAMES = ("Viewed", "Ordered", "Added", "$identify")
PURPOSES = ("marketing", "service")
PLAIN_KINDS = ("count",) * 3 + ("since",) * 3 + ("total", "mean", "recent", "top", "latest", "first")
KINDS = (*PLAIN_KINDS, "distinct", "distinct", "distinct", "top", "minimum", "maximum", "exists", "exists")
OPERATORS = (">=", ">=", "==", "==", ">", "<", "<=", "!=")
WINDOWS = (DAY, HOUR, 10 * SECOND, MINUTE, HOUR, 6 * HOUR, DAY, 3 * DAY, 7 * DAY, 30 * DAY, 90 * DAY)
LONG_WINDOWS = (7 * DAY, DAY, 30 * DAY, 90 * DAY)
WAITS = (0, 0, HOUR, HOUR, 2 * HOUR, DAY, 10 * SECOND)
SINCES = (HOUR, 0, 10 * SECOND, 2 * HOUR, DAY, 7 * DAY)
FRESHES = (HOUR, DAY, 40 * DAY, HOUR, 40 * DAY, DAY, MINUTE, 0)
STEPS = (0, 0, 1, SECOND, MINUTE, 10 * MINUTE)
LEAPS = (HOUR, 3 * HOUR, DAY, DAY + 1, 10 * DAY, 31 * DAY)
AGES = (5 * DAY, 30 * DAY - 1, 30 * DAY, 30 * DAY + 1, 40 * DAY)
MOSTLY_LIVE = (Origin.LIVE,) * 12 + (Origin.IMPORT, Origin.BACKFILL)
SIZES = (1, 5, 15, *range(20, MAX_RECORDS, 2), MAX_RECORDS)  # hypothesis likes the first ones
VERDICTS = (Verdict.ACCEPTED,) * 37 + (Verdict.FILTERED, Verdict.QUARANTINED, Verdict.DEAD)

TYPES: dict[str, Any] = {
    "units": "int",
    "item": "str",
    "price": "money",
    "rating": "float",
    "gift": "bool",
    "first_name": "str",
}
PERSONAL = frozenset({"first_name"})
FACETS: dict[str, tuple[str, ...]] = {
    "email.domain": ("example.com", "example.org", "example.net", "example.edu"),
    "ip.country": ("DE", "AT", "CH", "FR"),
}
CLOCKS = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Chatham")
VALUES: dict[str, tuple[Any, ...]] = {
    "units": (1, 2, 3, 0, -1),
    "item": ("a", "b", "c", "d"),
    "price": ([500, "USD"], [1_999, "USD"], [-500, "USD"], [1, "USD"]),
    "rating": (0.1, 0.2, 0.3, 4.5, -0.1, 1e-7, 2.5e-6, 1e9 + 0.1),
    "gift": (True, False),
    "first_name": (b"seal-1", b"seal-2", b"seal-3"),
    **FACETS,
}
BOUNDS: dict[str, tuple[Any, ...]] = {
    "count": (1, 2, 3, 0),
    "distinct": (1, 2, 3),
    "since": SINCES,
    "str": ("a", "b", "DE", "example.com"),
    "int": (1, 2, 3, 0),
    "float": (0.3, 0.1, 4.5),
    "bool": (True, False),
    "money": (500, 1_000, 0, 1_999),
}
FACTORS = (2, 1e308, 0, 0.5, -1, 3, 0.1, 1e308)
RESULTS = (1, 0, 0.5, 2, 0.3, 500, 1_000, -1)
CAPS = (2, 1, 2, 3)
TAKES = {
    "minimum": ("int", "float", "money"),
    "maximum": ("int", "float", "money"),
    "distinct": ("str", "int", "str", "bool"),
    "total": ("int", "float", "money"),
    "mean": ("int", "float", "money"),
    "recent": ("str", "int", "bool"),
    "top": ("str", "int"),
    "latest": ("str", "int", "float", "money", "bool"),
    "first": ("str", "int", "float", "money", "bool"),
}


@dataclass(frozen=True)
class Case:
    """A project and its log."""

    compiled: Compiled
    blocks: list[list[Record]]

    @property
    def records(self) -> list[Record]:
        """The whole log, flat."""
        return [record for block in self.blocks for record in block]

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Be printed by hypothesis, which has its own way with dataclasses."""
        printer.text(repr(self))

    def __repr__(self) -> str:
        """Return the project, and of each record what tells it from others: whole, hypothesis finds it too long."""
        logged = [[telling(record) for record in block] for block in self.blocks]
        return f"Case({msgspec.json.encode(self.compiled).decode()}, {logged!r})"[:REPR_MAX]


REPR_MAX = 25_000
"""How much of a failing case is printed: over 30,000 characters hypothesis warns, which is an error here."""

UNTOLD = ("timestamp", "received_at", "content_hash")
"""What a failing case does not print of a record: it follows from the rest."""


def telling(record: Record) -> dict[str, Any]:
    """Return the parts of a record that are not as usual."""
    usual = Record()
    parts = {name: getattr(record, name) for name in record.__struct_fields__ if name not in UNTOLD}
    return {name: part for name, part in parts.items() if part != getattr(usual, name)}


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Return cases: a project, and a log that fits it."""
    compiled = any_project(Dice(draw))
    return Case(compiled, any_log(Dice(draw), compiled))


@st.composite
def projects(draw: st.DrawFn) -> Compiled:
    """Return projects: 1-4 events, 1-8 features, 1-4 segments, 1-3 campaigns."""
    return any_project(Dice(draw))


@st.composite
def logs(draw: st.DrawFn, compiled: Compiled) -> list[list[Record]]:
    """Return logs as appended blocks: 1-60 records, some late, copied, imported, in conflict."""
    return any_log(Dice(draw), compiled)


@lru_cache(maxsize=256)
def below(count: int) -> st.SearchStrategy[int]:
    """Return a strategy of 0..count - 1."""
    return st.integers(0, count - 1)


class Dice:
    """Draws of small integers, which hypothesis can shrink."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[self.draw(below(len(options)))] if len(options) > 1 else options[0]

    def chance(self, one_in: int) -> bool:
        """Return True once in so many times."""
        return self.draw(below(one_in)) == one_in - 1

    def some(self, options: Sequence[T], at_most: int) -> list[T]:
        """Return 1 to `at_most` different options, in the order given."""
        left, taken = list(options), []
        for _ in range(1 + self.draw(below(min(at_most, len(left))))):
            taken.append(left.pop(self.draw(below(len(left)))))
        return [option for option in options if option in taken]


class Seeded(Dice):
    """Dice that fall by a seed: faster than hypothesis's, and nothing here needs shrinking."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return self._random.choice(options)

    def chance(self, one_in: int) -> bool:
        """Return True once in so many times."""
        return self._random.randrange(one_in) == 0

    def some(self, options: Sequence[T], at_most: int) -> list[T]:
        """Return 1 to `at_most` different options, in the order given."""
        taken = self._random.sample(range(len(options)), self._random.randint(1, min(at_most, len(options))))
        return [options[place] for place in sorted(taken)]


def seeded_case(seed: int) -> Case:
    """Return a case by a seed: as `cases` draws them, in a tenth of the time, for what needs no shrinking."""
    dice = Seeded(seed)
    compiled = any_project(dice)
    return Case(compiled, any_log(dice, compiled))


# --- projects -------------------------------------------------------------------------------------


def any_project(dice: Dice) -> Compiled:
    """Return a project."""
    events = tuple(any_event(dice, name) for name in EVENT_NAMES[: dice.pick((1, 2, 2, 3, 4))])
    features = tuple(any_feature(dice, f"f{place}", events) for place in range(dice.pick((2, 3, 4, 5, 6, 8, 1))))
    segments: list[SegmentSpec] = []
    for place in range(dice.pick((1, 2, 3, 4))):
        earlier = [segment.name for segment in segments]
        condition = any_condition(dice, features, earlier)
        segments.append(SegmentSpec(name=f"s{place}", condition=condition, version=version_of(condition)))
    campaigns = tuple(any_campaign(dice, f"c{place}", events, segments) for place in range(dice.pick((1, 2, 3))))
    return Compiled(profile="Shopper", events=events, features=features, segments=tuple(segments), campaigns=campaigns)


def any_event(dice: Dice, name: str) -> EventSpec:
    """Return an event with some of the fields; every one may be missing from a record."""
    fields = tuple(field_spec(field) for field in dice.some(list(TYPES), at_most=6))
    return EventSpec(name=name, cls=name.strip("$").title(), fields=fields)


def field_spec(name: str) -> FieldSpec:
    """Return the declaration of one of the fields."""
    return FieldSpec(
        name=name,
        keys=(name,),
        type=TYPES[name],
        required=False,
        personal=name in PERSONAL,
        currency_key="currency" if TYPES[name] == "money" else None,
    )


def any_feature(dice: Dice, name: str, events: tuple[EventSpec, ...]) -> FeatureSpec:
    """Return a feature of any kind that its event's fields and the facets allow, with any window, where and cap."""
    event = dice.pick(events)
    fields = (*event.fields, *(FieldSpec(name=facet, keys=(), type="str") for facet in FACETS))
    spec = any_kind(dice, name, event, fields, KINDS)
    match dice.pick(("over", "over", "over", "calendar", "calendar", "for ever")):
        case "over":
            spec = with_window(dice, spec, WINDOWS if spec.kind != "distinct" else LONG_WINDOWS)
        case "calendar":
            spec = msgspec.structs.replace(spec, calendar=any_calendar(dice))
    cap = dice.pick(CAPS) if spec.kind in ("top", "distinct") else None
    return versioned(msgspec.structs.replace(spec, cap=cap, where=any_where(dice, fields) if dice.chance(4) else None))


def any_kind(
    dice: Dice, name: str, event: EventSpec, fields: tuple[FieldSpec, ...], kinds: tuple[str, ...]
) -> FeatureSpec:
    """Return a feature of all time of one of the kinds; a count if there is no field for it."""
    kind: Any = dice.pick(kinds)
    fits = [field for field in fields if takes(kind, field)]
    if kind in TAKES and not fits:
        kind = "count"
    field = dice.pick(fits) if kind in TAKES else None
    return FeatureSpec(
        name=name,
        kind=kind,
        event=event.name,
        field=field.name if field else None,
        n=dice.pick((1, 2, 3)) if kind in ("recent", "top") else None,
        type=value_type(kind, field),
        personal=bool(field and field.personal),
        secret_only=dice.chance(10),
    )


def with_window(dice: Dice, spec: FeatureSpec, windows: Sequence[int] = WINDOWS) -> FeatureSpec:
    """Return the feature over a window of so many milliseconds."""
    over = dice.pick(windows)
    return msgspec.structs.replace(spec, over_ms=over, grid_ms=dice.pick(grids(over)))


def any_calendar(dice: Dice) -> CalendarSpec:
    """Return a calendar window of up to three days, weeks or months."""
    return CalendarSpec(
        unit=dice.pick(("day", "week", "month", "day")), times=dice.pick((2, 1, 3, 1)), zone=dice.pick(ZONES)
    )


def versioned(spec: FeatureSpec) -> FeatureSpec:
    """Return the feature with its version."""
    return msgspec.structs.replace(spec, version=version_of(msgspec.to_builtins(spec)))


def takes(kind: str, field: FieldSpec) -> bool:
    """Say whether a kind of feature takes a field; a personal one goes into latest and first only."""
    return field.type in TAKES.get(kind, ()) and (not field.personal or kind in ("latest", "first"))


def grids(over: int) -> list[int]:
    """Return grids that divide the window: the default one, smaller ones, the window itself."""
    default = SECOND if over <= HOUR else 5 * MINUTE if over <= DAY else HOUR if over <= 7 * DAY else DAY
    others = {grid for grid in (SECOND, MINUTE, HOUR, over // 10, over // 2, over) if over % grid == 0}
    return [default, default, *sorted(others)]


def value_type(kind: str, field: FieldSpec | None) -> Any:
    """Return the type of a feature's value."""
    fixed = {"mean": "float", "recent": "list", "top": "list", "exists": "bool"}
    fixed |= dict.fromkeys(("count", "since", "distinct"), "int")
    return fixed.get(kind) or (field.type if field else "int")


def any_comparison_of_field(dice: Dice, fields: Sequence[FieldSpec]) -> Tree | None:
    """Return a comparison of an open field with a constant, possibly negated; None if there is none."""
    open_fields = [field for field in fields if not field.personal]
    if not open_fields:
        return None
    field = dice.pick(open_fields)
    bound = node("const", dice.pick(BOUNDS[field.type]))
    tree = compare(node("field", field.name), dice.pick(OPERATORS), bound)
    return negation(tree) if dice.chance(4) else tree


def any_where(dice: Dice, fields: tuple[FieldSpec, ...]) -> Tree | None:
    """Return a condition over the open fields and the facets of an event."""
    numbers = [field.name for field in fields if field.type in ("int", "float", "money")]
    match dice.pick(("compare", "compare", "in", "arithmetic", "both")):
        case "in":
            field = dice.pick([field for field in fields if not field.personal])
            return one_of(dice, node("field", field.name), BOUNDS[field.type])
        case "arithmetic" if numbers:
            number = any_number(dice, [node("field", name) for name in numbers])
            return compare(number, dice.pick(OPERATORS), node("const", dice.pick(RESULTS)))
        case "both":
            parts = [any_comparison_of_field(dice, fields), any_comparison_of_field(dice, fields)]
            return {"type": dice.pick(("and", "or")), "of": parts}
        case _:
            return any_comparison_of_field(dice, fields)


def any_condition(dice: Dice, features: tuple[FeatureSpec, ...], earlier: list[str]) -> Tree:
    """Return a condition of 1-3 comparisons of any form, and perhaps an earlier segment, nested and negated."""
    parts = [any_leaf(dice, features) for _ in range(dice.pick((1, 1, 2, 3)))]
    if earlier and dice.chance(3):
        parts.append(node("segment", dice.pick(earlier)))
    return joined(dice, parts)


def joined(dice: Dice, parts: list[Tree]) -> Tree:
    """Return the parts as one condition."""
    parts = [negation(part) if dice.chance(5) else part for part in parts]
    while len(parts) > 1:
        both = {"type": dice.pick(("and", "or")), "of": parts[:2]}
        parts = [negation(both) if dice.chance(5) else both, *parts[2:]]
    return parts[0]


def any_leaf(dice: Dice, features: tuple[FeatureSpec, ...]) -> Tree:
    """Return a comparison, an `in_` or a comparison of a number that is computed."""
    usable = [each for each in features if not each.personal and each.type != "list"]
    numbers = [each.name for each in usable if each.kind != "since" and each.type in ("int", "float", "money")]
    capped = tuple(each for each in usable if each.kind == "distinct")
    match dice.pick(("compare", "compare", "arithmetic", "arithmetic", "distinct", "distinct", "in")):
        case "distinct" if capped:
            return any_comparison(dice, capped)
        case "arithmetic" if numbers:
            sides = [node("feature", name) for name in numbers]
            left, op = any_number(dice, sides), dice.pick(OPERATORS)
            right = any_number(dice, sides) if dice.chance(4) else node("const", dice.pick(RESULTS))
            return compare(left, op, right)
        case "in" if usable:
            feature = dice.pick(usable)
            return one_of(dice, node("feature", feature.name), BOUNDS.get(feature.kind) or BOUNDS[feature.type])
        case _:
            return any_comparison(dice, features)


def any_number(dice: Dice, sides: list[Tree]) -> Tree:
    """Return 1-2 operations on numbers and constants."""
    left, right = dice.pick(sides), node("const", dice.pick(FACTORS)) if dice.chance(2) else dice.pick(sides)
    tree = {"type": "arithmetic", "sign": dice.pick(("+", "-", "*", "/")), "left": left, "right": right}
    if not dice.chance(3):
        return tree
    sides = [tree, dice.pick(sides)] if dice.chance(2) else [node("const", dice.pick(FACTORS)), tree]
    return {"type": "arithmetic", "sign": dice.pick(("+", "-", "*", "/")), "left": sides[0], "right": sides[1]}


def one_of(dice: Dice, this: Tree, bounds: Sequence[Any]) -> Tree:
    """Return what `in_` compiles to: an Or of equalities."""
    return {"type": "or", "of": [compare(this, "==", node("const", each)) for each in dice.some(bounds, at_most=2)]}


def any_comparison(dice: Dice, features: tuple[FeatureSpec, ...]) -> Tree:
    """Return a comparison of a feature with a constant or with another feature of its sort."""
    usable = [feature for feature in features if not feature.personal and feature.type != "list"]
    if not usable:
        return compare(node("const", 1), dice.pick(("==", "<")), node("const", 1))
    feature = dice.pick(usable)
    this, op = node("feature", feature.name), dice.pick(OPERATORS)
    peers = [other for other in usable if sort_of(other) == sort_of(feature) and other is not feature]
    if peers and dice.chance(2 if feature.kind == "since" else 4):
        return compare(this, op, node("feature", dice.pick(peers).name))
    bound = node("const", dice.pick(BOUNDS.get(feature.kind) or BOUNDS[feature.type]))
    return compare(bound, op, this) if dice.chance(6) else compare(this, op, bound)


def sort_of(feature: FeatureSpec) -> str:
    """Return what a feature can be compared with."""
    return "since" if feature.kind == "since" else feature.type


def compare(left: Tree, op: str, right: Tree) -> Tree:
    """Return `left op right` as data."""
    return {"type": "compare", "op": op, "left": left, "right": right}


def node(tag: str, content: Any) -> Tree:
    """Return a feature, field or segment by its name, or a constant, as data."""
    return {"type": tag, ("value" if tag == "const" else "name"): content}


def negation(tree: Tree) -> Tree:
    """Return `~tree` as data."""
    return {"type": "not", "of": tree}


def version_of(definition: Any) -> str:
    """Return a version: a hash of the definition."""
    return digest(msgspec.json.encode(definition, order="deterministic"), size=8).hex()


def any_campaign(dice: Dice, name: str, events: tuple[EventSpec, ...], segments: list[SegmentSpec]) -> CampaignSpec:
    """Return a campaign with any of the options, started by a segment or by an event."""
    on = dice.pick(events) if dice.chance(3) else None
    spec = CampaignSpec(
        name=name,
        audience=None if on else dice.pick(segments).name,
        on=on.name if on else None,
        where=any_comparison_of_field(dice, on.fields) if on and dice.chance(3) else None,
        wait_ms=dice.pick(WAITS),
        until=(dice.pick(events).name,) if dice.chance(3) else (),
        purpose=dice.pick(PURPOSES),
        cap=CapSpec(dice.pick((1, 1, 1, 2)), dice.pick((7 * DAY, 7 * DAY, DAY, HOUR)))
        if dice.pick((False, True, True))
        else None,
        holdout=dice.pick((*(0.0,) * 8, 0.5, 1.0)),
        class_=dice.pick(("marketing", "transactional")),
        lane=dice.pick(("triggered", "bulk")),
        exit=not dice.chance(4),
        reentry_ms=dice.pick((0, 0, 0, 0, 0, HOUR, DAY, None)),
        fresh_ms=dice.pick(FRESHES),
        at=any_minute(dice) if dice.chance(5) else None,
        quiet=any_quiet(dice) if dice.chance(4) else None,
        zone=dice.pick(("UTC", "Australia/Lord_Howe")),
        priority=dice.pick((0, 0, 0, 1, -1)),
        overall=dice.pick(((), (CapSpec(1, DAY),), (CapSpec(1, 7 * DAY),), (CapSpec(2, HOUR), CapSpec(3, 7 * DAY)))),
        steps=tuple(any_step(dice, place) for place in range(dice.pick((0, 0, 0, 1, 3)))),
    )
    return msgspec.structs.replace(spec, version=version_of(msgspec.to_builtins(spec)))


def any_step(dice: Dice, place: int) -> StepSpec:
    """Return a later mail of a campaign."""
    wait = dice.pick((MINUTE, HOUR, HOUR, DAY))
    return StepSpec(name=f"then{place}", wait_ms=wait, at=any_minute(dice) if dice.chance(4) else None)


def any_quiet(dice: Dice) -> QuietHours:
    """Return quiet hours, long ones and short ones, over midnight and not."""
    start, end = dice.pick(((21 * 60, 8 * 60), (0, 12 * 60), (120, 180), (150, 149), (23 * 60, 1)))
    return QuietHours(start, end)


def any_minute(dice: Dice) -> int:
    """Return a minute of the day, often one that clocks jump over or show twice somewhere."""
    return dice.pick((0, 9 * 60, 150, 130, 165, 23 * 60 + 59))


# --- logs -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cast:
    """Who and what a log is about: subjects, the fields of each event, telling durations (ms), windows."""

    subjects: tuple[Mention, ...]
    fields: dict[str, tuple[str, ...]]
    durations: tuple[int, ...]
    windows: tuple[int, ...] = ()
    calendars: tuple[CalendarSpec, ...] = ()


def any_log(dice: Dice, compiled: Compiled) -> list[list[Record]]:
    """Return a log as appended blocks."""
    cast = Cast(
        subjects=any_subjects(dice),
        fields={event.name: tuple(field.name for field in event.fields) for event in compiled.events},
        durations=durations_of(compiled),
        windows=tuple(sorted({each.over_ms for each in compiled.features if each.over_ms is not None})),
        calendars=tuple(each.calendar for each in compiled.features if each.calendar is not None),
    )
    size = dice.pick(SIZES)
    blocks: list[list[Record]] = []
    kept: list[Record] = []
    stamp = dice.pick(STARTS[dice.pick(cast.calendars).zone]) if cast.calendars else START
    while len(kept) < size:
        block = []
        for _ in range(min(dice.pick((1, 1, 1, 2, 3, 5)), size - len(kept))):
            record = next_record(dice, cast, kept, stamp)
            block.append(msgspec.structs.replace(record, seq=len(kept), stamp=stamp))
            kept.append(block[-1])
        blocks.append(block)
        stamp = next_stamp(dice, cast, stamp)
    return blocks


def any_subjects(dice: Dice) -> tuple[Mention, ...]:
    """Return 1-6 subjects; the order of their ids is that of a hash."""
    count = dice.pick((2, 1, 2, 3, 4, 6))
    return tuple(Mention(digest("subject", place), dice.chance(2)) for place in range(count))


def durations_of(compiled: Compiled) -> tuple[int, ...]:
    """Return the times after which something may change in a project, the shortest first."""
    found = {SECOND, HOUR}
    for feature in compiled.features:
        found |= {feature.over_ms or 0, (feature.over_ms or 0) + (feature.grid_ms or 0)}
    for campaign in compiled.campaigns:
        found |= {campaign.wait_ms, campaign.wait_ms + campaign.fresh_ms, campaign.reentry_ms or 0}
    for segment in compiled.segments:
        found |= {value for value in constants(segment.condition) if isinstance(value, int) and value >= SECOND}
    return tuple(sorted(found - {0}))


def constants(tree: Tree) -> list[Any]:
    """Return every constant in a condition."""
    match tree["type"]:
        case "const":
            return [tree["value"]]
        case "compare" | "arithmetic":
            return constants(tree["left"]) + constants(tree["right"])
        case "not":
            return constants(tree["of"])
        case "and" | "or":
            return [value for part in tree["of"] for value in constants(part)]
        case _:
            return []


def next_stamp(dice: Dice, cast: Cast, stamp: int) -> int:
    """Return the stamp of the next block: often the same or little later, often at a boundary (ms)."""
    match dice.pick(("near", "near", "near", "beside", "beside", "calendar", "leap")):
        case "near":
            return stamp + dice.pick(STEPS)
        case "calendar" if cast.calendars:
            return max(stamp, tile_end(dice.pick(cast.calendars), stamp) + dice.pick((0, -1, 1)))
        case "leap":
            return stamp + dice.pick(LEAPS)
        case _:
            durations = [each for each in cast.durations if each <= 31 * DAY]
            return stamp + dice.pick(durations) + dice.pick((0, 0, -1, 1))


def next_record(dice: Dice, cast: Cast, kept: list[Record], stamp: int) -> Record:
    """Return the next record: mostly a new event, else a copy of an earlier one, or a tick."""
    events = [record for record in kept[-15:] if record.kind == Kind.EVENT]
    match dice.pick(("new",) * 16 + ("tick", "copy", "copy")):
        case "tick":
            return Record(kind=Kind.TICK, effective_ts=stamp)
        case "copy" if events:
            return copy_of(dice, dice.pick(events), stamp)
        case _:
            return new_event(dice, cast, kept, stamp)


def copy_of(dice: Dice, record: Record, stamp: int) -> Record:
    """Return a record with an id seen before: the same again, or with other content one millisecond later.

    Within that millisecond's room only, so that (effective_ts, message_id) tells two contents apart.
    """
    if record.effective_ts == stamp or dice.pick((True, True, False)):
        return msgspec.structs.replace(record, received_at=stamp, origin=dice.pick(MOSTLY_LIVE))
    changed = {"units": 3} if "units" in record.properties else {}
    return msgspec.structs.replace(
        record,
        effective_ts=record.effective_ts + 1,
        properties=record.properties | changed,
        content_hash=digest("other", record.content_hash),
    )


def new_event(dice: Dice, cast: Cast, kept: list[Record], stamp: int) -> Record:
    """Return a new event of one of the subjects."""
    subject = dice.pick(cast.subjects)
    name = dice.pick((*list(cast.fields) * 6, "$alias", "Nobody Declared"))
    effective = any_effective_ts(dice, cast, kept, stamp)
    message_id = f"{dice.pick('bac')}-{len(kept)}"
    filled = [field for field in cast.fields.get(name, ()) if not dice.chance(5)]
    content = {field: dice.pick(VALUES[field]) for field in filled}
    verdict = dice.pick(VERDICTS)
    return Record(
        origin=dice.pick(MOSTLY_LIVE),
        key=dice.pick((KeyKind.SECRET, KeyKind.WRITE)),
        source=dice.pick(("web", "server")),
        subject=subject.subject,
        known=subject.known,
        mentions=any_mentions(dice, cast, subject),
        message_id=message_id,
        name=name,
        timestamp=effective,
        received_at=stamp,
        effective_ts=effective,
        verdict=verdict,
        reason="" if verdict == Verdict.ACCEPTED else "the plan says so",
        properties={field: value for field, value in content.items() if field not in PERSONAL},
        context=any_context(dice),
        facets=any_facets(dice),
        sealed={field: value for field, value in content.items() if field in PERSONAL},
        content_hash=digest("content", message_id),
    )


def any_mentions(dice: Dice, cast: Cast, subject: Mention) -> tuple[Mention, ...]:
    """Return whom else a record names: mostly nobody, at most two."""
    others = [other for other in cast.subjects if other is not subject]
    return tuple(dice.some(others, at_most=2)) if others and dice.chance(10) else ()


def any_facets(dice: Dice) -> dict[str, str]:
    """Return the facets of a record; now and then one says where the person's clocks are."""
    found = {facet: dice.pick(VALUES[facet]) for facet in FACETS if not dice.chance(5)}
    return found | ({"context.zone": dice.pick(CLOCKS)} if dice.chance(3) else {})


def any_context(dice: Dice) -> dict[str, Any]:
    """Return a context: often with consent to everything, now and then one given or taken back."""
    match dice.pick(("all", "all", "all", "none", "none", "none", "none", "one")):
        case "all":
            return {"consent": dict.fromkeys(PURPOSES, True)}
        case "one":
            return {"consent": {dice.pick(PURPOSES): dice.pick((True, False))}}
        case _:
            return {}


def any_effective_ts(dice: Dice, cast: Cast, kept: list[Record], stamp: int) -> int:
    """Return when an event happened: mostly now, else telling times ago, within a window, or just when another did."""
    match dice.pick(("now",) * 12 + ("beside", "tie") * 2 + ("tie", "late") + ("within", "edge") * 3):
        case "beside":
            age = dice.pick([each for each in cast.durations if each <= 39 * DAY]) + dice.pick((-1, 0, 1))
            return stamp - age
        case "tie" if kept:
            at = dice.pick(kept[-8:]).effective_ts
            return at if stamp - at <= 40 * DAY else stamp
        case "late":
            return stamp - dice.pick(AGES)
        case "within" if cast.windows:
            return stamp - min(dice.pick(cast.windows), 30 * DAY) * dice.pick((5, 9, 1, 8)) // 10
        case "edge" if cast.calendars:
            at = window_begin(dice.pick(cast.calendars), stamp) + dice.pick((0, -1, 1))
            return min(at, stamp) if stamp - at <= 40 * DAY else stamp
        case _:
            return stamp
