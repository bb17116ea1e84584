"""Hypothesis strategies for small projects, and for logs that make their rules bite.

Out: a `Case`: a compiled project and its log as appended blocks (all records of a block have one stamp; seq
runs on from 0). Time steps and ages of events are drawn from what the project itself names (windows, grids,
waits, constants, and one millisecond to either side), so that boundaries are hit instead of missed.

Promised of a log: stamps never fall; effective_ts <= stamp; one subject id is always known or always not; two
processed records never share (effective_ts, message_id) unless they are copies of one another.

Everything is drawn as small integers through `Dice`: a strategy for each record took five times as long.
The first of several options is the one hypothesis shrinks to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
from hypothesis import strategies as st

from livepost.ids import digest
from livepost.model.compiled import (
    CampaignSpec,
    CapSpec,
    Compiled,
    EventSpec,
    FeatureSpec,
    FieldSpec,
    SegmentSpec,
    Tree,
)
from livepost.model.record import KeyKind, Kind, Mention, Origin, Record, Verdict

T = TypeVar("T")

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
START = 1_767_225_600_000 + 5 * HOUR  # 2026-01-01 05:00 UTC: on the hour, not on the day
MAX_RECORDS = 60

EVENT_NAMES = ("Viewed", "Ordered", "Added", "$identify")
PURPOSES = ("marketing", "service")
KINDS = (
    "count",
    "count",
    "count",
    "since",
    "since",
    "since",
    "total",
    "mean",
    "recent",
    "top",
    "latest",
    "first",
)
OPERATORS = (">=", ">=", "==", "==", ">", "<", "<=", "!=")
WINDOWS = (DAY, HOUR, 10 * SECOND, MINUTE, HOUR, 6 * HOUR, DAY, 3 * DAY, 7 * DAY, 30 * DAY, 90 * DAY)
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
VALUES: dict[str, tuple[Any, ...]] = {
    "units": (1, 2, 3, 0, -1),
    "item": ("a", "b", "c"),
    "price": ([500, "USD"], [1_999, "USD"], [-500, "USD"], [1, "USD"]),
    "rating": (0.1, 0.2, 0.3, 4.5, -0.1, 1e-7, 2.5e-6, 1e9 + 0.1),
    "gift": (True, False),
    "first_name": (b"seal-1", b"seal-2", b"seal-3"),
}
BOUNDS: dict[str, tuple[Any, ...]] = {
    "count": (1, 2, 3, 0),
    "since": SINCES,
    "str": ("a", "b"),
    "int": (1, 2, 3, 0),
    "float": (0.3, 0.1, 4.5),
    "bool": (True, False),
    "money": (500, 1_000, 0, 1_999),
}
TAKES = {
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


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Return cases: a project, and a log that fits it."""
    compiled = any_project(Dice(draw))
    return Case(compiled, any_log(Dice(draw), compiled))


@st.composite
def projects(draw: st.DrawFn, *, nested_segments: bool = False) -> Compiled:
    """Return projects: 1-4 events, 1-8 features, 1-4 segments, 1-3 campaigns.

    `nested_segments` lets a condition name an earlier segment.
    """
    return any_project(Dice(draw), nested_segments=nested_segments)


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


# --- projects -------------------------------------------------------------------------------------


def any_project(dice: Dice, *, nested_segments: bool = False) -> Compiled:
    """Return a project."""
    events = tuple(any_event(dice, name) for name in EVENT_NAMES[: dice.pick((1, 2, 2, 3, 4))])
    features = tuple(any_feature(dice, f"f{place}", events) for place in range(dice.pick((2, 3, 4, 5, 6, 8, 1))))
    segments: list[SegmentSpec] = []
    for place in range(dice.pick((1, 2, 3, 4))):
        earlier = [segment.name for segment in segments] if nested_segments else []
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
    """Return a feature of any kind that its event's fields allow, with or without where, over, grid."""
    event = dice.pick(events)
    kind: Any = dice.pick(KINDS)
    fits = [field for field in event.fields if takes(kind, field)]
    if kind in TAKES and not fits:
        kind = "count"
    field = dice.pick(fits) if kind in TAKES else None
    windowed = kind not in ("since", "latest", "first") and dice.pick((True, True, False))
    over = dice.pick(WINDOWS) if windowed else None
    spec = FeatureSpec(
        name=name,
        kind=kind,
        event=event.name,
        field=field.name if field else None,
        where=any_where(dice, event) if dice.chance(4) else None,
        over_ms=over,
        grid_ms=dice.pick(grids(over)) if over else None,
        n=dice.pick((1, 2, 3)) if kind in ("recent", "top") else None,
        type=value_type(kind, field),
        personal=bool(field and field.personal),
        secret_only=dice.chance(10),
    )
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
    fixed = {"count": "int", "since": "int", "mean": "float", "recent": "list", "top": "list"}
    return fixed.get(kind) or (field.type if field else "int")


def any_where(dice: Dice, event: EventSpec) -> Tree | None:
    """Return a condition over the open fields of an event; None if it has none."""
    fields = [field for field in event.fields if not field.personal]
    if not fields:
        return None
    field = dice.pick(fields)
    bound = node("const", dice.pick(BOUNDS[field.type]))
    tree = compare(node("field", field.name), dice.pick(OPERATORS), bound)
    return negation(tree) if dice.chance(4) else tree


def any_condition(dice: Dice, features: tuple[FeatureSpec, ...], earlier: list[str]) -> Tree:
    """Return a condition of 1-3 comparisons, possibly nested and negated."""
    parts = [any_comparison(dice, features) for _ in range(dice.pick((1, 1, 2, 3)))]
    if earlier and dice.chance(2):
        parts.append(node("segment", dice.pick(earlier)))
    parts = [negation(part) if dice.chance(5) else part for part in parts]
    while len(parts) > 1:
        joined = {"type": dice.pick(("and", "or")), "of": parts[:2]}
        parts = [negation(joined) if dice.chance(5) else joined, *parts[2:]]
    return parts[0]


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
        where=any_where(dice, on) if on and dice.chance(3) else None,
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
    )
    return msgspec.structs.replace(spec, version=version_of(msgspec.to_builtins(spec)))


# --- logs -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cast:
    """Who and what a log is about: subjects, the fields of each event, telling durations (ms)."""

    subjects: tuple[Mention, ...]
    fields: dict[str, tuple[str, ...]]
    durations: tuple[int, ...]


def any_log(dice: Dice, compiled: Compiled) -> list[list[Record]]:
    """Return a log as appended blocks."""
    cast = Cast(
        subjects=any_subjects(dice),
        fields={event.name: tuple(field.name for field in event.fields) for event in compiled.events},
        durations=durations_of(compiled),
    )
    size = dice.pick(SIZES)
    blocks: list[list[Record]] = []
    kept: list[Record] = []
    stamp = START
    while len(kept) < size:
        block = []
        for _ in range(min(dice.pick((1, 1, 1, 2, 3, 5)), size - len(kept))):
            record = next_record(dice, cast, kept, stamp)
            block.append(msgspec.structs.replace(record, seq=len(kept), stamp=stamp))
            kept.append(block[-1])
        blocks.append(block)
        stamp += any_step(dice, cast.durations)
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
        case "compare":
            return constants(tree["left"]) + constants(tree["right"])
        case "not":
            return constants(tree["of"])
        case "and" | "or":
            return [value for part in tree["of"] for value in constants(part)]
        case _:
            return []


def any_step(dice: Dice, durations: tuple[int, ...]) -> int:
    """Return how far the stamp goes to the next block: often nothing or little, often to a boundary (ms)."""
    match dice.pick(("near", "near", "near", "beside", "beside", "leap")):
        case "near":
            return dice.pick(STEPS)
        case "beside":
            return dice.pick([each for each in durations if each <= 31 * DAY]) + dice.pick((0, 0, -1, 1))
        case _:
            return dice.pick(LEAPS)


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
    effective = any_effective_ts(dice, kept, stamp, cast.durations)
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
        sealed={field: value for field, value in content.items() if field in PERSONAL},
        content_hash=digest("content", message_id),
    )


def any_mentions(dice: Dice, cast: Cast, subject: Mention) -> tuple[Mention, ...]:
    """Return whom else a record names: mostly nobody, at most two."""
    others = [other for other in cast.subjects if other is not subject]
    return tuple(dice.some(others, at_most=2)) if others and dice.chance(10) else ()


def any_context(dice: Dice) -> dict[str, Any]:
    """Return a context: often with consent to everything, now and then one given or taken back."""
    match dice.pick(("all", "all", "all", "none", "none", "none", "none", "one")):
        case "all":
            return {"consent": dict.fromkeys(PURPOSES, True)}
        case "one":
            return {"consent": {dice.pick(PURPOSES): dice.pick((True, False))}}
        case _:
            return {}


def any_effective_ts(dice: Dice, kept: list[Record], stamp: int, durations: tuple[int, ...]) -> int:
    """Return when an event happened: mostly now, else telling times ago, or just when another did."""
    match dice.pick(("now",) * 14 + ("beside", "beside", "tie", "tie", "tie", "late")):
        case "beside":
            age = dice.pick([each for each in durations if each <= 39 * DAY]) + dice.pick((-1, 0, 1))
            return stamp - age
        case "tie" if kept:
            at = dice.pick(kept[-8:]).effective_ts
            return at if stamp - at <= 40 * DAY else stamp
        case "late":
            return stamp - dice.pick(AGES)
        case _:
            return stamp
