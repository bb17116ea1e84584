"""The desk: what the house told, ready to be shown."""

from __future__ import annotations

from typing import Any

from livepost.api.people import PersonAnswer
from livepost.api.preview import PreviewAnswer
from livepost.demo.storefront.desk import Desk, Known, Stand, desk_of
from livepost.demo.storefront.line import Told
from livepost.ops.why import CampaignReason, PersonReason, SegmentReason

NOW = 1_767_603_600_000
HOUR = 3_600_000


def desk(**preview: Any) -> Desk:
    person = PersonAnswer(
        person="aa",
        subjects=["aa"],
        position=7,
        as_of=NOW,
        features={"views_7d": 3, "spend_90d": [1250, "USD"], "cart": ["Tea", "Jam"], "last": None, "since(Order)": 5},
        personal=["first_name"],
        segments=[],
        journeys=[],
        consents={},
        next_due=None,
    )
    segment = SegmentReason(
        segment="browsing", inside=True, since=None, text="in browsing", condition="", terms=(), moves=()
    )
    campaign = CampaignReason(campaign="reminder", state="waiting", text="not yet", due=NOW + HOUR)
    told = {"campaign": "reminder", "state": "waiting", "due": NOW + HOUR, "text": "not yet", "subject": "Still?"}
    mail = {"preheader": "p", "html": "<p>", "text_body": "t", "problem": None}
    return desk_of(
        Told(
            person,
            PersonReason(person="aa", as_of=NOW, consents={}, segments=(segment,), campaigns=(campaign,), text=""),
            PreviewAnswer(person="aa", position=7, as_of=NOW, **{**told, **mail, **preview}),
        ),
        now_ms=NOW,
        speed=600.0,
    )


def test_values_are_said_in_words_and_what_is_personal_is_only_named() -> None:
    assert desk().features == [
        Known("views_7d", "3"),
        Known("spend_90d", "12.50 USD"),
        Known("cart", "Tea, Jam"),
        Known("last", "never"),
        Known("first_name", "known, sealed"),
    ]


def test_segments_and_campaigns_bring_the_houses_own_sentences() -> None:
    assert desk().segments == [Stand("browsing", "in", "in browsing")]
    assert desk().campaigns == [Stand("reminder", "waiting", "not yet")]


def test_when_it_goes_is_told_in_the_shops_time_and_in_seconds_on_the_wall() -> None:
    assert (desk().letter.due, desk().letter.due_in_s) == (NOW + HOUR, 6.0)


def test_what_is_overdue_goes_now_and_what_is_not_waiting_has_no_time() -> None:
    assert desk(due=NOW - HOUR).letter.due_in_s == 0.0
    assert desk(due=None, state="sent").letter.due_in_s is None
