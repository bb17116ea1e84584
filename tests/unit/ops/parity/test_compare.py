"""Live people against the log: what is right is told as right, and every fault put in is found, and it alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from livepost.errors import StoreError
from livepost.ids import digest
from livepost.log.base import Position
from livepost.model.block import Block, block_of
from livepost.model.compiled import Compiled, EventSpec, FeatureSpec, FieldSpec, SegmentSpec
from livepost.model.person import MembershipView, PersonView
from livepost.model.record import Kind, Mention, Record
from livepost.ops.parity import MISMATCHES_MAX, Mismatch, Parity, compare
from livepost.process.view import view_of
from tests.properties.driver import fold
from tests.properties.generators import DAY, HOUR, START, Case, cases

SLOW = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    max_examples=40,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)

ADA, BEN, GUEST = digest("ada"), digest("ben"), digest("guest")

SHOP = Compiled(
    profile="Shopper",
    events=(
        EventSpec(
            name="Viewed",
            cls="Viewed",
            fields=(
                FieldSpec(name="item", keys=("item",), type="str"),
                FieldSpec(name="price", keys=("price",), type="money"),
                FieldSpec(name="first_name", keys=("first_name",), type="str", personal=True),
            ),
        ),
    ),
    features=(
        FeatureSpec(name="views", kind="count", event="Viewed", over_ms=7 * DAY, grid_ms=HOUR),
        FeatureSpec(name="spend", kind="total", event="Viewed", field="price", type="money"),
        FeatureSpec(name="ago", kind="since", event="Viewed"),
        FeatureSpec(name="items", kind="top", event="Viewed", field="item", n=2, type="list"),
        FeatureSpec(name="called", kind="latest", event="Viewed", field="first_name", type="str", personal=True),
    ),
    segments=(
        SegmentSpec(
            name="looking",
            condition={
                "type": "compare",
                "op": ">=",
                "left": {"type": "feature", "name": "views"},
                "right": {"type": "const", "value": 2},
            },
        ),
    ),
)


def viewed(subject: bytes, number: int, *, mentions: tuple[Mention, ...] = ()) -> Record:
    return Record(
        source="web",
        subject=subject,
        known=subject != GUEST,
        mentions=mentions,
        message_id=f"m-{number}",
        name="Viewed",
        effective_ts=START + number * HOUR,
        properties={"item": "ab"[number % 2], "price": [100 * number, "USD"]},
        sealed={"first_name": b"seal-%d" % number},
        context={"consent": {"marketing": number % 2 == 0}},
        content_hash=digest("content", number),
        seq=number,
        stamp=START + number * HOUR,
    )


def log() -> list[Record]:
    """Ada looks as a guest, then as herself; Ben looks twice."""
    return [
        viewed(GUEST, 0),
        viewed(ADA, 1, mentions=(Mention(GUEST, False),)),
        viewed(BEN, 2),
        viewed(ADA, 3),
        viewed(BEN, 4),
    ]


def blocks_of(records: Sequence[Record]) -> list[Block]:
    return [block_of([record], record.seq, record.stamp) for record in records]


def people_of(compiled: Compiled, records: Sequence[Record]) -> list[PersonView]:
    people = fold(compiled, records, [1000]).people
    return [view_of(people, number) for number, row in enumerate(people.rows) if row is not None]


def end(records: Sequence[Record]) -> Position:
    return Position(records[-1].seq, records[-1].stamp)


def parity_of(compiled: Compiled, records: Sequence[Record], people: Sequence[PersonView]) -> Parity:
    return compare(blocks_of(records), compiled, people, end(records), everybody=True)


def changed(view: PersonView, **parts: Any) -> PersonView:
    return msgspec.structs.replace(view, **parts)


@SLOW
@given(case=cases())
def test_the_engines_people_are_what_duckdb_makes_of_the_log(case: Case) -> None:
    people = people_of(case.compiled, case.records)
    parity = parity_of(case.compiled, case.records, people)
    assert parity.mismatches == ()
    assert (parity.holds, parity.people, parity.mismatched) == (True, len(people), 0)


@SLOW
@given(case=cases(), which=st.integers(0, 10_000))
def test_one_changed_value_of_any_person_is_the_one_mismatch(case: Case, which: int) -> None:
    people = people_of(case.compiled, case.records)
    if not people:
        return
    view = people[which % len(people)]
    names = [*view.features, *view.sealed]
    name = names[which % len(names)]
    people[which % len(people)] = changed(
        view,
        features={**view.features, name: "tampered"},
        sealed={other: value for other, value in view.sealed.items() if other != name},
    )
    right = view.features.get(name, view.sealed.get(name))
    parity = parity_of(case.compiled, case.records, people)
    assert parity.mismatches == (Mismatch(view.person.hex(), "feature", name, "tampered", right),)
    assert not parity.holds


def test_two_people_agree_in_every_value() -> None:
    parity = parity_of(SHOP, log(), people_of(SHOP, log()))
    each = 1 + len(SHOP.features) + len(SHOP.segments) + 1
    assert (parity.people, parity.values, parity.mismatched, parity.holds) == (2, 2 * each, 0, True)
    assert (parity.position, parity.as_of) == (4, START + 4 * HOUR)


def test_a_changed_membership_is_the_one_mismatch() -> None:
    ada, ben = sorted(people_of(SHOP, log()), key=lambda view: view.person == BEN)
    (looking,) = ben.memberships
    wrong = changed(ben, memberships=(msgspec.structs.replace(looking, inside=False),))
    parity = parity_of(SHOP, log(), [ada, wrong])
    assert parity.mismatches == (Mismatch(BEN.hex(), "segment", "looking", False, True),)


def picky(*, inside: bool, unknown: bool) -> Parity:
    """Return the parity of a Ben who looked at more things than are told apart, and is live so in a segment of it."""
    different = FeatureSpec(name="different", kind="distinct", event="Viewed", field="item", cap=1)
    condition = {
        "type": "compare",
        "op": "<=",
        "left": {"type": "feature", "name": "different"},
        "right": {"type": "const", "value": 1},
    }
    shop = msgspec.structs.replace(
        SHOP, features=(different,), segments=(SegmentSpec(name="picky", condition=condition),)
    )
    records = [viewed(BEN, 0), viewed(BEN, 1)]
    (ben,) = people_of(msgspec.structs.replace(SHOP, features=(), segments=()), records)
    told = MembershipView(segment="picky", inside=inside, since=0, number=1, unknown=unknown)
    return parity_of(shop, records, [changed(ben, features={"different": None}, memberships=(told,))])


def test_where_nobody_can_tell_live_has_to_say_so_and_the_bit_is_free() -> None:
    assert picky(inside=True, unknown=True).holds
    assert picky(inside=False, unknown=True).holds
    for inside in (True, False):
        wrong = Mismatch(BEN.hex(), "segment", "picky", inside, "unknown")
        assert picky(inside=inside, unknown=False).mismatches == (wrong,)


def test_who_is_called_unknown_live_though_it_can_be_told_is_a_mismatch() -> None:
    ada, ben = sorted(people_of(SHOP, log()), key=lambda view: view.person == BEN)
    (looking,) = ben.memberships
    wrong = changed(ben, memberships=(msgspec.structs.replace(looking, unknown=True),))
    parity = parity_of(SHOP, log(), [ada, wrong])
    assert parity.mismatches == (Mismatch(BEN.hex(), "segment", "looking", "unknown", True),)


def test_a_changed_or_forgotten_consent_is_the_one_mismatch() -> None:
    ada, ben = sorted(people_of(SHOP, log()), key=lambda view: view.person == BEN)
    for consents, live in (({"marketing": False}, False), ({}, None)):
        parity = parity_of(SHOP, log(), [ada, changed(ben, consents=consents)])
        assert parity.mismatches == (Mismatch(BEN.hex(), "consent", "marketing", live, True),)


def test_a_seal_with_one_other_byte_is_a_mismatch() -> None:
    ada, ben = sorted(people_of(SHOP, log()), key=lambda view: view.person == BEN)
    wrong = msgspec.structs.replace(ben.sealed["called"], seal=b"seal-5")
    parity = parity_of(SHOP, log(), [ada, changed(ben, sealed={"called": wrong})])
    assert parity.mismatches == (Mismatch(BEN.hex(), "feature", "called", wrong, ben.sealed["called"]),)


def test_a_seal_that_retention_took_out_of_the_log_alone_is_none() -> None:
    thinned = [msgspec.structs.replace(record, sealed={"first_name": b""}) for record in log()]
    people = people_of(SHOP, log())
    assert parity_of(SHOP, thinned, people).holds
    ada, ben = people
    wrong = msgspec.structs.replace(ben.sealed["called"], message_id="m-9")
    assert parity_of(SHOP, thinned, [ada, changed(ben, sealed={"called": wrong})]).mismatched == 1


@pytest.mark.parametrize("lost", range(5))
def test_a_record_that_the_engine_folded_and_the_log_has_not_is_found(lost: int) -> None:
    people = people_of(SHOP, log())
    records = log()
    records[lost] = Record(kind=Kind.TICK, effective_ts=START, seq=lost, stamp=records[lost].stamp)
    assert not parity_of(SHOP, records, people).holds


def test_a_person_with_a_subject_too_few_is_a_mismatch_and_compared_no_further() -> None:
    ada, ben = sorted(people_of(SHOP, log()), key=lambda view: view.person == BEN)
    parity = parity_of(SHOP, log(), [changed(ada, subjects=(ADA,), features={}), ben])
    assert parity.mismatches == (Mismatch(ADA.hex(), "person", "", [ADA.hex()], [ADA.hex(), GUEST.hex()]),)


def test_a_person_whom_nobody_spoke_of_is_a_mismatch() -> None:
    people = people_of(SHOP, log())
    stranger = changed(people[0], person=digest("stranger"), subjects=(digest("stranger"),))
    parity = parity_of(SHOP, log(), [*people, stranger])
    assert [(one.kind, one.recomputed) for one in parity.mismatches] == [("person", [])]


def test_a_person_missing_live_is_found_where_everybody_is_compared_and_not_in_a_sample() -> None:
    ben = [view for view in people_of(SHOP, log()) if view.person == BEN]
    parity = parity_of(SHOP, log(), ben)
    assert parity.mismatches == (Mismatch(ADA.hex(), "person", "", [], [ADA.hex(), GUEST.hex()]),)
    assert compare(blocks_of(log()), SHOP, ben, end(log())).holds


def test_an_engine_that_forgot_everybody_is_found() -> None:
    assert [one.kind for one in parity_of(SHOP, log(), []).mismatches] == ["person", "person"]


def test_records_behind_the_position_are_not_read() -> None:
    people = people_of(SHOP, log()[:3])
    assert compare(blocks_of(log()), SHOP, people, end(log()[:3]), everybody=True).holds
    in_one = block_of([msgspec.structs.replace(record, stamp=START) for record in log()], 0, START + 2 * HOUR)
    assert compare([in_one], SHOP, people, Position(2, START + 2 * HOUR), everybody=True).people == 2


def test_people_at_another_position_are_refused() -> None:
    people = people_of(SHOP, log())
    with pytest.raises(
        StoreError, match=r"expected all people as of record 3 .* ask the engine for all of them at once"
    ):
        compare(blocks_of(log()), SHOP, people, end(log()[:4]))


def test_a_log_that_does_not_begin_with_its_first_record_or_has_a_gap_is_refused() -> None:
    people, blocks = people_of(SHOP, log()), blocks_of(log())
    with pytest.raises(StoreError, match="expected record 0 of the log next, got 1"):
        compare(blocks[1:], SHOP, people, end(log()))
    with pytest.raises(StoreError, match="expected record 2 of the log next, got 3"):
        compare([*blocks[:2], *blocks[3:]], SHOP, people, end(log()))


def test_a_log_that_ends_before_the_people_is_refused() -> None:
    with pytest.raises(StoreError, match="expected the log up to record 4, where the people are, got it up to 3"):
        compare(blocks_of(log())[:4], SHOP, people_of(SHOP, log()), end(log()))


def test_over_its_memory_parity_is_refused() -> None:
    many = [viewed(digest("somebody", number), number) for number in range(2_000)]
    large = [msgspec.structs.replace(record, properties={"item": "x" * 20_000}) for record in many]
    people = people_of(SHOP, large)
    with pytest.raises(StoreError, match="people to fit into 30 MB, got more; compare fewer people"):
        compare(blocks_of(large), SHOP, people, end(large), memory_mb=30)
    assert compare(blocks_of(large), SHOP, people[:20], end(large), memory_mb=30).holds


def test_so_many_mismatches_are_told_and_all_are_counted() -> None:
    records = [viewed(digest("somebody", number), number) for number in range(MISMATCHES_MAX + 1)]
    people = [changed(view, features={**view.features, "views": 7}) for view in people_of(SHOP, records)]
    parity = parity_of(SHOP, records, people)
    assert (len(parity.mismatches), parity.mismatched) == (MISMATCHES_MAX, MISMATCHES_MAX + 1)
    assert parity_of(SHOP, records, people[1:]).mismatched == MISMATCHES_MAX + 1


def test_the_outcome_is_plain_json() -> None:
    ada, ben = sorted(people_of(SHOP, log()), key=lambda view: view.person == BEN)
    parity = parity_of(SHOP, log(), [ada, changed(ben, sealed={}, subjects=(BEN, GUEST))])
    told = msgspec.json.decode(msgspec.json.encode(parity))
    assert told["holds"] is False and told["mismatches"][0]["kind"] == "person"
