"""The naive oracle's own tests: stories worked out by hand; and what the generators make happen."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings

from livepost.expr import Expr
from livepost.ids import decision_id, event_id, transition_id
from livepost.model.block import block_of
from livepost.model.compiled import (
    DISTINCT_MAX,
    CalendarSpec,
    CampaignSpec,
    CapSpec,
    Compiled,
    FeatureSpec,
    SegmentSpec,
    Tree,
)
from livepost.model.decision import Cancellation, ConsentChange, Decision, Merge
from livepost.model.record import KeyKind, Kind, Mention, Origin, Record, SealedValue, Verdict
from tests.oracle import naive
from tests.oracle.conditions import UNKNOWN, Truth, leaf, side, truth
from tests.oracle.naive import Naive, OracleResult, Person, run
from tests.properties.generators import DAY, HOUR, MINUTE, SECOND, Case, cases, compare, negation, node, projects

SHOP = "shop"
T0 = 20_000 * DAY
ADA, BOB, COOKIE, PHONE = b"a" * 16, b"b" * 16, b"0" * 16, b"1" * 16

VIEWS = FeatureSpec(name="views_7d", kind="count", event="Viewed", over_ms=7 * DAY, grid_ms=HOUR)
ORDERS = FeatureSpec(name="orders_7d", kind="count", event="Ordered", over_ms=7 * DAY, grid_ms=HOUR)
VIEWED = FeatureSpec(name="viewed", kind="since", event="Viewed")
ORDERED = FeatureSpec(name="ordered", kind="since", event="Ordered")
LOOKS = FeatureSpec(name="looks", kind="count", event="Viewed")


def event(at: int, name: str = "Viewed", who: bytes = ADA, **rest: Any) -> Record:
    """Return a record stamped at T0 + `at`, that happened then; `ago` says how long before."""
    stamp, ago = T0 + at, rest.pop("ago", 0)
    known = who in (ADA, BOB)
    return Record(name=name, subject=who, known=known, stamp=stamp, effective_ts=stamp - ago, source="web", **rest)


def agrees(at: int, who: bytes = ADA, *, marketing: bool = True) -> Record:
    """Return a record that gives or takes back consent."""
    return event(at, "Agreed", who, context={"consent": {"marketing": marketing}})


def tick(at: int) -> Record:
    """Return a tick at T0 + `at`."""
    return Record(kind=Kind.TICK, stamp=T0 + at, effective_ts=T0 + at)


def told(compiled: Compiled, *records: Record) -> OracleResult:
    """Return what the records mean as a log: seq from 0, message ids m0, m1, ... where none is given."""
    log = [
        msgspec.structs.replace(each, seq=seq, message_id=each.message_id or f"m{seq:02}")
        for seq, each in enumerate(records)
    ]
    return run(compiled, log, SHOP)


def at_least(name: str, value: Any) -> Tree:
    """Return `name >= value`."""
    return compare(node("feature", name), ">=", node("const", value))


def one_segment(condition: Tree, *features: FeatureSpec, **campaign: Any) -> Compiled:
    """Return a project with the segment `s` and, if it has options, the campaign `c`."""
    return Compiled(
        features=features,
        segments=(SegmentSpec(name="s", condition=condition, version="v1"),),
        campaigns=(CampaignSpec(name="c", version="v2", **campaign),) if campaign else (),
    )


def crossings(result: OracleResult) -> list[tuple[bool, int, int]]:
    """Return (entered, at - T0, position) of each transition."""
    return [(each.entered, each.at - T0, each.position) for each in result.transitions]


def mails(result: OracleResult) -> list[tuple[str, int, int]]:
    """Return (skip, at - T0, position) of each decision."""
    return [(each.skip, each.at - T0, each.position) for each in result.outbox if isinstance(each, Decision)]


def cancelled(result: OracleResult) -> list[tuple[str, int, int]]:
    """Return (reason, at - T0, position) of each cancellation."""
    return [(each.reason, each.at - T0, each.position) for each in result.outbox if isinstance(each, Cancellation)]


# --- stories: segments ----------------------------------------------------------------------------


def browsing(**campaign: Any) -> Compiled:
    """Return the page of ARCHITECTURE: three looks and no order in seven days."""
    no_order = compare(node("feature", "orders_7d"), "==", node("const", 0))
    return one_segment({"type": "and", "of": [at_least("views_7d", 3), no_order]}, VIEWS, ORDERS, **campaign)


def test_three_looks_bring_one_decision_two_hours_after_the_third() -> None:
    project = browsing(audience="s", wait_ms=2 * HOUR, until=("Ordered",), reentry_ms=None)
    log = agrees(0), event(1), event(2), event(3), tick(2 * HOUR), tick(2 * HOUR + 3 + MINUTE)

    result = told(project, *log)

    entered = transition_id(SHOP, ADA, "s", "v1", 1)
    assert crossings(result) == [(True, 3, 3)]
    assert result.transitions[0].id == entered
    assert mails(result) == [("", 2 * HOUR + 3, 5)]
    decision = result.outbox[-1]
    assert isinstance(decision, Decision)
    assert (decision.id, decision.cause) == (decision_id(SHOP, "c", 0, ADA, entered), entered)
    assert result.people[ADA].memberships == {"s": (True, 1)}


def test_a_journey_waits_until_a_stamp_reaches_its_due_time() -> None:
    project = browsing(audience="s", wait_ms=2 * HOUR)

    result = told(project, agrees(0), event(1), event(2), event(3), tick(2 * HOUR + 2))

    entered = transition_id(SHOP, ADA, "s", "v1", 1)
    assert mails(result) == []
    assert result.people[ADA].journeys == {"c": (T0 + 3, T0 + 3 + 2 * HOUR, entered)}


def test_a_tile_expires_at_its_start_plus_grid_plus_window() -> None:
    project = one_segment(at_least("views_7d", 1), VIEWS)
    gone = 7 * DAY + HOUR  # the look at 59 minutes lies in the tile that starts at T0

    result = told(project, event(59 * MINUTE), tick(gone - 1), tick(gone))

    assert crossings(result) == [(True, 59 * MINUTE, 0), (False, gone, 2)]
    assert result.people[ADA].features == {"views_7d": 0}
    assert told(project, event(0), tick(gone - 1)).people[ADA].features == {"views_7d": 1}


def test_the_position_of_a_due_time_is_the_first_record_stamped_at_or_after_it() -> None:
    project = one_segment(at_least("views_7d", 1), VIEWS)

    result = told(project, event(0), tick(8 * DAY), event(9 * DAY, who=BOB), event(9 * DAY, "Other"))

    assert crossings(result)[1] == (False, 7 * DAY + HOUR, 1)


def test_a_falling_count_can_enter_a_segment() -> None:
    project = one_segment(compare(node("feature", "views_7d"), "==", node("const", 1)), VIEWS)

    result = told(project, event(0), event(HOUR), tick(8 * DAY))

    gone = 7 * DAY + HOUR
    assert crossings(result) == [(True, 0, 0), (False, HOUR, 1), (True, gone, 2), (False, gone + HOUR, 2)]
    assert [each.number for each in result.transitions] == [1, 2, 3, 4]


def test_a_late_record_folds_into_its_own_tile() -> None:
    project = one_segment(at_least("views_7d", 2), VIEWS)

    result = told(project, event(0), event(6 * DAY, ago=6 * DAY), event(7 * DAY + HOUR, ago=0))

    assert crossings(result) == [(True, 6 * DAY, 1), (False, 7 * DAY + HOUR, 2)]


def test_since_flips_exactly_at_the_constant() -> None:
    project = one_segment(at_least("viewed", HOUR), VIEWED)

    result = told(project, event(0), event(10), tick(10 + HOUR), event(2 * HOUR))

    assert crossings(result) == [(True, 10 + HOUR, 2), (False, 2 * HOUR, 3)]


def test_since_equal_to_a_constant_lasts_one_millisecond() -> None:
    project = one_segment(compare(node("feature", "viewed"), "==", node("const", HOUR)), VIEWED)

    result = told(project, event(0), tick(DAY))

    assert crossings(result) == [(True, HOUR, 1), (False, HOUR + 1, 1)]


@pytest.mark.parametrize(
    ("left", "op", "right", "inside"),
    [
        ("ordered", ">", "viewed", True),  # never ordered: infinitely long ago
        ("viewed", "<", "ordered", True),
        ("ordered", ">=", "viewed", False),
        ("ordered", "!=", "viewed", False),
        ("viewed", ">", "ordered", False),
        ("ordered", ">", "ordered", False),
    ],
)
def test_between_two_sinces_never_is_infinitely_long_ago(left: str, op: str, right: str, inside: bool) -> None:
    project = one_segment(compare(node("feature", left), op, node("feature", right)), VIEWED, ORDERED)

    assert told(project, event(0)).people[ADA].memberships["s"][0] is inside


def test_a_comparison_with_never_is_false_and_its_negation_true() -> None:
    never = at_least("ordered", HOUR)

    assert crossings(told(one_segment(never, ORDERED), event(0), tick(DAY))) == []
    assert crossings(told(one_segment(negation(never), ORDERED), event(0), tick(DAY))) == [(True, 0, 0)]


# --- stories: journeys ----------------------------------------------------------------------------


def test_until_ends_a_waiting_journey_even_by_an_import() -> None:
    project = browsing(audience="s", wait_ms=2 * HOUR, until=("Ordered",))
    order = event(HOUR, "Ordered", origin=Origin.IMPORT)

    result = told(project, agrees(0), event(1), event(2), event(3), order, tick(DAY))

    assert mails(result) == [("until", HOUR, 4)]
    assert [each.origin for each in result.transitions] == [Origin.LIVE, Origin.IMPORT]


def test_leaving_the_audience_ends_a_waiting_journey_unless_exit_is_off() -> None:
    log = agrees(0), event(1), event(2), event(3), event(HOUR, "Ordered"), tick(2 * HOUR + 3)

    assert mails(told(browsing(audience="s", wait_ms=2 * HOUR), *log)) == [("exit", HOUR, 4)]
    assert mails(told(browsing(audience="s", wait_ms=2 * HOUR, exit=False), *log)) == [("", 2 * HOUR + 3, 5)]


def test_a_decision_of_the_last_24_hours_is_cancelled_once() -> None:
    project = one_segment(at_least("looks", 1), LOOKS, on="Viewed", until=("Ordered",))
    orders = event(DAY - 1, "Ordered"), event(DAY - 1, "Ordered")

    assert cancelled(told(project, agrees(0), event(0), *orders)) == [("until", DAY - 1, 2)]
    assert cancelled(told(project, agrees(0), event(0), event(DAY, "Ordered"))) == []


def test_a_record_that_is_both_until_and_on_ends_one_journey_and_starts_the_next() -> None:
    project = one_segment(at_least("looks", 9), LOOKS, on="Viewed", until=("Viewed",), wait_ms=HOUR)

    result = told(project, agrees(0), event(1), event(2))

    assert mails(result) == [("until", 2, 2)]
    assert result.people[ADA].journeys == {"c": (T0 + 2, T0 + 2 + HOUR, event_id("web", "m02"))}


def test_the_cap_counts_decisions_that_were_not_skipped() -> None:
    project = one_segment(at_least("looks", 9), LOOKS, on="Viewed", cap=CapSpec(2, HOUR))

    result = told(project, event(0), agrees(1), event(2), event(3), event(4), event(2 + HOUR))

    assert mails(result) == [("consent", 0, 0), ("", 2, 2), ("", 3, 3), ("cap", 4, 4), ("", 2 + HOUR, 5)]


def test_a_held_out_person_gets_nothing_but_consent_is_asked_first() -> None:
    project = one_segment(at_least("looks", 9), LOOKS, on="Viewed", holdout=1.0)

    assert mails(told(project, event(0), agrees(1), event(2))) == [("consent", 0, 0), ("holdout", 2, 2)]


def test_the_first_assignment_stays_when_the_name_changes_by_a_merge() -> None:
    project = one_segment(at_least("looks", 9), LOOKS, on="Viewed", holdout=0.5)
    campaign = project.campaigns[0]
    names = [bytes([place]) * 16 for place in range(1, 60)]
    free = next(name for name in names if not naive.drawn(campaign, name))
    held = next(name for name in names if naive.drawn(campaign, name) and name > free)
    link = event(2, "Other", held, mentions=(Mention(free, False),))

    result = told(project, agrees(0, held), event(1, who=held), link, event(3, who=free))

    assert mails(result) == [("holdout", 1, 1), ("holdout", 3, 3)]
    assert list(result.people) == [free]


def test_a_step_later_than_fresh_is_stale() -> None:
    project = one_segment(at_least("looks", 9), LOOKS, on="Viewed", wait_ms=HOUR, fresh_ms=MINUTE)

    assert mails(told(project, agrees(0), event(0), tick(HOUR + MINUTE))) == [("", HOUR, 2)]
    assert mails(told(project, agrees(0), event(0), tick(HOUR + MINUTE + 1))) == [("stale", HOUR, 2)]


@pytest.mark.parametrize(
    ("reentry_ms", "sent"),
    [(0, [0, 1, HOUR]), (HOUR, [0, HOUR]), (None, [0])],
)
def test_reentry_says_when_a_person_may_enter_again(reentry_ms: int | None, sent: list[int]) -> None:
    project = one_segment(at_least("looks", 9), LOOKS, on="Viewed", reentry_ms=reentry_ms)

    result = told(project, agrees(0), event(0), event(1), event(HOUR))

    assert [at for _, at, _ in mails(result)] == sent


def test_an_old_or_imported_record_folds_but_starts_nothing() -> None:
    project = one_segment(at_least("looks", 1), LOOKS, audience="s", fresh_ms=HOUR)
    old, imported = event(0, ago=HOUR + 1), event(0, origin=Origin.IMPORT)

    for record in (old, imported):
        result = told(project, agrees(0), record)
        assert crossings(result) == [(True, 0, 1)]
        assert mails(result) == []
    assert len(mails(told(project, agrees(0), event(0, ago=HOUR)))) == 1


def test_a_due_time_starts_a_journey_however_old_the_event_and_is_measured_by_its_own_lateness() -> None:
    project = one_segment(at_least("viewed", HOUR), VIEWED, audience="s", fresh_ms=MINUTE)

    assert mails(told(project, agrees(0), event(0), tick(HOUR))) == [("", HOUR, 2)]
    assert mails(told(project, agrees(0), event(0), tick(DAY))) == [("stale", HOUR, 2)]


# --- stories: which records count -----------------------------------------------------------------


def test_each_event_ends_by_the_first_rule_that_applies() -> None:
    project = one_segment(at_least("looks", 9), LOOKS)
    log = (
        event(0, message_id="x", content_hash=b"1"),
        event(1, message_id="x", content_hash=b"1", verdict=Verdict.FILTERED, reason="bot"),
        event(2, message_id="x", content_hash=b"1", ago=30 * DAY + 1),
        event(3, message_id="y", content_hash=b"1", ago=30 * DAY),
        event(4, message_id="z", content_hash=b"1", ago=31 * DAY, origin=Origin.IMPORT),
        event(5, message_id="x", content_hash=b"1"),
        event(6, message_id="x", content_hash=b"2"),
        tick(7),
        event(30 * DAY + DAY - 1, message_id="x", content_hash=b"1"),
        event(31 * DAY, message_id="x", content_hash=b"2"),
        event(31 * DAY, message_id="x", content_hash=b"1"),
    )

    result = told(project, *log)

    late, done = ("dead", "late"), ("processed", "")
    conflict, same = ("dead", "id conflict"), ("duplicate", "")
    start = [done, ("filtered", "bot"), late, done, done, same, conflict, None]
    assert result.endings == [*start, same, done, conflict]
    assert result.people[ADA].features == {"looks": 4}


def test_an_id_belongs_to_its_source() -> None:
    other = msgspec.structs.replace(event(1, message_id="x"), source="server")

    assert told(Compiled(), event(0, message_id="x"), other).endings == [("processed", "")] * 2


# --- stories: persons -----------------------------------------------------------------------------


def test_a_mention_makes_an_anonymous_visitor_part_of_a_known_person() -> None:
    project = one_segment(at_least("looks", 3), LOOKS, audience="s")
    log = (
        agrees(0),
        event(1),
        event(2, who=COOKIE),
        event(3, who=ADA, mentions=(Mention(COOKIE, False),)),
        event(4, who=COOKIE),
    )

    result = told(project, *log)

    assert [each for each in result.outbox if isinstance(each, Merge)] == [Merge(old=COOKIE, new=ADA, position=3)]
    assert crossings(result) == [(True, 3, 3)]
    assert mails(result) == [("", 3, 3)]
    assert result.people[ADA].subjects == (COOKIE, ADA)
    assert result.people[ADA].features == {"looks": 4}


def test_two_known_people_merge_only_if_a_secret_key_says_so_by_an_alias_or_a_declared_key() -> None:
    mention = (Mention(BOB, True),)
    shared = event(1, "$identify", mentions=mention, key=KeyKind.WRITE)
    claimed = event(2, "$alias", mentions=mention, key=KeyKind.WRITE)
    stated = event(3, "$alias", mentions=mention, key=KeyKind.SECRET)

    assert list(told(Compiled(), shared, claimed).people) == [ADA, BOB]
    assert list(told(Compiled(), shared, claimed, stated).people) == [ADA]
    by_key = event(3, "$identify", mentions=mention, key=KeyKind.SECRET)
    assert list(told(Compiled(), shared, claimed, by_key).people) == [ADA]
    device = [
        event(place, "$identify", who=who, mentions=(Mention(COOKIE, False),))
        for place, who in enumerate((BOB, ADA), 4)
    ]
    assert list(told(Compiled(), *device).people) == [ADA, BOB]


def test_the_journey_entered_first_survives_a_merge_and_keeps_its_cause() -> None:
    project = one_segment(at_least("looks", 9), LOOKS, on="Viewed", wait_ms=HOUR)
    link = event(30, "Other", mentions=(Mention(COOKIE, False),))

    result = told(project, agrees(0), event(10, who=COOKIE), event(20), link, tick(DAY))

    cause = event_id("web", "m01")
    decisions = [each for each in result.outbox if isinstance(each, Decision)]
    assert [(each.cause, each.person, each.at) for each in decisions] == [(cause, ADA, T0 + 10 + HOUR)]
    assert decisions[0].id == decision_id(SHOP, "c", 0, ADA, cause)


def test_membership_bits_are_joined_and_then_evaluated_once() -> None:
    project = one_segment(compare(node("feature", "looks"), "==", node("const", 1)), LOOKS)
    link = event(3, "Other", mentions=(Mention(COOKIE, False),))

    result = told(project, event(1), event(2, who=COOKIE), link)

    assert crossings(result) == [(True, 1, 0), (True, 2, 1), (False, 3, 2)]
    assert result.transitions[2].id == transition_id(SHOP, ADA, "s", "v1", 2)


def test_who_is_inside_stays_inside_through_a_merge_and_the_larger_number_counts_on() -> None:
    project = one_segment(compare(node("feature", "looks"), "==", node("const", 1)), LOOKS)
    link = event(4, "Other", mentions=(Mention(COOKIE, False),))

    result = told(project, event(1, who=COOKIE), event(2, "Other"), event(3, "Other"), link, event(5))

    assert crossings(result) == [(True, 1, 0), (False, 5, 4)]
    assert result.transitions[1].id == transition_id(SHOP, ADA, "s", "v1", 2)


def test_a_merge_keeps_the_later_entry_and_all_decisions() -> None:
    link = event(50 * MINUTE, "Other", mentions=(Mention(COOKIE, False),))
    log = agrees(0), agrees(0, COOKIE), event(0), event(40 * MINUTE, who=COOKIE), link, event(70 * MINUTE)
    spaced = one_segment(at_least("looks", 9), LOOKS, on="Viewed", reentry_ms=HOUR)
    capped = one_segment(at_least("looks", 9), LOOKS, on="Viewed", cap=CapSpec(2, DAY))

    assert mails(told(spaced, *log)) == [("", 0, 2), ("", 40 * MINUTE, 3)]
    assert mails(told(capped, *log)) == [("", 0, 2), ("", 40 * MINUTE, 3), ("cap", 70 * MINUTE, 5)]


def test_a_merge_keeps_the_earlier_assignment() -> None:
    project = one_segment(at_least("looks", 9), LOOKS, on="Viewed", holdout=0.5)
    names = [bytes([place]) * 16 for place in range(1, 60)]
    held = next(name for name in names if naive.drawn(project.campaigns[0], name))
    free = next(name for name in names if not naive.drawn(project.campaigns[0], name))
    link = event(3, "Other", held, mentions=(Mention(free, False),))

    def skips(first: bytes, second: bytes) -> list[str]:
        log = agrees(0, held), agrees(0, free), event(1, who=first), event(2, who=second), link, event(4, who=held)
        return [skip for skip, _, _ in mails(told(project, *log))]

    assert skips(held, free) == ["holdout", "", "holdout"]
    assert skips(free, held) == ["", "holdout", ""]


def test_without_a_known_subject_the_smallest_names_the_person() -> None:
    log = event(1, who=PHONE), event(2, who=PHONE, mentions=(Mention(COOKIE, False),))

    result = told(Compiled(), *log)

    assert result.outbox == [Merge(old=PHONE, new=COOKIE, position=1)]


# --- stories: consents and values -----------------------------------------------------------------


def test_the_consent_that_happened_last_holds_and_only_changes_are_told() -> None:
    late = msgspec.structs.replace(agrees(20, marketing=False), effective_ts=T0 + 5)

    result = told(Compiled(), agrees(10), agrees(11), late, agrees(30, marketing=False))

    changes = [(each.allowed, each.position) for each in result.outbox if isinstance(each, ConsentChange)]
    assert changes == [(True, 0), (False, 3)]
    assert result.people[ADA].consents == {"marketing": False}


def test_a_merge_tells_the_consent_that_is_new_to_the_name_that_stays() -> None:
    link = event(3, "Other", mentions=(Mention(COOKIE, False),))

    result = told(Compiled(), agrees(1), agrees(2, COOKIE, marketing=False), link)

    last = result.outbox[-1]
    assert isinstance(last, ConsentChange)
    assert (last.person, last.allowed, last.position, last.message_id) == (ADA, False, 2, "m01")


def value(kind: Any, field: str | None, *records: Record, **rest: Any) -> Any:
    """Return the value of one feature of ADA over the records."""
    feature = FeatureSpec(name="f", kind=kind, event="Viewed", field=field, **rest)
    return told(Compiled(features=(feature,)), *records).people[ADA].features["f"]


def test_values_follow_the_formulas() -> None:
    def looks(name: str, *values: Any) -> list[Record]:
        return [event(place, properties={name: each}) for place, each in enumerate(values)]

    floats = looks("rating", 0.1, 0.2, 2.5e-6)
    assert value("total", "rating", *floats) == 300_002 / 1_000_000
    assert value("mean", "rating", *floats) == 300_002 / 1_000_000 / 3
    assert value("total", "price", *looks("price", [500, "USD"], [-1, "USD"])) == 499
    assert value("mean", "units", *looks("units", 1, 2)) == 1.5
    assert value("mean", "units", event(0)) is None
    assert value("recent", "item", *looks("item", "a", "b", "c"), n=2) == ["c", "b"]
    assert value("top", "item", *looks("item", "c", "b", "b", "a"), n=2) == ["b", "a"]
    assert value("latest", "gift", *looks("gift", True, False)) is False
    assert value("first", "gift", event(0), *looks("gift", True, False)) is True
    assert value("since", None, event(0), event(5, ago=3), event(9, "Other")) == 7


def test_ties_are_broken_by_the_message_id_and_never_by_arrival() -> None:
    tied = [event(5, message_id=each, properties={"item": each}) for each in ("b", "c", "a")]

    assert value("latest", "item", *tied) == "c"
    assert value("first", "item", *tied) == "a"
    assert value("recent", "item", *tied, n=3) == ["a", "b", "c"]


def test_a_record_feeds_a_feature_by_where_by_its_field_and_by_its_key() -> None:
    gift = compare(node("field", "gift"), "==", node("const", False))
    log = (
        event(0, properties={"gift": False}),
        event(1, properties={"gift": True}),
        event(2, key=KeyKind.SECRET),
    )

    assert value("count", None, *log, where=gift) == 1
    assert value("count", "gift", *log) == 2
    assert value("count", None, *log, secret_only=True) == 1


def test_a_personal_value_stays_sealed() -> None:
    seal = SealedValue("web", ADA, "m00", "first_name", b"seal")

    assert value("latest", "first_name", event(0, sealed={"first_name": b"seal"}), personal=True) == seal


# --- the words that came later, worked out by hand -------------------------------------------------


def prices(*minor: int) -> list[Record]:
    """Return looks at things of such prices, a day apart."""
    return [event(place * DAY, properties={"price": [each, "USD"]}) for place, each in enumerate(minor)]


def test_minimum_and_maximum_are_of_the_window_and_never_without_a_record() -> None:
    window = {"over_ms": 2 * DAY, "grid_ms": DAY}  # at day 3 from the beginning of day 1 on

    assert value("minimum", "price", *prices(100, 300, 200, 400)) == 100
    assert value("minimum", "price", *prices(100, 300, 200, 400), **window) == 200
    assert value("maximum", "price", *prices(900, 300, 200, 400), **window) == 400
    assert value("maximum", "rating", *[event(0, properties={"rating": each}) for each in (-0.5, -2.5)]) == -0.5
    assert value("minimum", "price", *prices(100), tick(4 * DAY), **window) is None
    assert value("maximum", "price", event(0)) is None


def test_distinct_counts_different_values_and_never_is_zero() -> None:
    looks = [event(place, properties={"item": each}) for place, each in enumerate("abcab")]

    assert value("distinct", "item", *looks) == 3
    assert value("distinct", "item", event(0)) == 0
    assert value("distinct", "price", *prices(1, 2, 1)) == 2


def test_exists_says_whether_there_is_one_in_the_window() -> None:
    window = {"over_ms": HOUR, "grid_ms": SECOND}

    assert value("exists", None, event(0), tick(HOUR), **window) is True
    assert value("exists", None, event(0), tick(HOUR + SECOND), **window) is False
    assert value("exists", None, tick(0), event(0, "Other")) is False


def test_since_latest_and_first_take_a_window_and_then_are_never() -> None:
    window = {"over_ms": HOUR, "grid_ms": SECOND}
    looks = event(0, properties={"item": "a"}), event(MINUTE, properties={"item": "b"})
    end = HOUR + SECOND  # the first one's tile has left

    assert value("first", "item", *looks, tick(HOUR), **window) == "a"
    assert value("first", "item", *looks, tick(end), **window) == "b"
    assert value("latest", "item", *looks, tick(MINUTE + end), **window) is None
    assert value("since", None, *looks, tick(MINUTE + end - 1), **window) == end - 1
    assert value("since", None, *looks, tick(MINUTE + end), **window) is None


def test_a_since_that_leaves_its_window_wakes_the_person() -> None:
    recently = msgspec.structs.replace(VIEWED, over_ms=HOUR, grid_ms=SECOND)
    project = one_segment(compare(node("feature", "viewed"), ">=", node("const", 0)), recently)

    assert crossings(told(project, event(0), tick(DAY))) == [(True, 0, 0), (False, HOUR + SECOND, 1)]


def test_a_name_with_a_dot_is_a_facet() -> None:
    here = compare(node("field", "ip.country"), "==", node("const", "DE"))
    looks = [event(place, facets={"ip.country": each}) for place, each in enumerate(("DE", "AT", "DE"))]

    assert value("distinct", "ip.country", *looks) == 2
    assert value("latest", "ip.country", *looks, event(9)) == "DE"
    assert value("count", None, *looks, where=here) == 2


# --- calendar windows ------------------------------------------------------------------------------


def at(text: str) -> int:
    """Return a moment in UTC as milliseconds."""
    return int(datetime.fromisoformat(f"{text}+00:00").timestamp() * 1000)


def looked(*moments: str, until: str, unit: Any, times: int, zone: str) -> OracleResult:
    """Return what looks at such moments mean for one segment, of who looked in a calendar window, until a tick."""
    calendar = CalendarSpec(unit=unit, times=times, zone=zone)
    feature = FeatureSpec(name="looks", kind="count", event="Viewed", calendar=calendar)
    looks = [event(at(each) - T0) for each in moments]
    return told(one_segment(at_least("looks", 1), feature), *looks, tick(at(until) - T0))


def left_at(result: OracleResult) -> list[str]:
    """Return when the person left the segment, in UTC."""
    left = [each.at for each in result.transitions if not each.entered]
    return [datetime.fromtimestamp(each / 1000, UTC).isoformat()[:-6] for each in left]


@pytest.mark.parametrize(
    ("zone", "looked_at", "unit", "times", "left"),
    [
        ("Europe/Berlin", "2026-01-15 22:59:59", "day", 1, "2026-01-15T23:00:00"),
        ("Europe/Berlin", "2026-01-15 23:00:00", "day", 1, "2026-01-16T23:00:00"),
        ("Europe/Berlin", "2026-03-28 23:30:00", "day", 1, "2026-03-29T22:00:00"),  # a day of 23 hours
        ("Europe/Berlin", "2026-03-28 12:00:00", "day", 2, "2026-03-29T22:00:00"),
        ("Europe/Berlin", "2026-10-24 22:30:00", "day", 1, "2026-10-25T23:00:00"),  # a day of 25 hours
        ("Europe/Berlin", "2026-03-25 12:00:00", "week", 1, "2026-03-29T22:00:00"),  # till Monday
        ("Europe/Berlin", "2026-02-10 12:00:00", "month", 1, "2026-02-28T23:00:00"),
        ("Europe/Berlin", "2025-12-10 12:00:00", "month", 3, "2026-02-28T23:00:00"),  # over the year's end
        ("Africa/Cairo", "2026-04-23 12:00:00", "day", 1, "2026-04-23T22:00:00"),  # the 24th begins at one
        ("Pacific/Apia", "2011-12-29 20:00:00", "day", 1, "2011-12-30T10:00:00"),  # the 31st follows the 29th
        ("Pacific/Apia", "2011-12-29 20:00:00", "day", 2, "2011-12-30T10:00:00"),  # the 30th is one, and empty
        ("Pacific/Apia", "2011-12-29 20:00:00", "day", 3, "2011-12-31T10:00:00"),
        ("America/St_Johns", "2010-11-07 02:29:59", "day", 1, "2010-11-07T02:30:00"),
        ("America/St_Johns", "2010-11-07 02:30:30", "day", 1, "2010-11-08T03:30:00"),  # the first minute of the 7th
        ("America/St_Johns", "2010-11-07 02:31:00", "day", 1, "2010-11-08T03:30:00"),  # clocks show the 6th again
        (
            "America/Havana",
            "2026-11-01 03:59:59",
            "day",
            1,
            "2026-11-01T04:00:00",
        ),  # an hour later midnight comes again
        ("America/Havana", "2026-11-01 04:30:00", "day", 1, "2026-11-02T05:00:00"),
        ("UTC", "2026-02-28 00:00:00", "day", 2, "2026-03-02T00:00:00"),
    ],
)
def test_a_look_leaves_a_calendar_window_so_many_units_after_its_own(
    zone: str, looked_at: str, unit: str, times: int, left: str
) -> None:
    assert left_at(looked(looked_at, until="2026-12-31", unit=unit, times=times, zone=zone)) == [left]


def test_a_calendar_window_begins_with_a_unit_and_takes_its_first_millisecond() -> None:
    week = {"unit": "week", "times": 2, "zone": "Europe/Berlin", "until": "2026-04-01"}  # from Monday, March 23 on

    inside = looked("2026-03-22 23:00:00", **week).people[ADA].features
    outside = looked("2026-03-22 22:59:59.999", **week).people[ADA].features

    assert (inside, outside) == ({"looks": 1}, {"looks": 0})


# --- what cannot be told ---------------------------------------------------------------------------

ITEMS = FeatureSpec(name="items", kind="distinct", event="Viewed", field="item", cap=2, over_ms=HOUR, grid_ms=MINUTE)


def looks_at(*items: str, every: int = MINUTE) -> list[Record]:
    """Return a look at each item, in order."""
    return [event(place * every, properties={"item": each}) for place, each in enumerate(items)]


def test_more_different_values_than_the_cap_are_unknown_until_a_tile_leaves() -> None:
    project = one_segment(compare(node("feature", "items"), "==", node("const", 2)), ITEMS)
    looks = looks_at("a", "b", "c")
    end = HOUR + MINUTE  # when the first tile leaves

    unknown = told(project, *looks, tick(end - 1))
    again = told(project, *looks, tick(DAY))

    assert (unknown.people[ADA].features, unknown.people[ADA].unknown) == ({"items": None}, {"s"})
    assert crossings(unknown) == [(True, MINUTE, 1)]  # in with two; the third makes it unknown, and the bit stays
    assert crossings(again) == [(True, MINUTE, 1), (False, end + MINUTE, 3)]  # two again at `end`: still in
    assert again.people[ADA].unknown == frozenset()


def test_who_is_out_when_it_becomes_unknown_stays_out() -> None:
    project = one_segment(at_least("items", 3), ITEMS)

    assert crossings(told(project, *looks_at("a", "b", "c", "d"), tick(DAY))) == []


def test_over_all_time_what_is_unknown_stays_so_and_a_top_is_no_list() -> None:
    for_ever = {"cap": 2, "over_ms": None}

    assert value("distinct", "item", *looks_at("a", "b", "a"), tick(90 * DAY), **for_ever) == 2
    assert value("distinct", "item", *looks_at("a", "b", "c"), tick(90 * DAY), **for_ever) is None
    assert value("top", "item", *looks_at("a", "b", "c"), n=1, cap=2) is None
    assert value("top", "item", *looks_at("a", "b", "b"), n=1, cap=2) == ["b"]


def test_without_a_cap_a_thousand_values_are_told_apart() -> None:
    thousand = looks_at(*map(str, range(DISTINCT_MAX)), every=1)

    assert value("distinct", "item", *thousand) == DISTINCT_MAX
    assert value("distinct", "item", *thousand, *looks_at("one more")) is None


NUMBERS = {"n": 6, "zero": 0, "big": 1e308, "price": [500, "USD"], "never": None, "unknown": UNKNOWN, "ago": 5}


def given_values(tree: Tree) -> Any:
    """Return the truth of a condition over NUMBERS, or the value of a number."""

    def look(each: Tree) -> Any:
        return NUMBERS[each["name"]] if each["type"] == "feature" else leaf(each)

    return side(tree, look) if tree["type"] == "arithmetic" else truth(tree, look, frozenset(("ago", "never")))


def calc(left: Any, sign: str, right: Any) -> Tree:
    """Return an operation on names and constants."""
    sides = [
        each if isinstance(each, dict) else node("feature" if each in NUMBERS else "const", each)
        for each in (left, right)
    ]
    return {"type": "arithmetic", "sign": sign, "left": sides[0], "right": sides[1]}


@pytest.mark.parametrize(
    ("tree", "told_as"),
    [
        (calc("n", "/", 4), 1.5),
        (calc("n", "-", 7), -1.0),
        (calc(calc("n", "+", 0.1), "*", "price"), (6 + 0.1) * 500.0),
        (calc(calc(0.1, "+", 0.2), "-", 0.3), 5.551115123125783e-17),
        (calc("n", "/", "zero"), None),
        (calc("zero", "/", "zero"), None),
        (calc("big", "*", 10), None),
        (calc(calc("big", "*", 10), "*", 0), None),
        (calc("never", "+", "n"), None),
        (calc("unknown", "*", "zero"), UNKNOWN),
        (calc("unknown", "+", "never"), None),
        (calc("unknown", "/", "zero"), None),
        (calc("zero", "/", "unknown"), UNKNOWN),
    ],
)
def test_arithmetic_is_never_before_it_is_unknown_before_it_is_a_number(tree: Tree, told_as: Any) -> None:
    assert given_values(tree) == told_as


YES, NO = compare(node("const", 1), "==", node("const", 1)), compare(node("const", 1), "==", node("const", 2))
MAYBE = compare(node("feature", "unknown"), "==", node("const", 1))


def every_one(*of: Tree) -> Tree:
    """Return an And."""
    return {"type": "and", "of": list(of)}


def any_one(*of: Tree) -> Tree:
    """Return an Or."""
    return {"type": "or", "of": list(of)}


@pytest.mark.parametrize(
    ("tree", "told_as"),
    [
        (MAYBE, UNKNOWN),
        (negation(MAYBE), UNKNOWN),
        (every_one(YES, MAYBE), UNKNOWN),
        (every_one(MAYBE, NO), False),
        (any_one(MAYBE, NO), UNKNOWN),
        (any_one(MAYBE, YES), True),
        (negation(every_one(MAYBE, NO)), True),
        (every_one(), True),
        (any_one(), False),
        (compare(node("feature", "unknown"), "<", node("feature", "never")), False),
        (compare(calc("unknown", "+", "n"), "<", node("const", 1)), UNKNOWN),
        (compare(calc("n", "/", "zero"), "!=", node("const", 1)), False),
    ],
)
def test_logic_has_three_truths(tree: Tree, told_as: Any) -> None:
    assert given_values(tree) is told_as


def test_what_is_unknown_is_no_truth_by_itself() -> None:
    with pytest.raises(TypeError, match="expected a truth"):
        bool(UNKNOWN)


def test_a_segment_in_a_condition_is_its_condition_now_and_not_the_bit_that_stayed() -> None:
    two = SegmentSpec(name="two", condition=compare(node("feature", "items"), "==", node("const", 2)), version="1")
    not_two = SegmentSpec(name="not_two", condition=negation(node("segment", "two")), version="1")
    project = Compiled(features=(ITEMS,), segments=(not_two, two))

    result = told(project, *looks_at("a", "b", "c"), tick(3 * MINUTE))

    assert crossings(result) == [(True, 0, 0), (False, MINUTE, 1), (True, MINUTE, 1)]  # out of not_two, into two
    assert result.people[ADA].unknown == {"two", "not_two"}
    assert result.people[ADA].memberships == {"not_two": (False, 2), "two": (True, 1)}


# --- the oracle stands apart ----------------------------------------------------------------------


def test_the_oracle_imports_only_the_model_the_ids_and_the_standard_library() -> None:
    files = sorted(Path(naive.__file__).parent.glob("*.py"))

    foreign = {name for file in files for name in imported(file.read_text()) if not is_allowed(name)}

    assert len(files) >= 2
    assert foreign == set()


def test_the_import_rule_sees_what_it_forbids() -> None:
    source = "def late():\n    import ast, numpy\n    from livepost import ids\n    from livepost.engine import fold"

    foreign = {name for name in imported(source) if not is_allowed(name)}

    assert foreign == {"numpy", "livepost.engine", "livepost"}


def imported(source: str) -> set[str]:
    """Return every module that a source imports, wherever it does."""
    names: set[str] = set()
    for each in ast.walk(ast.parse(source)):
        if isinstance(each, ast.Import):
            names |= {alias.name for alias in each.names}
        elif isinstance(each, ast.ImportFrom):
            names.add("." * each.level + (each.module or ""))
    return names


def is_allowed(name: str) -> bool:
    """Say whether the oracle may import a module."""
    if name == "livepost.ids" or name.startswith(("livepost.model.", "tests.oracle.")):
        return True
    return name.split(".", maxsplit=1)[0] in sys.stdlib_module_names


# --- generated cases ------------------------------------------------------------------------------

FAST = settings(max_examples=60, deadline=None, database=None, derandomize=True)


@FAST
@given(cases())
def test_a_log_keeps_the_promises_of_the_log(case: Case) -> None:
    records = case.records

    assert [record.seq for record in records] == list(range(len(records)))
    assert 1 <= len(records) <= 60
    stamps = [record.stamp for record in records]
    assert stamps == sorted(stamps)
    assert all(record.effective_ts <= record.stamp for record in records)
    for block in case.blocks:
        assert block_of(block, block[0].seq, block[0].stamp).records() == block


@FAST
@given(projects())
def test_a_project_is_one_that_could_have_been_compiled(compiled: Compiled) -> None:
    assert msgspec.json.decode(msgspec.json.encode(compiled), type=Compiled) == compiled
    for segment in compiled.segments:
        msgspec.convert(segment.condition, Expr)
    for feature in compiled.features:
        assert feature.over_ms is None or feature.over_ms % (feature.grid_ms or 0) == 0


@FAST
@given(cases())
def test_at_the_end_every_stored_bit_is_what_the_condition_says(case: Case) -> None:
    assert stale_bits(Naive(case.compiled, case.records, SHOP), case) == []


def test_without_due_times_a_stored_bit_would_go_stale() -> None:
    class Sleeping(Naive):
        def refold(self, person: Person) -> None:
            super().refold(person)
            person.due_times = set()

    find(
        cases(),
        lambda case: stale_bits(Sleeping(case.compiled, case.records, SHOP), case) != [],
        settings=settings(FAST, max_examples=500, phases=[Phase.generate]),
    )


def stale_bits(engine: Naive, case: Case) -> list[str]:
    """Return the segments whose stored bit is not what their condition says at the log's last stamp."""
    engine.finish([engine.take(record) for record in case.records])
    last = case.records[-1].stamp
    return [
        name
        for person in engine.person_by_subject.values()
        for name, condition in engine.conditions.items()
        if person.records and is_stale(person.bits.get(name, False), engine.inside(person, condition, last))
    ]


def is_stale(bit: bool, told: Truth) -> bool:
    """Say whether a stored bit is not what a condition says; where it says nothing, any bit is right."""
    return told is not UNKNOWN and bit is not told


@FAST
@given(cases())
def test_evaluating_more_often_never_changes_an_answer(case: Case) -> None:
    """A person is served at every record of anybody, in a log that says the same."""

    class Restless(Naive):
        def take(self, record: Record) -> naive.Ending | None:
            for person in {id(each): each for each in self.person_by_subject.values()}.values():
                self.serve(person, record.stamp)
            return super().take(record)

    restless = Restless(case.compiled, case.records, SHOP)
    often = restless.finish([restless.take(record) for record in case.records])
    once = run(case.compiled, case.records, SHOP)

    assert naive.essences(often.transitions) == naive.essences(once.transitions)
    assert naive.essences(often.outbox) == naive.essences(once.outbox)
    assert often.people == once.people


WANTED = {
    "entered": 0.7,
    "left": 0.3,
    "at a due time": 0.2,
    "Merge": 0.2,
    "ConsentChange": 0.5,
    "sent": 0.3,
    "consent": 0.05,
    "holdout": 0.03,
    "cap": 0.03,
    "stale": 0.1,
    "until": 0.1,
    "exit": 0.03,
    "cancel until": 0.02,
    "cancel exit": 0.01,
    "late": 0.1,
    "id conflict": 0.1,
    "duplicate": 0.3,
    "merge with journey": 0.02,
}
"""In which share of the cases each thing has to happen at least once."""


def test_in_generated_cases_everything_of_interest_happens_often() -> None:
    seen: Counter[str] = Counter()

    @settings(FAST, max_examples=200, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
    @given(cases())
    def look(case: Case) -> None:
        seen["cases"] += 1
        seen.update(happenings(case))

    look()
    assert too_rare(seen) == {}, seen


def happenings(case: Case) -> set[str]:
    """Return what happens in a case."""
    journeys: set[str] = set()

    class Watching(Naive):
        def merge(self, one: Person, other: Person, record: Record) -> None:
            if any(each.journey for person in (one, other) for each in person.standings.values()):
                journeys.add("merge with journey")
            super().merge(one, other, record)

    engine = Watching(case.compiled, case.records, SHOP)
    result = engine.finish([engine.take(record) for record in case.records])
    found = {reason or word for word, reason in filter(None, result.endings)} | journeys
    for each in result.transitions:
        found.add("entered" if each.entered else "left")
        found |= {"at a due time"} if each.at < case.records[each.position].stamp else set()
    for item in result.outbox:
        match item:
            case Decision():
                found.add(item.skip or "sent")
            case Cancellation():
                found.add(f"cancel {item.reason}")
            case _:
                found.add(type(item).__name__)
    return found


def too_rare(seen: Counter[str]) -> dict[str, int]:
    """Return what happened in fewer cases than wanted, with in how many it did."""
    return {name: seen[name] for name, share in WANTED.items() if seen[name] < share * seen["cases"]}


def test_what_never_happens_is_noticed() -> None:
    all_but_caps = Counter({name: 200 for name in ("cases", *WANTED) if name != "cap"})

    assert too_rare(all_but_caps) == {"cap": 0}
