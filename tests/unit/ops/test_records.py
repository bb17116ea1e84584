"""Which records are told behind an answer: now, or as it was when a journey began or a mail was decided on."""

from __future__ import annotations

from typing import Any

import msgspec

from livepost.clock import HOUR_MS
from livepost.expr import Compare, Const, Feature, Segment
from livepost.ids import event_id
from livepost.model.compiled import CampaignSpec, Compiled, FeatureSpec, SegmentSpec
from livepost.model.decision import Decision, Transition
from livepost.model.person import JourneyView, PersonView
from livepost.model.record import Mention, Record
from livepost.ops.behind import Behind, Counted
from livepost.ops.condition import Term
from livepost.ops.evidence import Evidence
from livepost.ops.records import Records

NOW = 1_767_603_600_000
ADA = b"a" * 16
KEEN = msgspec.to_builtins(Compare(">=", Feature("views"), Const(2)))
COMPILED = Compiled(
    features=(
        FeatureSpec(name="views", kind="count", event="Viewed"),
        FeatureSpec(name="orders", kind="count", event="Ordered", over_ms=HOUR_MS, grid_ms=1_000),
    ),
    segments=(
        SegmentSpec(name="keen", condition=KEEN, version="v1"),
        SegmentSpec(name="keener", condition=msgspec.to_builtins(Segment("keen")), version="v1"),
    ),
)
BY_AUDIENCE = CampaignSpec(name="reminder", audience="keen")
BY_EVENT = CampaignSpec(name="receipt", on="Ordered")


def record(seq: int, name: str = "Viewed") -> Record:
    """Return the record of a second: each is alone in its block."""
    at = NOW + 1_000 * seq
    return Record(name=name, subject=ADA, source="web", message_id=str(seq), seq=seq, stamp=at, effective_ts=at)


EVENTS = [record(1), record(2), record(3, "Ordered"), record(4)]


def entered(version: str = "v1") -> Transition:
    """Return that somebody entered at the second look."""
    return Transition(
        id=b"t" * 16,
        person=ADA,
        segment="keen",
        version=version,
        number=1,
        entered=True,
        at=NOW + 2_000,
        position=2,
        origin=0,
    )


def decision(cause: bytes) -> Decision:
    return Decision(
        id=b"d" * 16,
        campaign="reminder",
        version="",
        step=0,
        person=ADA,
        cause=cause,
        cause_text="",
        at=NOW + 60_000,
        position=4,
        purpose="marketing",
        class_="marketing",
        lane="triggered",
    )


def records(transition: Transition | None = None, **also: Any) -> Records:
    view = PersonView(
        person=ADA,
        subjects=(ADA,),
        position=4,
        as_of=NOW + 10_000,
        features={"views": 3, "orders": 1},
        sealed={},
        memberships=(),
        journeys=(),
        consents={},
        next_due=None,
    )
    told = {"counted": Counted(records=EVENTS, reach="the whole log was searched", whole=True), **also}
    return Records(COMPILED, Evidence(view=view, transitions=[transition] if transition else [], **told))


def positions(told: tuple[Behind, ...]) -> dict[str, list[int]]:
    return {one.feature: [each.position for each in one.records] for one in told}


def test_a_term_is_told_with_what_is_behind_it_now_through_segments_of_segments() -> None:
    term = Term(values={"keener": True, "orders": 1}, holds=True, text="")
    [told] = records().of_terms([term])
    assert positions(told.behind) == {"views": [4, 2, 1], "orders": [3]}
    assert records().reach == "the whole log was searched"


def test_a_decision_is_told_with_what_was_behind_the_segment_when_it_was_entered() -> None:
    told = records(entered()).of_decision(decision(b"t" * 16))
    assert positions(told) == {"views": [2, 1]}
    assert "views was 2: 2 records" in str(told[0])


def test_where_not_all_records_are_known_the_value_of_then_is_not_told() -> None:
    cut = records(entered(), counted=Counted(records=EVENTS, reach="not far", whole=False))
    [told] = cut.of_decision(decision(b"t" * 16))
    assert told.value is msgspec.UNSET
    assert "views: 2 records" in str(told)


def test_what_somebody_did_who_was_another_person_then_is_not_behind_it() -> None:
    other = msgspec.structs.replace(record(0), subject=b"b" * 16)
    link = msgspec.structs.replace(record(5, "$identify"), mentions=(Mention(b"b" * 16, False),))
    later = Counted(records=[other, *EVENTS, link], reach="", whole=True)
    assert positions(records(entered(), counted=later).of_decision(decision(b"t" * 16))) == {"views": [2, 1]}
    sooner = Counted(records=[other, msgspec.structs.replace(link, seq=1), *EVENTS], reach="", whole=True)
    told = records(entered(), counted=sooner).of_decision(decision(b"t" * 16))
    assert positions(told) == {"views": [2, 1, 0]}


def test_a_decision_that_an_event_caused_is_told_with_that_event() -> None:
    assert positions(records().of_decision(decision(event_id("web", "3")))) == {"Ordered": [3]}
    assert records().of_decision(decision(b"else" * 4)) == ()


def test_a_journey_is_told_with_what_began_it() -> None:
    def waiting(at: int) -> JourneyView:
        return JourneyView(campaign="", entered_at=at, due=at + HOUR_MS, cause_text="")

    assert positions(records(entered()).of_journey(BY_AUDIENCE, waiting(NOW + 2_000))) == {"views": [2, 1]}
    assert records(entered()).of_journey(BY_AUDIENCE, waiting(NOW + 2_001)) == ()
    assert positions(records().of_journey(BY_EVENT, waiting(NOW + 3_000))) == {"Ordered": [3]}


def test_an_audience_is_told_as_of_now_and_an_event_has_none() -> None:
    assert positions(records().of_audience(BY_AUDIENCE)) == {"views": [4, 2, 1]}
    assert records().of_audience(BY_EVENT) == ()


def test_of_a_segment_that_was_another_one_then_nothing_is_told() -> None:
    assert records(entered(version="v0")).of_decision(decision(b"t" * 16)) == ()


def test_where_the_log_was_not_asked_nothing_is_behind_anything() -> None:
    silent = records(entered(), counted=None)
    assert (silent.reach, silent.of_audience(BY_AUDIENCE), silent.of_decision(decision(b"t" * 16))) == ("", (), ())


def test_values_of_then_are_told_in_the_words_of_conditions() -> None:
    features = (
        FeatureSpec(name="ago", kind="since", event="Viewed"),
        FeatureSpec(name="spend", kind="total", event="Ordered", field="total", type="money"),
        FeatureSpec(name="kinds", kind="distinct", event="Viewed", field="kind", cap=1),
    )
    read = [msgspec.to_builtins(Compare(">=", Feature(one.name), Const(0))) for one in features]
    keen = msgspec.structs.replace(COMPILED.segments[0], condition={"type": "and", "of": read})
    shop = msgspec.structs.replace(COMPILED, features=features, segments=(keen,), currency="EUR")
    looks = [msgspec.structs.replace(record(seq), properties={"kind": seq}) for seq in (1, 2)]
    view = records()._evidence.view
    known = Evidence(view=view, transitions=[entered()], counted=Counted(records=looks, reach="", whole=True))
    told = Records(shop, known).of_decision(decision(b"t" * 16))
    assert [one.said for one in told] == [
        "ago was 0 seconds",
        "spend was 0.00 EUR",
        "kinds cannot be told: more than 1 different values",
    ]
