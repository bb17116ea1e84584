"""Picks by hand: who comes first, who wins a tie, what a window forgets."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from livepost.engine import picks
from livepost.engine.picks import DISTINCT_MAX, WAITING_MAX, Held
from livepost.engine.program import Program
from livepost.model.compiled import Compiled, FeatureKind, FeatureSpec

SECOND, MINUTE = 1_000, 60_000
NOW = 1_767_225_600_000  # a whole minute

Entry = tuple[int, str, Any]


def spec(kind: FeatureKind, n: int | None = None, over: int | None = None, grid: int = SECOND) -> FeatureSpec:
    return FeatureSpec(
        name="p", kind=kind, event="E", field="f", n=n, over_ms=over, grid_ms=grid if over else None, type="str"
    )


def folded(feature: FeatureSpec, *entries: Entry) -> Held:
    held: Held = []
    for ts, message_id, value in entries:
        held = picks.fold(feature, held, ts, message_id, value)
    return held


def worth(feature: FeatureSpec, *entries: Entry, at: int = NOW) -> Any:
    return picks.value(feature, folded(feature, *entries), at)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("latest", "c"), ("first", "a"), ("recent", ["c", "d"]), ("top", ["b", "a"])],
)
def test_the_order_in_which_records_come_does_not_matter(kind: FeatureKind, value: object) -> None:
    entries = [(1_000, "m1", "a"), (2_000, "m2", "b"), (3_000, "m3", "c"), (2_000, "m1", "d"), (1_500, "m9", "b")]
    assert {str(worth(spec(kind, 2), *order)) for order in permutations(entries)} == {str(value)}


def test_latest_and_first_break_a_tie_of_time_by_the_message_id() -> None:
    tied = [(1_000, "m2", "second"), (1_000, "m1", "first"), (1_000, "m3", "third")]
    assert worth(spec("latest"), *tied) == "third"
    assert worth(spec("first"), *tied) == "first"


def test_recent_gives_the_newest_first_and_of_one_time_the_smaller_message_id() -> None:
    assert worth(spec("recent", 3), (5, "b", 1), (5, "a", 2), (9, "z", 3), (1, "a", 4)) == [3, 2, 1]


def test_top_gives_the_most_frequent_first_and_of_one_count_the_smaller_value() -> None:
    entries = [(n, str(n), value) for n, value in enumerate(["c", "a", "b", "b", "a", "d"])]
    assert worth(spec("top", 3), *entries) == ["a", "b", "c"]


@pytest.mark.parametrize(("kind", "value"), [("latest", None), ("first", None), ("recent", []), ("top", [])])
def test_what_never_happened_is_never_and_lists_are_empty(kind: FeatureKind, value: object) -> None:
    assert worth(spec(kind, 2)) == value


@pytest.mark.parametrize("kind", ["recent", "top"])
def test_a_window_holds_a_record_until_the_millisecond_its_tile_leaves(kind: FeatureKind) -> None:
    feature = spec(kind, 1, over=MINUTE)
    entry = (NOW + 999, "m", "a")  # in the tile of NOW
    gone = NOW + SECOND + MINUTE
    assert worth(feature, entry, at=gone - 1) == ["a"]
    assert worth(feature, entry, at=gone) == []


def test_a_late_record_does_not_bring_back_what_its_window_has_lost() -> None:
    feature = spec("top", 3, over=MINUTE)
    entries = [(NOW, "1", "old"), (NOW + 5 * MINUTE, "2", "new"), (NOW + 5 * MINUTE - 30 * SECOND, "3", "late")]
    held = folded(feature, *entries)
    assert picks.value(feature, held, NOW + 5 * MINUTE) == ["late", "new"]
    assert picks.value(feature, held, NOW + 6 * MINUTE - 29 * SECOND) == ["new"]


def test_expired_entries_are_dropped_by_expire_and_lifetime_ones_stay() -> None:
    entries = [(NOW, "1", "a"), (NOW + 2 * MINUTE, "2", "b")]
    short, life = spec("recent", 5, over=MINUTE), spec("recent", 5)
    assert picks.expire(short, folded(short, *entries), NOW + 2 * MINUTE) == [[NOW + 2 * MINUTE, "2", "b"]]
    assert len(picks.expire(life, folded(life, *entries), NOW + 99 * MINUTE)) == 2


def test_a_top_of_exactly_as_many_values_as_are_counted_is_known_and_of_one_more_is_not() -> None:
    feature = spec("top", 2)
    entries = [(n, f"{n:05}", f"{n:05}") for n in range(DISTINCT_MAX)]
    assert worth(feature, *entries, (0, "again", "00007")) == ["00007", "00000"]
    assert worth(feature, *entries, (0, "one more", "x")) is None


def test_an_unknown_top_stays_unknown_whatever_comes_and_keeps_a_bounded_state() -> None:
    feature = spec("top", 2)
    held = folded(feature, *[(n, str(n), f"v{n}") for n in range(3 * DISTINCT_MAX)])
    assert picks.value(feature, held, NOW) is None
    assert len(held[0][1]) == DISTINCT_MAX + 1


def test_an_unknown_top_is_known_again_when_the_crowded_tile_expires() -> None:
    feature = spec("top", 2, over=MINUTE)
    held = folded(feature, *[(NOW, str(n), f"v{n}") for n in range(DISTINCT_MAX + 1)], (NOW + SECOND, "z", "a"))
    assert picks.value(feature, held, NOW + MINUTE + SECOND - 1) is None
    assert picks.value(feature, held, NOW + MINUTE + SECOND) == ["a"]


@pytest.mark.parametrize("kind", ["latest", "first", "recent", "top"])
def test_two_people_become_one_as_if_all_records_had_come_to_one(kind: FeatureKind) -> None:
    feature = spec(kind, 2, over=MINUTE if kind in ("recent", "top") else None)
    mine = [(NOW + 1, "1", "a"), (NOW + 5_000, "2", "b")]
    theirs = [(NOW + 3_000, "3", "b"), (NOW - 7, "4", "c"), (NOW + 5_000, "0", "d")]
    whole = picks.value(feature, folded(feature, *mine, *theirs), NOW + 6_000)
    for left, right in ((mine, theirs), (theirs, mine)):
        joined = picks.join(feature, folded(feature, *left), folded(feature, *right))
        assert picks.value(feature, joined, NOW + 6_000) == whole


def test_joining_with_somebody_who_has_nothing_changes_nothing() -> None:
    held = folded(spec("latest"), (1, "m", "a"))
    assert picks.join(spec("latest"), held, []) == picks.join(spec("latest"), [], held) == held


def test_picks_come_back_as_they_were_encoded_and_nothing_takes_no_room() -> None:
    program = Program(Compiled(features=(spec("latest"),)))
    held = [[5, "m", "a"]]
    assert picks.decode(picks.encode(held), program) == held
    assert picks.encode([[], []]) == b""
    assert picks.decode(b"", program) == [[]]


def waiting(count: int, value: object = "a") -> list[bytes]:
    """Return what so many records bring to pick 0, a second apart."""
    numbers = range(count)
    times, message_ids = [NOW + n * SECOND for n in numbers], [f"m{n:04}" for n in numbers]
    return picks.brought(times, message_ids, [{0: value}] * count)


def parts_of(raw: bytes) -> int:
    return int.from_bytes(raw[:4], "big")


def test_what_waits_in_a_row_is_read_as_if_it_were_folded() -> None:
    program = Program(Compiled(features=(spec("top", 2),)))
    raw = picks.append(b"", waiting(3, "a"), program)
    raw = picks.append(raw, waiting(2, "b"), program)
    assert picks.value(program.picks[0], picks.decode(raw, program)[0], NOW) == ["a", "b"]


def test_one_record_more_than_may_wait_has_all_folded() -> None:
    program = Program(Compiled(features=(spec("latest"),)))
    raw = picks.append(b"", waiting(WAITING_MAX), program)
    assert parts_of(raw) == 1 + WAITING_MAX
    (later,) = waiting(WAITING_MAX + 1)[-1:]
    assert parts_of(picks.append(raw, [later], program)) == 1


def test_beside_a_large_state_as_much_may_wait_as_takes_the_same_room() -> None:
    program = Program(Compiled(features=(spec("top", 2),)))
    large = picks.encode([folded(spec("top", 2), *[(NOW, str(n), f"value {n}") for n in range(500)])])
    raw = picks.append(large, waiting(10 * WAITING_MAX), program)
    assert parts_of(raw) == 1 + 10 * WAITING_MAX
    assert len(raw) <= 2 * len(large)
    assert parts_of(picks.append(raw, waiting(500), program)) == 1


def test_a_record_that_feeds_one_pick_leaves_the_others_never() -> None:
    program = Program(Compiled(features=(spec("latest"), spec("recent", 2))))
    raw = picks.append(b"", picks.brought([NOW], ["m"], [{1: "x"}]), program)
    assert [picks.value(s, held, NOW) for s, held in zip(program.picks, picks.decode(raw, program), strict=True)] == [
        None,
        ["x"],
    ]
