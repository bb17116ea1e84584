"""Reasons: from a view, deliveries and transitions to sentences; nothing is opened and nothing decided."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from livepost.errors import ProjectError
from livepost.expr import Compare, Const, Feature
from livepost.ledger.base import Delivery, Move, Note
from livepost.ledger.moves import STATES as LEDGER_STATES
from livepost.model.compiled import CampaignSpec, Compiled, FeatureSpec, SegmentSpec
from livepost.model.decision import Decision, Transition
from livepost.model.person import JourneyView, MembershipView, PersonView
from livepost.ops.evidence import Evidence
from livepost.ops.why import STATES, CampaignReason, PersonReason, SegmentReason, why, why_person

NINE = 1_767_603_600_000  # 2026-01-05 09:00:00 UTC
ELEVEN = NINE + 2 * 3_600_000
PERSON = b"p" * 16

COMPILED = Compiled(
    profile="Shopper",
    features=(FeatureSpec(name="views_7d", kind="count", event="Product Viewed"),),
    segments=(
        SegmentSpec(
            name="browsing",
            condition=msgspec.to_builtins(Compare(">=", Feature("views_7d"), Const(3))),
            text="views_7d >= 3",
        ),
    ),
    campaigns=(
        CampaignSpec(name="reminder", audience="browsing", purpose="marketing"),
        CampaignSpec(name="receipt", on="Order Completed", class_="transactional", purpose="orders"),
    ),
)


def evidence(
    *,
    views: int = 0,
    inside: bool = False,
    since: int = 0,
    unknown: bool = False,
    journeys: tuple[JourneyView, ...] = (),
    consents: dict[str, bool] | None = None,
    **others: Any,
) -> Evidence:
    view = PersonView(
        person=PERSON,
        subjects=(PERSON,),
        position=7,
        as_of=ELEVEN,
        features={"views_7d": views},
        sealed={},
        memberships=(MembershipView(segment="browsing", inside=inside, since=since, number=1, unknown=unknown),),
        journeys=journeys,
        consents=consents or {},
        next_due=None,
    )
    return Evidence(view=view, **others)


def delivery(state: Any, reason: str = "", detail: str = "", campaign: str = "reminder") -> Delivery:
    decision = Decision(
        id=b"d" * 16,
        campaign=campaign,
        version="",
        step=0,
        person=PERSON,
        cause=b"c" * 16,
        cause_text="entered Shopper.browsing",
        at=NINE,
        position=3,
        purpose="marketing",
        class_="marketing",
        lane="triggered",
    )
    return Delivery(
        decision=decision,
        person=PERSON,
        state=state,
        reason=reason,
        detail=detail,
        attempts=1,
        changed_at=ELEVEN,
        provider="",
        provider_id="",
    )


def test_a_mail_that_was_sent_says_because_of_what_and_when() -> None:
    reason = why(COMPILED, "reminder", evidence(deliveries=[delivery("sent")]))
    assert reason.text == (
        "sent: entered Shopper.browsing, decided 2026-01-05 09:00:00 UTC, sent 2026-01-05 11:00:00 UTC"
    )


def test_mails_of_no_campaign_of_the_project_are_told_after_the_others() -> None:
    sent = delivery("sent")
    asked = msgspec.structs.replace(sent.decision, campaign="$send", cause_text="asked for by server")
    known = evidence(deliveries=[msgspec.structs.replace(sent, decision=asked)])
    person = why_person(COMPILED, known)
    assert [one.campaign for one in person.campaigns] == ["reminder", "receipt", "$send"]
    reason = why(COMPILED, "$send", known)
    assert reason.text.startswith("sent: asked for by server, decided")
    with pytest.raises(ProjectError, match="was it renamed"):
        why(COMPILED, "$send", evidence())


def test_a_skip_says_its_reason_with_the_numbers() -> None:
    reason = why(COMPILED, "reminder", evidence(deliveries=[delivery("skipped", "cap", "2 of 2 in 7 days")]))
    assert reason.text.startswith("no mail: the cap is reached, 2 of 2 in 7 days; entered Shopper.browsing")


@pytest.mark.parametrize("state", LEDGER_STATES)
def test_every_state_of_the_ledger_has_its_words(state: str) -> None:
    reason = why(COMPILED, "reminder", evidence(deliveries=[delivery(state, detail="told by the sender")]))
    assert isinstance(reason, CampaignReason)
    assert reason.state == state
    assert reason.text.partition(":")[0] == STATES[state].partition(":")[0]


def test_a_journey_under_way_comes_before_older_mails() -> None:
    journey = JourneyView(campaign="reminder", entered_at=NINE, due=ELEVEN, cause_text="entered Shopper.browsing")
    known = evidence(journeys=(journey,), deliveries=[delivery("sent")], consents={"marketing": True})
    reason = why(COMPILED, "reminder", known)
    assert isinstance(reason, CampaignReason)
    assert (reason.state, reason.due) == ("waiting", ELEVEN)
    assert reason.text == ("not yet: entered Shopper.browsing 2026-01-05 09:00:00 UTC, due 2026-01-05 11:00:00 UTC")
    assert "  sent: entered Shopper.browsing" in str(reason)


def test_a_journey_that_will_be_skipped_says_so_now() -> None:
    journey = JourneyView(campaign="reminder", entered_at=NINE, due=ELEVEN, cause_text="entered Shopper.browsing")
    reason = why(COMPILED, "reminder", evidence(journeys=(journey,), consents={"marketing": False}))
    assert reason.text.endswith("as things stand it will be skipped: no consent for this purpose, marketing")


def test_a_transactional_journey_asks_for_no_consent() -> None:
    journey = JourneyView(campaign="receipt", entered_at=NINE, due=ELEVEN, cause_text="Order Completed happened")
    assert "skipped" not in why(COMPILED, "receipt", evidence(journeys=(journey,))).text


def test_who_never_entered_is_told_what_is_missing() -> None:
    reason = why(COMPILED, "reminder", evidence(views=2))
    assert reason.text == "no mail: not in browsing: views_7d is 2, needs >= 3"


def test_who_is_inside_without_a_journey_is_told_why_none_began() -> None:
    reason = why(COMPILED, "reminder", evidence(views=3, inside=True, since=NINE))
    assert reason.text.startswith("no mail: in browsing since 2026-01-05 09:00:00 UTC: views_7d is 3; what brought")


def test_an_event_that_never_came_is_named() -> None:
    assert why(COMPILED, "receipt", evidence()).text.startswith("no mail: Order Completed has not happened")


def test_every_move_is_told_with_its_time_and_a_cancellation_that_came_too_late() -> None:
    one = delivery("sent")
    moves = [
        Move(
            number=number,
            decision=one.decision.id,
            person=PERSON,
            campaign="reminder",
            before="",
            after=after,
            reason="",
            detail="",
            at=ELEVEN,
        )
        for number, after in enumerate(("pending", "sent"))
    ]
    late = Note(decision=one.decision.id, reason="until", detail="Order Completed came first", at=ELEVEN)
    known = evidence(deliveries=[one], history={one.decision.id: moves}, notes={one.decision.id: [late]})
    assert str(why(COMPILED, "reminder", known)).splitlines()[1:] == [
        "    2026-01-05 11:00:00 UTC  pending",
        "    2026-01-05 11:00:00 UTC  sent",
        "    2026-01-05 11:00:00 UTC  what the campaign was waiting for happened, Order Completed came first, "
        "too late to stop it",
    ]


def test_a_segment_says_since_when_and_with_which_values() -> None:
    entered = Transition(
        id=b"t" * 16,
        person=PERSON,
        segment="browsing",
        version="",
        number=1,
        entered=True,
        at=NINE,
        position=3,
        origin=0,
    )
    reason = why(COMPILED, "browsing", evidence(views=3, inside=True, since=NINE, transitions=[entered]))
    assert str(reason).splitlines() == [
        "in browsing since 2026-01-05 09:00:00 UTC: views_7d is 3",
        "  condition: views_7d >= 3",
        "    yes  views_7d is 3, needs >= 3",
        "    2026-01-05 09:00:00 UTC  entered, because of record 3",
    ]


def test_a_segment_that_was_left_says_since_when() -> None:
    reason = why(COMPILED, "browsing", evidence(views=1, since=NINE))
    assert reason.text == "not in browsing since 2026-01-05 09:00:00 UTC: views_7d is 1, needs >= 3"


def test_a_person_is_told_with_all_segments_and_campaigns() -> None:
    reason = why_person(COMPILED, evidence(views=2, consents={"orders": True, "marketing": False}))
    assert str(reason).splitlines() == [
        f"person {PERSON.hex()} as of 2026-01-05 11:00:00 UTC: marketing not allowed, orders allowed",
        "  segment browsing: not in browsing: views_7d is 2, needs >= 3",
        "  campaign reminder: no mail: not in browsing: views_7d is 2, needs >= 3",
        "  campaign receipt: no mail: Order Completed has not happened, or only late or by import",
    ]


def test_a_name_of_neither_campaign_nor_segment_is_refused_with_those_there_are() -> None:
    with pytest.raises(ProjectError, match=r"\(reminder, receipt, browsing\), got remainder"):
        why(COMPILED, "remainder", evidence())


@pytest.mark.parametrize(("name", "type_"), [("reminder", CampaignReason), ("browsing", SegmentReason)])
def test_reasons_go_through_json_unchanged(name: str, type_: type) -> None:
    reason = why(COMPILED, name, evidence(views=3, inside=True, since=NINE, deliveries=[delivery("sent")]))
    assert msgspec.json.decode(msgspec.json.encode(reason), type=type_) == reason


def test_a_person_goes_through_json_unchanged() -> None:
    reason = why_person(COMPILED, evidence())
    assert msgspec.json.decode(msgspec.json.encode(reason), type=PersonReason) == reason


def test_a_segment_that_cannot_be_told_says_how_it_last_was() -> None:
    reason = why(COMPILED, "browsing", evidence(views=3, inside=True, since=NINE, unknown=True))
    assert isinstance(reason, SegmentReason)
    assert (reason.inside, reason.unknown) == (True, True)
    since = "in browsing since 2026-01-05 09:00:00 UTC"
    assert reason.text == f"{since}, as it last was; at the moment nobody can tell: views_7d is 3"
