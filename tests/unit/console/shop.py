"""A small shop and a person of it, for the pages that show them."""

from __future__ import annotations

from typing import Any

import msgspec

from livepost.expr import Compare, Const, Feature
from livepost.ledger.base import Delivery
from livepost.ledger.moves import State
from livepost.model.compiled import (
    ADDRESS_FEATURE,
    CampaignSpec,
    CapSpec,
    Compiled,
    EventSpec,
    FeatureSpec,
    FieldSpec,
    SegmentSpec,
)
from livepost.model.decision import Decision, Transition
from livepost.model.person import JourneyView, MembershipView, PersonView
from livepost.model.record import Record, SealedValue
from livepost.model.standing import CampaignStanding
from livepost.ops.behind import Counted
from livepost.ops.evidence import Evidence
from livepost.ops.why import PersonReason, why_person
from tests.unit.console.told import START

HOUR = 3_600_000
DAY = 24 * HOUR
ADA = bytes(range(16))
SEAL = SealedValue("web", ADA, "m-1", "first_name", b"seal")

SHOP = Compiled(
    currency="EUR",
    events=(
        EventSpec(
            name="Order Completed",
            cls="OrderCompleted",
            fields=(FieldSpec(name="total", keys=("total",), type="money"),),
        ),
    ),
    features=(
        FeatureSpec(name="first_name", kind="latest", event="$identify", field="first_name", type="str", personal=True),
        FeatureSpec(name="views", kind="count", event="Product Viewed", over_ms=7 * DAY, grid_ms=HOUR),
        FeatureSpec(name="spend", kind="total", event="Order Completed", field="total", type="money"),
        FeatureSpec(name="looked_at", kind="top", event="Product Viewed", field="name", n=3, type="list"),
        FeatureSpec(name="since(Viewed)", kind="since", event="Product Viewed", anonymous=True),
        FeatureSpec(name=ADDRESS_FEATURE, kind="latest", event="$identify", field="email", type="str", personal=True),
    ),
    segments=(
        SegmentSpec(
            name="browsing",
            condition=msgspec.to_builtins(Compare(">=", Feature("views"), Const(3))),
            text="views >= 3",
        ),
    ),
    campaigns=(
        CampaignSpec(
            name="reminder",
            audience="browsing",
            wait_ms=2 * HOUR,
            until=("Order Completed",),
            cap=CapSpec(2, 7 * DAY),
            holdout=0.05,
        ),
        CampaignSpec(name="receipt", on="Order Completed", class_="transactional", purpose="orders"),
    ),
)

VIEW = PersonView(
    person=ADA,
    subjects=(ADA, bytes(16)),
    position=7,
    as_of=START,
    features={"views": 1_204, "spend": [12_990, "EUR"], "looked_at": ["Milk", "Bread"], "since(Viewed)": 2 * HOUR},
    sealed={"first_name": SEAL},
    memberships=(MembershipView(segment="browsing", inside=True, since=START - HOUR, number=1),),
    journeys=(JourneyView(campaign="reminder", entered_at=START - HOUR, due=START + HOUR, cause_text="entered it"),),
    consents={"marketing": True, "news": False},
    next_due=START + HOUR,
)


def reasons(view: PersonView = VIEW, records: list[Record] | None = None) -> PersonReason:
    """Return why, in the words of `ops.why`, with one transition, and the records behind it if any are found."""
    crossed = Transition(
        id=b"t" * 16,
        person=ADA,
        segment="browsing",
        version="",
        number=1,
        entered=True,
        at=START - HOUR,
        position=5,
        origin=0,
    )
    counted = None if records is None else Counted(records=records, reach="the whole log was searched")
    told = Evidence(view=view, deliveries=[delivery("sent")], transitions=[crossed], counted=counted)
    return why_person(SHOP, told)


def delivery(state: State, **others: Any) -> Delivery:
    """Return a delivery of the reminder to ADA in a state."""
    decision = Decision(
        id=b"d" * 16,
        campaign="reminder",
        version="",
        step=0,
        person=ADA,
        cause=b"c" * 16,
        cause_text="entered browsing",
        at=START - HOUR,
        position=5,
        purpose="marketing",
        class_="marketing",
        lane="triggered",
    )
    told = Delivery(
        decision=decision,
        person=ADA,
        state=state,
        reason="",
        detail="",
        attempts=1,
        changed_at=START,
        provider="keep",
        provider_id="1",
    )
    return msgspec.structs.replace(told, **others)


REMINDER = CampaignStanding(
    campaign="reminder",
    declared=True,
    entered=1_000,
    waiting=100,
    by_state={"sent": 600, "skipped": 250, "failed": 20, "unknown": 10, "pending": 15, "in_flight": 5},
    by_reason={"cap": 150, "consent": 50, "holdout": 50},
    sent=600,
    clicked=120,
    held_out=50,
)
