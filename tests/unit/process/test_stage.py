"""A whole step by hand: due times between records, merges in a chain, the wave and what it promises, conservation."""

from __future__ import annotations

from typing import Any

import pytest

from livepost.ids import transition_id
from livepost.model.block import Block
from livepost.model.compiled import CampaignSpec
from livepost.model.decision import ConsentChange, Decision, Merge
from livepost.model.record import Kind, Origin, Record, Verdict
from tests.unit.engine.projects import compare, compiled, feature, segment, windowed
from tests.unit.process.records import DAY, HOUR, MINUTE, NOW, SECOND, Folded, block, event, subject

LEAVES = HOUR + SECOND
KEEN = compiled(
    [windowed("views", HOUR, SECOND)],
    [segment("keen", compare("views", ">=", 2))],
    [CampaignSpec(name="remind", audience="keen", wait_ms=HOUR // 2, class_="transactional", exit=False)],
)


def view(letter: str, number: int, at: int, **rest: Any) -> Record:
    """Return a view that happened so many ms after NOW."""
    return event(letter, f"{letter}{number}", effective_ts=NOW + at, **rest)


def tick(seq: int, at: int) -> Block:
    return block(seq, NOW + at, Record(kind=Kind.TICK, effective_ts=NOW + at))


def moves(folded: Folded) -> list[tuple[bool, int, int, int]]:
    """Return transitions as (entered, ms after NOW, position, number)."""
    return [(t.entered, t.at - NOW, t.position, t.number) for t in folded.transitions]


def keen(*letters: str) -> Folded:
    """Return people who have each just viewed twice, at NOW."""
    folded = Folded(KEEN)
    records = [view(letter, number, 0) for letter in letters for number in (1, 2)]
    folded.step(block(0, NOW, *records))
    return folded


def test_a_due_time_between_two_records_of_one_batch_is_served_at_its_time() -> None:
    folded = Folded(KEEN)
    folded.step(
        block(0, NOW, view("a", 1, 0), view("a", 2, 0)),
        block(2, NOW + 2 * HOUR, view("b", 1, 2 * HOUR), view("a", 3, 2 * HOUR), view("a", 4, 2 * HOUR)),
    )
    assert moves(folded) == [(True, 0, 1, 1), (False, LEAVES, 2, 2), (True, 2 * HOUR, 4, 3)]
    first = folded.transitions[0]
    assert first.id == transition_id("w", subject("a"), "keen", "1", 1)


def test_a_due_time_at_the_stamp_of_a_record_comes_before_the_record() -> None:
    folded = keen("a")
    folded.step(block(2, NOW + LEAVES, view("a", 3, LEAVES), view("a", 4, LEAVES)))
    assert moves(folded)[1:] == [(False, LEAVES, 2, 2), (True, LEAVES, 3, 3)]


def test_a_tick_lets_time_pass_up_to_its_stamp_and_not_beyond() -> None:
    folded = keen("a")
    folded.step(tick(2, LEAVES - 1))
    assert len(folded.transitions) == 1
    folded.step(tick(3, LEAVES))
    assert moves(folded)[1:] == [(False, LEAVES, 3, 2)]


def test_at_a_due_time_the_origin_is_live_and_at_a_record_its_own() -> None:
    folded = Folded(KEEN)
    folded.step(block(0, NOW, *[view("a", n, 0, origin=Origin.IMPORT) for n in (1, 2)]))
    folded.step(tick(2, LEAVES))
    assert [t.origin for t in folded.transitions] == [Origin.IMPORT, Origin.LIVE]
    assert folded.outbox == []


def test_a_journey_due_between_records_is_decided_at_its_time() -> None:
    folded = keen("a")
    folded.step(block(2, NOW + HOUR, view("a", 3, HOUR)))
    (decision,) = folded.outbox
    assert isinstance(decision, Decision)
    assert (decision.at - NOW, decision.position, decision.cause) == (HOUR // 2, 2, folded.transitions[0].id)


def test_what_a_batch_makes_is_in_order_of_position_however_people_are_mixed() -> None:
    folded = Folded(KEEN)
    folded.step(
        block(0, NOW, view("b", 1, 0), view("a", 1, 0), view("a", 2, 0)),
        block(3, NOW + MINUTE, view("b", 2, 0), view("c", 1, 0)),
    )
    assert [(t.person[:1], t.position) for t in folded.transitions] == [(b"a", 2), (b"b", 3)]


def test_two_people_who_merge_in_a_batch_count_together_from_that_record_on() -> None:
    folded = Folded(KEEN)
    folded.step(block(0, NOW, view("a", 1, 0), view("B", 1, 0), view("a", 2, 0, mentions="B"), view("B", 2, 0)))
    assert moves(folded) == [(True, 0, 2, 1)]
    assert folded.transitions[0].person == subject("B")
    assert folded.outbox[0] == Merge(old=subject("a"), new=subject("B"), position=2)


def test_each_of_two_people_serves_what_was_due_before_they_merge() -> None:
    folded = keen("a", "b")
    folded.step(block(4, NOW + 2 * HOUR, view("a", 3, 2 * HOUR, mentions="b")))
    assert sorted((t.person[:1], t.entered, t.at - NOW) for t in folded.transitions[2:]) == [
        (b"a", False, LEAVES),
        (b"b", False, LEAVES),
    ]
    assert len([item for item in folded.outbox if isinstance(item, Decision)]) == 2
    assert len(folded.people) == 1


def test_a_merge_keeps_the_bit_the_larger_number_and_the_journey() -> None:
    folded = keen("b")
    folded.step(block(2, NOW + MINUTE, view("A", 1, MINUTE)))
    folded.step(block(3, NOW + 2 * MINUTE, view("A", 2, 2 * MINUTE, mentions="b")))
    assert len(folded.transitions) == 1  # inside before, inside after: no transition
    fixed = folded.people.fixed[folded.person("A")]
    assert (fixed["inside"][0], fixed["numbers"][0], fixed["journey"] - NOW) == (True, 1, HOUR // 2)
    assert folded.person("b") == folded.person("A")


def test_a_consent_is_told_at_its_record_and_a_merge_before_it() -> None:
    folded = Folded(KEEN)
    folded.step(block(0, NOW, event("a", "1"), event("b", "2")))
    folded.step(block(2, NOW, event("b", "3", "Said", mentions="a", context={"consent": {"marketing": True}})))
    merge, consent = folded.outbox
    assert merge == Merge(old=subject("b"), new=subject("a"), position=2)
    assert consent == ConsentChange(
        person=subject("a"), purpose="marketing", allowed=True, at=NOW, position=2, source="web", message_id="3"
    )


# --- the wave -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("wave", "complete"), [(2, False), (3, True), (4, True)])
def test_a_wave_serves_as_many_others_as_its_limit_and_is_complete_if_that_was_all(wave: int, complete: bool) -> None:
    folded = keen("a", "b", "c")
    delta = folded.step(tick(6, LEAVES), wave=wave)
    assert len([t for t in delta.transitions if not t.entered]) == min(wave, 3)
    assert (delta.position, delta.as_of, delta.complete_to) == (6, NOW + LEAVES, 6 if complete else 5)


def test_a_wave_goes_on_without_blocks_until_all_is_served_at_the_right_positions() -> None:
    folded = keen("a", "b", "c")
    folded.step(tick(6, HOUR), tick(7, LEAVES), wave=1)
    rests = [folded.step(wave=1).complete_to for _ in range(2)]
    assert rests == [5, 7]
    left = [t for t in folded.transitions if not t.entered]
    assert sorted((t.person[:1], t.at - NOW, t.position) for t in left) == [
        (letter, LEAVES, 7) for letter in (b"a", b"b", b"c")
    ]
    assert [(d.at - NOW, d.position) for d in folded.outbox if isinstance(d, Decision)] == [(HOUR // 2, 6)] * 3


def test_whose_records_are_in_the_step_are_served_beside_the_waves_limit() -> None:
    folded = keen("a", "b")
    later = folded.step(block(4, NOW + LEAVES, view("a", 3, LEAVES), view("c", 1, LEAVES)), wave=1)
    assert (len(later.transitions), later.complete_to) == (2, 5)


def test_a_step_behind_an_unfinished_wave_still_serves_a_person_before_their_record() -> None:
    folded = keen("a", "b")
    folded.step(tick(4, LEAVES), wave=1)
    waiting = next(letter for letter in "ab" if folded.people.fixed[folded.person(letter)]["inside"][0])
    folded.step(block(5, NOW + 3 * HOUR, view(waiting, 3, 3 * HOUR)))
    left = [(t.at - NOW, t.position) for t in folded.transitions if not t.entered]
    assert left == [(LEAVES, 4), (LEAVES, 4)]


# --- purity and conservation ----------------------------------------------------------------------


def test_a_step_changes_nothing_until_it_is_applied() -> None:
    folded = keen("a")
    more = [block(2, NOW + LEAVES, view("a", 3, LEAVES), view("b", 1, LEAVES, mentions="a"))]
    first, again = (folded.look(more) for _ in range(2))
    assert (folded.people.position, len(folded.people), len(folded.people.seen)) == (1, 1, 2)
    assert (first.transitions, first.outbox, first.rows) == (again.transitions, again.outbox, again.rows)


def test_every_event_ends_in_exactly_one_fate() -> None:
    folded = Folded(KEEN)
    folded.step(
        block(
            0,
            NOW + 31 * DAY,
            view("a", 1, 31 * DAY),
            view("a", 1, 31 * DAY),
            view("a", 2, 31 * DAY, verdict=Verdict.FILTERED),
            view("a", 3, 31 * DAY, verdict=Verdict.QUARANTINED),
            view("a", 4, 31 * DAY, verdict=Verdict.DEAD, reason="broken"),
            view("a", 5, 0),
            view("a", 1, 31 * DAY, content_hash=b"x" * 16),
            Record(kind=Kind.TICK, effective_ts=NOW),
        )
    )
    assert folded.people.counts == {
        "processed": 1,
        "duplicate": 1,
        "filtered": 1,
        "quarantined": 1,
        "dead_lettered": 3,
    }


def test_a_lifetime_feature_counts_late_and_imported_records_too() -> None:
    project = compiled([feature("views")], [segment("often", compare("views", ">=", 2))])
    folded = Folded(project)
    records = [view("a", 1, -29 * DAY), view("a", 2, -900 * DAY, origin=Origin.IMPORT)]
    folded.step(block(0, NOW, *records))
    assert moves(folded) == [(True, 0, 1, 1)]
