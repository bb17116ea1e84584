"""The next mail: which campaign's reason comes first."""

from __future__ import annotations

from typing import Any

from livepost.ops.condition import Term
from livepost.ops.next_mail import next_mail
from livepost.ops.why import CampaignReason, MailReason, PersonReason, SegmentReason


def mail(at: int, state: str = "sent") -> MailReason:
    return MailReason(decision="d", state=state, reason="", detail="", cause="", at=at, text="", moves=())


def campaign(name: str, **others: Any) -> CampaignReason:
    return CampaignReason(campaign=name, text="", **{"state": "none", **others})


def segment(name: str, *holds: bool) -> SegmentReason:
    terms = tuple(Term(values={}, holds=one, text="") for one in holds)
    return SegmentReason(segment=name, inside=all(holds), since=None, text="", condition="", terms=terms, moves=())


def chosen(*campaigns: CampaignReason, segments: tuple[SegmentReason, ...] = ()) -> str | None:
    reasons = PersonReason(person="", as_of=0, consents={}, segments=segments, campaigns=campaigns, text="")
    found = next_mail(reasons)
    return None if found is None else found.campaign


def test_of_journeys_under_way_the_one_due_first_comes_next() -> None:
    late, soon = campaign("late", state="waiting", due=20), campaign("soon", state="waiting", due=10)
    assert chosen(late, soon) == chosen(soon, late) == "soon"
    assert chosen(campaign("sent", state="sent", mails=(mail(99),)), late) == "late"


def test_a_journey_counts_before_an_earlier_mail_of_the_same_campaign() -> None:
    again = campaign("again", state="waiting", due=30, mails=(mail(5),))
    assert chosen(campaign("other", state="sent", mails=(mail(20),)), again) == "again"


def test_without_a_journey_the_mail_decided_last_is_shown_whatever_became_of_it() -> None:
    sent = campaign("sent", state="sent", mails=(mail(10), mail(2)))
    skipped = campaign("skipped", state="skipped", mails=(mail(11, "skipped"), mail(1)))
    assert chosen(sent, skipped) == chosen(skipped, sent) == "skipped"
    assert chosen(skipped, campaign("none", audience="a"), segments=(segment("a", True),)) == "skipped"


def test_mails_of_what_the_project_does_not_declare_are_nobody_s_next_one() -> None:
    asked_for = campaign("$send", state="sent", mails=(mail(99),), declared=False)
    assert chosen(campaign("sent", state="sent", mails=(mail(1),)), asked_for) == "sent"
    assert chosen(asked_for) is None


def test_before_any_mail_the_campaign_is_shown_whose_audience_is_nearest() -> None:
    far, near, event = campaign("far", audience="a"), campaign("near", audience="b"), campaign("event")
    segments = (segment("a", False, False), segment("b", False, True))
    assert chosen(far, near, event, segments=segments) == chosen(event, near, far, segments=segments) == "near"


def test_of_equally_near_ones_the_first_of_the_project_is_shown() -> None:
    segments = (segment("a", False, True), segment("b", True, False))
    first, second = campaign("first", audience="a"), campaign("second", audience="b")
    assert chosen(first, second, segments=segments) == "first"
    assert chosen(campaign("on an event"), campaign("on another")) == "on an event"


def test_a_project_without_campaigns_has_no_next_mail() -> None:
    assert chosen() is None
