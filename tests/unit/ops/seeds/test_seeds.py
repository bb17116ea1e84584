"""The history of new features: every kind and window against plain Python over the same records."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import pytest

from livepost.errors import StoreError
from livepost.ids import digest
from livepost.log.base import Position
from livepost.model.block import Block, block_of
from livepost.model.change import SEED_PEOPLE_MAX, Seed
from livepost.model.compiled import CalendarSpec, Compiled, EventSpec, FeatureSpec, FieldSpec
from livepost.model.record import KeyKind, Kind, Origin, Record, Verdict
from livepost.ops.seeds import Seeds

HOUR, DAY = 3_600_000, 86_400_000
CUT_AT = 1_767_225_600_000 + DAY // 2
RUN = "00" * 8

TYPES: dict[str, Any] = {"item": "str", "units": "int", "rating": "float", "price": "money", "gift": "bool"}
FIELDS = tuple(FieldSpec(name=name, keys=(name,), type=type_, required=False) for name, type_ in TYPES.items())
SECRET = FieldSpec(name="first_name", keys=("first_name",), type="str", required=False, personal=True)
EVENT = EventSpec(name="Viewed", cls="Viewed", fields=(*FIELDS, SECRET))
PEOPLE = [digest("person", number) for number in range(9)]

CHEAP = {"type": "compare", "op": "<", "left": {"type": "field", "name": "units"}}
BUT_FIVE = {**CHEAP, "right": {"type": "const", "value": 5}}
GERMAN = {"type": "compare", "op": "==", "left": {"type": "field", "name": "email.domain"}}
IN_GERMANY = {**GERMAN, "right": {"type": "const", "value": "example.de"}}


def records(seed: int, count: int = 600) -> list[Record]:
    """Return records of all sorts, most of which count."""
    chance = random.Random(seed)
    made: list[Record] = []
    for number in range(count):
        if made and chance.random() < 0.05:
            made.append(chance.choice(made))  # told twice
            continue
        properties = {
            "item": chance.choice("abcdefgh"),
            "units": chance.randrange(10),
            "rating": chance.randrange(50) / 10,
            "price": [chance.randrange(10_000), "USD"],
            "gift": chance.random() < 0.5,
        }
        made.append(
            Record(
                source="web",
                subject=chance.choice(PEOPLE),
                key=chance.choice([KeyKind.WRITE, KeyKind.SECRET]),
                message_id=f"m{number:04}",
                name="Viewed" if chance.random() < 0.9 else "Other",
                effective_ts=CUT_AT - chance.choice([chance.randrange(2 * HOUR), chance.randrange(60 * DAY)]),
                origin=chance.choice([Origin.LIVE, Origin.IMPORT]),
                verdict=chance.choice([Verdict.ACCEPTED] * 9 + [Verdict.DEAD]),
                properties={name: value for name, value in properties.items() if chance.random() < 0.9},
                facets={"email.domain": chance.choice(["example.de", "example.com"])},
                sealed={"first_name": chance.randbytes(20)} if chance.random() < 0.5 else {},
            )
        )
    return made


def log_of(told: Sequence[Record], first: int = 0) -> list[Block]:
    """Return the records as blocks of seven, a tick after each."""
    blocks, seq = [], first
    for at in range(0, len(told), 7):
        blocks.append(block_of([*told[at : at + 7], Record(kind=Kind.TICK)], seq, CUT_AT))
        seq += blocks[-1].count
    return blocks


def counted(blocks: list[Block]) -> Iterator[Record]:
    """Yield the records that count: accepted, not late, the first of their id."""
    seen: set[str] = set()
    for record in (record for block in blocks for record in block.records()):
        late = record.origin is Origin.LIVE and record.stamp - record.effective_ts > 30 * DAY
        if record.kind is not Kind.EVENT or record.verdict is not Verdict.ACCEPTED or late or record.message_id in seen:
            continue
        seen.add(record.message_id)
        yield record


def value(record: Record, spec: FeatureSpec) -> Any:
    if spec.field is None:
        return True
    if spec.personal:
        seal = record.sealed_value(spec.field)
        return None if seal is None else [seal.source, seal.subject, seal.message_id, seal.field, seal.seal]
    return {**record.properties, **record.facets}.get(spec.field)


def tile(record: Record, spec: FeatureSpec) -> int | None:
    """Return a record's tile in seconds, None where it has left the window at the cut."""
    if spec.calendar is not None:
        assert (spec.calendar.unit, spec.calendar.zone) == ("day", "UTC")
        day = record.effective_ts // DAY
        return day * DAY // 1000 if day > CUT_AT // DAY - spec.calendar.times else None
    if spec.over_ms is None or spec.grid_ms is None:
        return 0
    start = record.effective_ts // spec.grid_ms * spec.grid_ms
    return start // 1000 if start + spec.grid_ms + spec.over_ms > CUT_AT else None


def feeding(spec: FeatureSpec, blocks: list[Block], holds: Callable[[Record], bool]) -> dict[bytes, list[Any]]:
    """Return (tile, effective, message id, value) of what feeds a feature, by subject."""
    fed: dict[bytes, list[Any]] = {}
    for record in counted(blocks):
        told = value(record, spec)
        if record.name == spec.event and told is not None and holds(record) and tile(record, spec) is not None:
            row = (tile(record, spec), record.effective_ts, record.message_id, told)
            fed.setdefault(record.subject, []).append(row)
    return fed


def summed(spec: FeatureSpec, rows: list[Any]) -> dict[str, list[tuple[int, int]]]:
    tiles: dict[int, list[Any]] = {}
    for at, _, _, told in rows:
        tiles.setdefault(at, []).append(told[0] if isinstance(told, list) else told)
    total = {
        at: sum(round(v * 1_000_000) if isinstance(v, float) else v for v in values) for at, values in tiles.items()
    }
    count = {at: len(values) for at, values in tiles.items()}
    kept: dict[str, dict[str, dict[int, int]]] = {
        "count": {"count": count},
        "exists": {"count": count},
        "total": {"total": total},
        "mean": {"total": total, "count": count},
    }
    return {name: sorted(sums.items()) for name, sums in kept[spec.kind].items()}


def state(spec: FeatureSpec, rows: list[Any]) -> Any:
    """Return a subject's state as model/change.py says, in plain Python; records in the order of time."""
    if spec.kind in ("count", "exists", "total", "mean"):
        return summed(spec, rows)
    if spec.kind == "since" and spec.over_ms is None and spec.calendar is None:
        return max(row[1] for row in rows)
    if spec.kind in ("top", "distinct"):
        return sorted((at, told, times) for (at, told), times in Counter((row[0], row[3]) for row in rows).items())
    newest = sorted(sorted(rows, key=lambda row: row[2], reverse=spec.kind != "recent"), key=lambda row: -row[1])
    if spec.kind in ("latest", "since", "recent"):
        return sorted(row[1:] for row in newest[: spec.n or 1])
    amount = {"first": lambda row: 0, "minimum": lambda row: price(row[3]), "maximum": lambda row: -price(row[3])}
    tiles: dict[int, Any] = {}
    for row in sorted(rows, key=lambda row: (amount[spec.kind](row), row[1], row[2])):
        tiles.setdefault(row[0], row[1:])
    return sorted(tiles.values())


def price(told: Any) -> Any:
    return told[0] if isinstance(told, list) else told


def seeds(spec: FeatureSpec, blocks: list[Block]) -> dict[bytes, Any]:
    compiled = Compiled(events=(EVENT,), features=(spec,))
    cut = Position(blocks[-1].first + blocks[-1].count - 1, CUT_AT)
    with Seeds(blocks, compiled, [spec], cut) as made:
        return {subject: state for seed in made.of(RUN) for subject, state in seed.people}


def always(record: Record) -> bool:
    return True


WINDOWS: list[dict[str, Any]] = [
    {},
    {"over_ms": 90 * 60_000, "grid_ms": 300_000},
    {"over_ms": 7 * DAY, "grid_ms": HOUR},
    {"calendar": CalendarSpec(unit="day", times=3, zone="UTC")},
]
KINDS: list[dict[str, Any]] = [
    {"kind": "count"},
    {"kind": "exists"},
    {"kind": "since"},
    {"kind": "total", "field": "units"},
    {"kind": "total", "field": "rating", "type": "float"},
    {"kind": "total", "field": "price", "type": "money"},
    {"kind": "mean", "field": "rating", "type": "float"},
    {"kind": "minimum", "field": "price", "type": "money"},
    {"kind": "maximum", "field": "units"},
    {"kind": "latest", "field": "item", "type": "str"},
    {"kind": "latest", "field": "first_name", "type": "str", "personal": True},
    {"kind": "latest", "field": "email.domain", "type": "str"},
    {"kind": "first", "field": "gift", "type": "bool"},
    {"kind": "recent", "field": "item", "type": "list", "n": 3},
    {"kind": "top", "field": "item", "type": "list", "n": 2},
    {"kind": "distinct", "field": "units"},
]


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_history_of_every_kind_and_window_is_what_plain_python_finds(
    kind: dict[str, Any], window: dict[str, Any]
) -> None:
    spec = FeatureSpec(name="it", event="Viewed", version="v", **kind, **window)
    blocks = log_of(records(1))
    expected = {subject: state(spec, rows) for subject, rows in feeding(spec, blocks, always).items()}
    found = seeds(spec, blocks)
    assert found == expected
    assert set(found) <= set(PEOPLE)
    assert list(found) == sorted(found)
    assert found != seeds(spec, log_of(records(2)))  # other records, other history


@pytest.mark.parametrize(
    ("options", "holds"),
    [
        ({"where": BUT_FIVE}, lambda record: record.properties.get("units", 9) < 5),
        ({"where": IN_GERMANY}, lambda record: record.facets["email.domain"] == "example.de"),
        ({"secret_only": True}, lambda record: record.key is KeyKind.SECRET),
    ],
)
def test_only_what_would_feed_the_feature_live_is_in_it(
    options: dict[str, Any], holds: Callable[[Record], bool]
) -> None:
    spec = FeatureSpec(name="it", kind="count", event="Viewed", version="v", **options)
    blocks = log_of(records(3))
    expected = {subject: state(spec, rows) for subject, rows in feeding(spec, blocks, holds).items()}
    assert seeds(spec, blocks) == expected
    assert seeds(spec, blocks) != {s: state(spec, rows) for s, rows in feeding(spec, blocks, always).items()}


def viewed(number: int, **told: Any) -> Record:
    subject = told.pop("subject", PEOPLE[0])
    return Record(
        source="web", subject=subject, message_id=f"m{number}", name="Viewed", effective_ts=CUT_AT, properties=told
    )


def test_a_tile_tells_one_value_more_than_the_cap_and_none_beyond() -> None:
    spec = FeatureSpec(name="it", kind="distinct", event="Viewed", field="item", cap=3, version="v")
    told = [viewed(number, item=f"p{number}") for number in range(9)]
    assert len(seeds(spec, log_of(told))[PEOPLE[0]]) == 4
    assert len(seeds(spec, log_of(told[:3]))[PEOPLE[0]]) == 3


def test_a_value_from_before_the_field_was_declared_so_is_left_out() -> None:
    spec = FeatureSpec(name="it", kind="total", event="Viewed", field="units", version="v")
    told = [viewed(0, units="seven"), viewed(1, units=7), viewed(2, units=None)]
    assert seeds(spec, log_of(told)) == {PEOPLE[0]: {"total": [(0, 7)]}}


def test_a_seed_has_so_many_people_and_its_number_and_goes_on_after_any() -> None:
    spec = FeatureSpec(name="it", kind="count", event="Viewed", version="v")
    other = FeatureSpec(name="other", kind="since", event="Viewed", version="w")
    told = [viewed(number, subject=digest("crowd", number)) for number in range(SEED_PEOPLE_MAX + 1)]
    compiled = Compiled(events=(EVENT,), features=(spec, other))
    blocks = log_of(told)
    cut = Position(blocks[-1].first + blocks[-1].count - 1, CUT_AT)
    with Seeds(blocks, compiled, compiled.features, cut) as made:
        all_of = list(made.of(RUN))
        assert made.count() == len(all_of) == 4
        assert list(made.of(RUN, after=1)) == all_of[2:]
        assert made.records == cut.seq + 1
    whole = SEED_PEOPLE_MAX
    shapes = [(seed.run, seed.number, seed.feature, len(seed.people)) for seed in all_of]
    assert shapes == [(RUN, 0, "v", whole), (RUN, 1, "v", 1), (RUN, 2, "w", whole), (RUN, 3, "w", 1)]


def test_what_comes_after_the_cut_is_not_history() -> None:
    spec = FeatureSpec(name="it", kind="count", event="Viewed", version="v")
    blocks = [*log_of([viewed(0)]), block_of([viewed(1)], 2, CUT_AT)]
    with Seeds(blocks, Compiled(events=(EVENT,), features=(spec,)), [spec], Position(1, CUT_AT)) as made:
        assert [seed.people for seed in made.of(RUN)] == [[(PEOPLE[0], {"count": [(0, 1)]})]]


def test_a_log_that_begins_late_gives_the_history_it_has() -> None:
    spec = FeatureSpec(name="it", kind="count", event="Viewed", version="v")
    assert seeds(spec, log_of([viewed(0)], first=5_000)) == {PEOPLE[0]: {"count": [(0, 1)]}}


def test_a_log_that_breaks_off_is_refused() -> None:
    spec = FeatureSpec(name="it", kind="count", event="Viewed", version="v")
    compiled = Compiled(events=(EVENT,), features=(spec,))
    blocks = log_of(records(1))
    for broken in (blocks[:2] + blocks[3:], blocks[:3]):
        with pytest.raises(StoreError, match="try again"):
            Seeds(broken, compiled, [spec], Position(blocks[-1].first, CUT_AT))


def test_more_history_than_memory_is_refused() -> None:
    spec = FeatureSpec(name="it", kind="count", event="Viewed", version="v")
    compiled, blocks = Compiled(events=(EVENT,), features=(spec,)), log_of(records(1, 20_000))
    with pytest.raises(StoreError, match="fit into 1 MB"):
        Seeds(blocks, compiled, [spec], Position(20_000, CUT_AT), memory_mb=1)


def test_a_seed_goes_through_the_log_and_back() -> None:
    spec = FeatureSpec(name="it", kind="latest", event="Viewed", field="first_name", personal=True, version="v")
    blocks = log_of(records(1))
    cut = Position(blocks[-1].first + blocks[-1].count - 1, CUT_AT)
    with Seeds(blocks, Compiled(events=(EVENT,), features=(spec,)), [spec], cut) as made:
        seed = next(made.of(RUN))
    control = msgspec.to_builtins(seed, builtin_types=(bytes,))
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(control))
    assert msgspec.convert(again, Seed).people[0][0] == seed.people[0][0]
    assert isinstance(again["people"][0][1][0][2][4], bytes)
