"""Verdicts: what becomes of a call, and that the reason never holds a value."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livepost.intake.call import BrokenCall, Call
from livepost.intake.context import CONSENT_EVENT
from livepost.intake.plan import TrackingPlan, Undeclared
from livepost.intake.timestamp import parse_timestamp
from livepost.intake.verdict import (
    CHECKS,
    MAX_EVENT_NAME_CHARS,
    MAX_ID_CHARS,
    MAX_MESSAGE_ID_CHARS,
    is_plain,
    judge,
    judge_plain,
    values_told,
)
from livepost.model.compiled import Compiled, EventSpec, FieldSpec
from livepost.model.record import Verdict

VIEWED = EventSpec(
    name="Product Viewed", cls="ProductViewed", fields=(FieldSpec(name="product_id", keys=("product_id",), type="str"),)
)


def verdict(plan: Undeclared = "allow", **parts: Any) -> tuple[Verdict, str, str]:
    call = Call(
        **{"type": "track", "user_id": "u1", "event": "Product Viewed", "properties": {"product_id": "p"}, **parts}
    )
    timestamp = parse_timestamp(call.timestamp) if call.timestamp else None
    judgement = judge(call, timestamp, TrackingPlan(Compiled(events=(VIEWED,)), plan))
    return judgement.verdict, judgement.name, judgement.reason


def test_a_call_that_keeps_to_the_plan_is_accepted() -> None:
    assert verdict() == (Verdict.ACCEPTED, "Product Viewed", "")


@pytest.mark.parametrize(
    ("parts", "name", "reason"),
    [
        ({"type": "charge"}, "", "expected `type` to be one of track, identify"),
        ({"type": ""}, "", "expected `type` to be one of"),
        ({"user_id": None}, "Product Viewed", "expected a `userId` or an `anonymousId`, got neither"),
        ({"user_id": ""}, "Product Viewed", "expected a `userId` or an `anonymousId`, got neither"),
        ({"event": None}, "", "expected `event` in a track call, got none"),
        ({"event": "$identify"}, "", "expected an event name that does not start with `$`"),
        ({"timestamp": "canary"}, "Product Viewed", "expected `timestamp` to be an ISO 8601 date-time"),
        ({"properties": {}}, "Product Viewed", "expected field `product_id` in `Product Viewed`, got none"),
        (
            {"properties": {"product_id": 5}},
            "Product Viewed",
            "expected field `product_id` in `Product Viewed` to be a",
        ),
        ({"type": "group"}, "$group", "expected `groupId` in a group call, got none"),
        ({"type": "alias"}, "$alias", "expected `previousId` and `userId` in an alias call"),
        (
            {"type": "alias", "user_id": None, "anonymous_id": "a", "previous_id": "p"},
            "$alias",
            "expected `previousId`",
        ),
    ],
)
def test_a_malformed_part_makes_a_dead_letter_with_the_reason(parts: dict[str, Any], name: str, reason: str) -> None:
    got = verdict(**parts)
    assert got[:2] == (Verdict.DEAD, name)
    assert got[2].startswith(reason)
    assert "canary" not in got[2]


@pytest.mark.parametrize(
    ("part", "bound"),
    [
        ("user_id", MAX_ID_CHARS),
        ("anonymous_id", MAX_ID_CHARS),
        ("previous_id", MAX_ID_CHARS),
        ("message_id", MAX_MESSAGE_ID_CHARS),
        ("event", MAX_EVENT_NAME_CHARS),
    ],
)
def test_lengths_are_taken_up_to_the_bound_and_not_beyond(part: str, bound: int) -> None:
    assert verdict(**{part: "x" * bound})[0] is Verdict.ACCEPTED
    over = verdict(**{part: "x" * (bound + 1)})
    assert over[0] is Verdict.DEAD
    assert f"at most {bound} characters" in over[2]


@pytest.mark.parametrize(
    ("plan", "expected"),
    [("allow", Verdict.ACCEPTED), ("quarantine", Verdict.QUARANTINED), ("block", Verdict.FILTERED)],
)
def test_an_event_that_nobody_declared_goes_by_the_setting(plan: Undeclared, expected: Verdict) -> None:
    got = verdict(plan, event="Song Played")
    assert got[:2] == (expected, "Song Played")
    assert bool(got[2]) is (expected is not Verdict.ACCEPTED)


_ids = st.one_of(
    st.none(), st.integers(-1, 1), st.sampled_from(["", "u", "x" * MAX_ID_CHARS, "x" * (MAX_ID_CHARS + 1)])
)
_names = st.one_of(st.none(), st.sampled_from(["", "$identify", "Viewed", "x" * (MAX_EVENT_NAME_CHARS + 1)]))


@given(
    type_=st.sampled_from(["track", "page", "identify", "alias", "group", "charge", ""]),
    ids=st.fixed_dictionaries({name: _ids for name in ("user_id", "anonymous_id", "previous_id", "group_id")}),
    names=st.fixed_dictionaries({"event": _names, "message_id": _names}),
    broken=st.booleans(),
)
def test_a_call_said_to_be_plain_passes_every_check(
    type_: str, ids: dict[str, Any], names: dict[str, Any], broken: bool
) -> None:
    call = BrokenCall(type=type_, fault="broken", **ids, **names) if broken else Call(type=type_, **ids, **names)
    assert not is_plain(call) or not any(check(call) for check in CHECKS)


@given(
    type_=st.sampled_from(["track", "track", "page", "alias"]),
    ids=st.fixed_dictionaries({name: _ids for name in ("user_id", "anonymous_id", "previous_id")}),
    names=st.fixed_dictionaries(
        {"event": st.one_of(_names, st.just("Product Viewed")), "message_id": _names},
        optional={"timestamp": st.sampled_from(["2026-11-21T21:31:39.264Z", "soon"])},
    ),
    properties=st.dictionaries(st.sampled_from(["product_id", "note"]), st.sampled_from(["p", 1, None])),
    broken=st.booleans(),
)
def test_what_is_judged_in_fewer_steps_is_judged_the_same(
    type_: str, ids: dict[str, Any], names: dict[str, Any], properties: dict[str, Any], broken: bool
) -> None:
    long = msgspec.structs.replace(VIEWED, name="x" * (MAX_EVENT_NAME_CHARS + 1))
    plan = TrackingPlan(Compiled(events=(VIEWED, long, msgspec.structs.replace(VIEWED, name="$identify"))))
    call = Call(type=type_, properties=properties, **ids, **names)
    if broken:
        call = BrokenCall(fault="broken", **msgspec.structs.asdict(call))
    timestamp = parse_timestamp(call.timestamp) if call.timestamp else None
    fewer = judge_plain(call, timestamp, plan)
    assert fewer is None or fewer == judge(call, timestamp, plan)


def test_what_most_of_a_batch_is_is_judged_in_fewer_steps() -> None:
    plan = TrackingPlan(Compiled(events=(VIEWED,)))
    call = Call(type="track", user_id="u", event="Product Viewed", properties={"product_id": "p", "more": 1})
    judged = judge_plain(call, None, plan)
    assert judged is not None
    assert judged == judge(call, None, plan)
    assert judge_plain(msgspec.structs.replace(call, user_id=""), None, plan) is None


def test_what_a_browser_sends_is_said_to_be_plain() -> None:
    assert is_plain(Call(type="track", event="Product Viewed", anonymous_id="a", message_id="m"))
    assert is_plain(Call(type="track", event="Product Viewed", user_id="u", timestamp="2026-11-21T21:31:39.264Z"))


@pytest.mark.parametrize("plan", ["quarantine", "block"])
def test_the_protocols_own_calls_pass_whatever_the_setting(plan: Undeclared) -> None:
    assert verdict(plan, type="page")[:2] == (Verdict.ACCEPTED, "$page")


@pytest.mark.parametrize("plan", ["quarantine", "block"])
def test_what_a_person_says_about_consent_passes_whatever_the_setting(plan: Undeclared) -> None:
    assert verdict(plan, event=CONSENT_EVENT)[:2] == (Verdict.ACCEPTED, CONSENT_EVENT)


def test_what_stands_beside_the_properties_is_told_too() -> None:
    assert values_told(Call(type="page", name="Home", category="Docs", properties={"name": "Start"})) == {
        "name": "Start",
        "category": "Docs",
    }
    assert values_told(Call(type="group", group_id="g", traits={"plan": "gold"})) == {"groupId": "g", "plan": "gold"}
    assert values_told(Call(type="identify", traits={"a": 1}, properties={"b": 2})) == {"a": 1}
