from __future__ import annotations

import json

import pytest

from livepost.api.happening import (
    MAX_CURSOR_CHARS,
    NOWHERE,
    DecisionTold,
    GapTold,
    Happening,
    Page,
    Place,
    ReceiptTold,
    TransitionTold,
    kind_of,
    place_of,
    told,
)

ENTERED = TransitionTold(id="t", person="p", segment="keen", state="entered", at=1, position=7)
MOVED = {"id": "d", "person": "p", "campaign": "nudge", "reason": "", "detail": "", "at": 1, "position": 7}
PLACE = Place("abc", 3, 5)


def test_a_cursor_is_read_as_the_place_it_was_made_of() -> None:
    assert place_of(PLACE.cursor) == PLACE


@pytest.mark.parametrize(
    "cursor", ["", "abc", "abc.1", "abc.1.2.3", "abc.x.2", "abc.-1.2", "abc.1.\u0662", "a" * MAX_CURSOR_CHARS + ".1.2"]
)
def test_what_is_no_cursor_of_ours_is_nowhere(cursor: str) -> None:
    assert place_of(cursor) == NOWHERE


def test_each_store_has_its_own_number() -> None:
    entered, decided = Happening(4, ENTERED, "abc"), Happening(6, DecisionTold(state="pending", **MOVED))
    assert PLACE.after(entered) == Place("abc", 4, 5)
    assert PLACE.after(decided) == Place("abc", 3, 6)
    assert Page(start=PLACE, items=[entered, decided], more=False).end == Place("abc", 4, 6)


def test_a_place_has_what_was_told_before_it_and_nothing_of_another_epoch_is_news() -> None:
    assert [PLACE.has(Happening(n, ENTERED, "abc")) for n in (3, 4)] == [True, False]
    assert PLACE.has(Happening(4, ENTERED, "old"))
    assert [PLACE.has(Happening(n, ReceiptTold(state="sent", **MOVED))) for n in (5, 6)] == [True, False]


def test_a_message_says_its_type_and_the_cursor_to_go_on_from() -> None:
    for message, type_ in (
        (ENTERED, "transition"),
        (DecisionTold(state="pending", **MOVED), "decision"),
        (ReceiptTold(state="sent", **MOVED), "receipt"),
    ):
        assert kind_of(message) == type_
        assert json.loads(told(message, PLACE))["type"] == type_
    assert json.loads(told(GapTold(reason="why"), PLACE)) == {"type": "gap", "cursor": PLACE.cursor, "reason": "why"}
