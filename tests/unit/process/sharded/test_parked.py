"""Who is set apart, and how far somebody parked can go on."""

from __future__ import annotations

import msgspec

from livepost.process.sharded.parked import Parked, set_apart
from livepost.process.sharded.told import Item, Meeting
from tests.unit.process.records import DAY, NOW, event, subject


def meeting(position: int, winner: str, losers: str) -> Meeting:
    return Meeting(
        position=position, at=NOW, winner=subject(winner), losers=tuple(map(subject, losers)), subject=subject(winner)
    )


def apart(mine: str, *meetings: Meeting, parked: str = "") -> str:
    """Return who is set apart in a shard of these."""
    there = {subject(letter): Parked(complete_to=-1, as_of=0) for letter in parked}
    names = set_apart(meetings, there, lambda name: chr(name[0]) in mine)
    return "".join(sorted(chr(name[0]) for name in names))


def item(seq: int, *losers: str, stamp: int = NOW) -> Item:
    record = msgspec.structs.replace(event("a", f"m{seq}"), seq=seq, stamp=stamp)
    return Item(record, subject("a"), tuple(map(subject, losers)))


def run(*items: Item, here: str = "") -> list[int]:
    """Return the positions of the next run, those of `here` having come for record 5."""
    known = {(5, subject(letter)) for letter in here}
    return [one.position for one in Parked(complete_to=-1, as_of=0, items=[*items]).next_run(known.__contains__)]


def test_who_meets_only_others_of_the_shard_is_not_set_apart() -> None:
    assert apart("abc", meeting(1, "a", "b"), meeting(2, "a", "c")) == ""


def test_who_meets_somebody_of_another_shard_is_with_all_whom_they_meet_before_or_behind() -> None:
    assert (
        apart("abcd", meeting(1, "b", "c"), meeting(2, "b", "x"), meeting(3, "a", "b"), meeting(4, "d", "e")) == "abcd"
    )
    assert apart("abcd", meeting(1, "c", "d"), meeting(2, "a", "x")) == "a"


def test_who_meets_somebody_parked_is_set_apart_and_who_is_parked_stays_so() -> None:
    assert apart("abc", meeting(1, "a", "b"), parked="b") == "ab"
    assert apart("abc", parked="c") == "c"


def test_records_are_folded_up_to_the_next_for_which_others_have_to_come() -> None:
    assert run(item(3), item(4), item(5, "b"), item(6)) == [3, 4]
    assert run(item(5, "b"), item(6), item(7, "c"), here="b") == [5, 6]


def test_a_record_waits_until_all_are_here_whom_it_brings_together() -> None:
    assert run(item(5, "b", "c"), item(6), here="b") == []
    assert run(item(5, "b", "c"), item(6), here="bc") == [5, 6]


def test_a_run_spans_a_day_at_most() -> None:
    assert run(item(3), item(4, stamp=NOW + DAY), item(6, stamp=NOW + DAY + 1)) == [3, 4]


def test_who_has_no_records_has_no_run_and_awaits_nobody() -> None:
    assert run() == []
    assert not Parked(complete_to=-1, as_of=0).awaits(5)
    assert Parked(complete_to=-1, as_of=0, items=[item(5, "b")]).awaits(5)
