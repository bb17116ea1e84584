"""One long log, read again in other cuts: the same transitions and decisions, to the id."""

from __future__ import annotations

import msgspec
import pytest

from livepost.ids import digest
from livepost.model.compiled import CampaignSpec, CapSpec, Compiled, EventSpec, FeatureSpec, FieldSpec, SegmentSpec
from livepost.model.decision import Decision
from livepost.model.record import Mention, Record
from tests.properties.driver import Run, fold
from tests.properties.generators import (
    DAY,
    HOUR,
    LEAPS,
    MINUTE,
    SECOND,
    START,
    STEPS,
    Cast,
    Seeded,
    compare,
    durations_of,
    next_record,
    node,
)

RECORDS = 3_000
SUBJECTS = 60
ITEM = FieldSpec(name="item", keys=("item",), type="str")
UNITS = FieldSpec(name="units", keys=("units",), type="int")
SHOP = Compiled(
    events=(
        EventSpec(name="Viewed", cls="Viewed", fields=(ITEM,)),
        EventSpec(name="Ordered", cls="Ordered", fields=(UNITS,)),
    ),
    features=(
        FeatureSpec(name="views", kind="count", event="Viewed", over_ms=HOUR, grid_ms=SECOND),
        FeatureSpec(name="viewed", kind="since", event="Viewed"),
        FeatureSpec(name="ordered", kind="since", event="Ordered"),
        FeatureSpec(name="units", kind="total", event="Ordered", field="units", over_ms=DAY, grid_ms=5 * MINUTE),
        FeatureSpec(name="items", kind="top", event="Viewed", field="item", n=2, over_ms=DAY, grid_ms=HOUR),
    ),
    segments=(
        SegmentSpec(name="keen", condition=compare(node("feature", "views"), ">=", node("const", 2)), version="1"),
        SegmentSpec(name="quiet", condition=compare(node("feature", "viewed"), ">", node("const", DAY)), version="1"),
        SegmentSpec(
            name="idle", condition=compare(node("feature", "ordered"), ">", node("feature", "viewed")), version="1"
        ),
        SegmentSpec(name="big", condition=compare(node("feature", "units"), ">", node("const", 3)), version="1"),
    ),
    campaigns=(
        CampaignSpec(name="remind", audience="keen", wait_ms=10 * SECOND, until=("Ordered",), version="1"),
        CampaignSpec(name="return", audience="quiet", cap=CapSpec(1, 7 * DAY), fresh_ms=40 * DAY, version="1"),
        CampaignSpec(name="thank", on="Ordered", class_="transactional", holdout=0.3, exit=False, version="1"),
    ),
)


def long_log(seed: int) -> list[Record]:
    """Return a log of some weeks: mostly busy, now and then silent for hours or days."""
    dice = Seeded(seed)
    cast = Cast(
        subjects=tuple(Mention(digest("subject", n), n % 2 == 0) for n in range(SUBJECTS)),
        fields={event.name: tuple(field.name for field in event.fields) for event in SHOP.events},
        durations=durations_of(SHOP),
    )
    kept: list[Record] = []
    stamp = START
    while len(kept) < RECORDS:
        for _ in range(dice.pick((1, 2, 5, 20))):
            record = next_record(dice, cast, kept, stamp)
            kept.append(msgspec.structs.replace(record, seq=len(kept), stamp=stamp))
        stamp += dice.pick(LEAPS[:3]) if dice.chance(30) else dice.pick(STEPS)
    return kept


def ids(run: Run) -> tuple[list[bytes], list[bytes]]:
    """Return the ids of all transitions and decisions, sorted."""
    decisions = [item for item in run.outbox if isinstance(item, Decision)]
    return sorted(t.id for t in run.transitions), sorted(d.id for d in decisions)


@pytest.fixture(scope="module")
def log() -> list[Record]:
    """Return the log all cuts read."""
    return long_log(seed=11)


@pytest.fixture(scope="module")
def whole(log: list[Record]) -> tuple[list[bytes], list[bytes]]:
    """Return what comes of the log in as few cuts as it may have."""
    return ids(fold(SHOP, log, [1_000]))


def test_the_long_log_makes_hundreds_of_transitions_and_decisions(whole: tuple[list[bytes], list[bytes]]) -> None:
    transitions, decisions = whole
    assert (len(transitions) > 500, len(decisions) > 200) == (True, True)
    assert (len(set(transitions)), len(set(decisions))) == (len(transitions), len(decisions))


@pytest.mark.parametrize(("sizes", "wave"), [([9], 2_000), ([37, 3, 120], 2)])
def test_a_replay_in_other_cuts_gives_equal_transition_and_decision_ids(
    sizes: list[int], wave: int, log: list[Record], whole: tuple[list[bytes], list[bytes]]
) -> None:
    assert ids(fold(SHOP, log, sizes, wave)) == whole


def test_a_log_without_one_record_gives_other_ids(log: list[Record], whole: tuple[list[bytes], list[bytes]]) -> None:
    first = min(moved.position for moved in fold(SHOP, log, [1_000]).transitions)
    rest = [msgspec.structs.replace(r, seq=n) for n, r in enumerate([*log[:first], *log[first + 1 :]])]
    assert ids(fold(SHOP, rest, [1_000])) != whole
