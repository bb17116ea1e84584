"""Picks by hand: who comes first, who wins a tie, what a window forgets, and when it next does."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from livepost.engine.message_id import shortened
from livepost.engine.pick import PICKS, Held, pick_of
from livepost.model.compiled import DISTINCT_MAX, CalendarSpec, FeatureKind, FeatureSpec
from livepost.model.moment import NO_DUE

SECOND, MINUTE = 1_000, 60_000
NOW = 1_767_225_600_000  # a whole minute

Entry = tuple[int, str, Any]


def spec(
    kind: FeatureKind, n: int | None = None, over: int | None = None, grid: int = SECOND, **rest: Any
) -> FeatureSpec:
    grid_ms = grid if over else None
    return FeatureSpec(name="p", kind=kind, event="E", field="f", n=n, over_ms=over, grid_ms=grid_ms, **rest)


def folded(feature: FeatureSpec, *entries: Entry) -> Held:
    held: Held = []
    for entry in entries:
        held = pick_of(feature).fold(held, [entry])
    return held


def worth(feature: FeatureSpec, *entries: Entry, at: int = NOW) -> Any:
    return pick_of(feature).value(folded(feature, *entries), at)


def leaves(feature: FeatureSpec, *entries: Entry, at: int = NOW) -> int | None:
    """Return when the value may next change, in ms after NOW; None if never."""
    due = pick_of(feature).expiry(folded(feature, *entries), at)
    return None if due == NO_DUE else due - NOW


@pytest.mark.parametrize("over", [None, 2 * SECOND])
@pytest.mark.parametrize(
    ("kind", "lifetime", "lately"),
    [
        ("latest", "c", "c"),
        ("first", "a", "d"),
        ("minimum", "a", "b"),
        ("maximum", "d", "d"),
        ("recent", ["c", "b"], ["c", "b"]),
        ("top", ["b", "a"], ["b", "c"]),
        ("distinct", 4, 3),
    ],
)
def test_the_order_in_which_records_come_does_not_matter(
    kind: FeatureKind, lifetime: object, lately: object, over: int | None
) -> None:
    entries = [(1_000, "m1", "a"), (2_000, "m2", "b"), (3_000, "m3", "c"), (2_000, "m1", "d"), (2_500, "m9", "b")]
    feature = spec(kind, 2, over=over)
    found = {str(worth(feature, *order, at=4_000)) for order in permutations(entries)}
    assert found == {str(lately if over else lifetime)}


def test_latest_and_first_break_a_tie_of_time_by_the_message_id() -> None:
    tied = [(1_000, "m2", "second"), (1_000, "m1", "first"), (1_000, "m3", "third")]
    assert worth(spec("latest"), *tied) == "third"
    assert worth(spec("first"), *tied) == "first"


@pytest.mark.parametrize("kind", ["latest", "first", "recent"])
@pytest.mark.parametrize("over", [None, MINUTE])
def test_a_tie_is_broken_by_the_whole_id_however_it_is_kept(kind: FeatureKind, over: int | None) -> None:
    ids = [f"{digit}0000000-0000-4000-8000-00000000000{digit}" for digit in "0a9"] + ["1", "b", f"a{'0' * 31}"]
    whole = [(NOW, message_id, message_id) for message_id in ids]
    kept = [(NOW, short, message_id) for short, message_id in zip(shortened(ids), ids, strict=True)]
    mixed = [one if place % 2 else other for place, (one, other) in enumerate(zip(whole, kept, strict=True))]
    expected = {"latest": max(ids), "first": min(ids), "recent": sorted(ids)[:3]}[kind]
    assert [worth(spec(kind, 3, over=over), *entries) for entries in (whole, kept, mixed)] == [expected] * 3


def test_recent_gives_the_newest_first_and_of_one_time_the_smaller_message_id() -> None:
    assert worth(spec("recent", 3), (5, "b", 1), (5, "a", 2), (9, "z", 3), (1, "a", 4)) == [3, 2, 1]


def test_top_gives_the_most_frequent_first_and_of_one_count_the_smaller_value() -> None:
    entries = [(n, str(n), value) for n, value in enumerate(["c", "a", "b", "b", "a", "d"])]
    assert worth(spec("top", 3), *entries) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("latest", None),
        ("first", None),
        ("minimum", None),
        ("maximum", None),
        ("recent", []),
        ("top", []),
        ("distinct", 0),
    ],
)
def test_what_never_happened_is_never_and_lists_are_empty(kind: FeatureKind, value: object) -> None:
    assert worth(spec(kind, 2)) == value


@pytest.mark.parametrize(
    ("kind", "there", "gone"),
    [
        ("latest", "a", None),
        ("first", "a", None),
        ("minimum", "a", None),
        ("maximum", "a", None),
        ("recent", ["a"], []),
        ("top", ["a"], []),
        ("distinct", 1, 0),
    ],
)
def test_a_window_holds_a_record_until_the_millisecond_its_tile_leaves(
    kind: FeatureKind, there: object, gone: object
) -> None:
    feature = spec(kind, 1, over=MINUTE)
    entry = (NOW + 999, "m", "a")  # in the tile of NOW
    due = SECOND + MINUTE
    assert worth(feature, entry, at=NOW + due - 1) == there
    assert leaves(feature, entry, at=NOW + due - 1) == due
    assert worth(feature, entry, at=NOW + due) == gone
    assert leaves(feature, entry, at=NOW + due) is None


@pytest.mark.parametrize("kind", PICKS)
def test_over_a_lifetime_time_changes_nothing(kind: FeatureKind) -> None:
    assert leaves(spec(kind), (NOW, "m", "a"), at=NOW + 99 * MINUTE) is None


def test_when_the_first_leaves_the_next_tiles_first_is_there_and_says_when_it_leaves() -> None:
    feature = spec("first", over=MINUTE)
    entries = [(NOW, "1", "a"), (NOW + 3_000, "3", "c"), (NOW + 3_500, "4", "d"), (NOW + 10, "2", "b")]
    assert (worth(feature, *entries), leaves(feature, *entries)) == ("a", 61_000)
    later = NOW + 61_000
    assert (worth(feature, *entries, at=later), leaves(feature, *entries, at=later)) == ("c", 64_000)
    assert len(folded(feature, *entries)) == 2


@pytest.mark.parametrize(("kind", "sign"), [("maximum", 1), ("minimum", -1)])
def test_the_extreme_is_told_until_its_tile_leaves_and_then_the_next_best_one(kind: FeatureKind, sign: int) -> None:
    feature = spec(kind, over=MINUTE, type="int")
    values = [(0, 9), (1_000, 4), (2_000, 7), (3_000, 7), (4_000, 5)]
    entries = [(NOW + after, str(after), sign * value) for after, value in values]
    assert (worth(feature, *entries), leaves(feature, *entries)) == (9 * sign, 61_000)
    for after, (best, due) in {61_000: (7, 64_000), 63_999: (7, 64_000), 64_000: (5, 65_000)}.items():
        told = (worth(feature, *entries, at=NOW + after), leaves(feature, *entries, at=NOW + after))
        assert told == (best * sign, due)


def test_of_tiles_whose_best_a_newer_tile_comes_up_to_an_extreme_keeps_nothing() -> None:
    entries = [(NOW + second * SECOND, str(second), value) for second, value in enumerate([3, 1, 4, 1, 5])]
    assert folded(spec("maximum", over=MINUTE), *entries) == [[NOW // SECOND + 4, 5]]
    assert folded(spec("maximum"), *entries) == [[0, 5]]


def test_extremes_of_money_are_of_its_minor_units_and_floats_stay_as_they_are() -> None:
    prices = [(1, "1", [500, "USD"]), (2, "2", [1_999, "USD"])]
    assert (worth(spec("minimum"), *prices), worth(spec("maximum"), *prices)) == (500, 1_999)
    assert worth(spec("maximum"), (1, "1", 1e-7), (2, "2", -2.5)) == 1e-7


def test_a_value_that_comes_again_is_one_value_and_stays_as_long_as_its_newest_tile() -> None:
    feature = spec("distinct", over=MINUTE)
    entries = [(NOW, "1", "a"), (NOW + 5_000, "2", "a"), (NOW + 3_000, "3", "b")]
    assert (worth(feature, *entries), leaves(feature, *entries)) == (2, 64_000)
    assert worth(feature, *entries, at=NOW + 64_000) == 1
    assert worth(feature, *entries, at=NOW + 66_000) == 0


def test_money_and_lists_are_told_apart_whole() -> None:
    entries = [(1, "1", [500, "USD"]), (2, "2", [500, "EUR"]), (3, "3", [500, "USD"])]
    assert worth(spec("distinct"), *entries) == 2
    assert worth(spec("top", 1), *entries) == [[500, "USD"]]


def test_a_distinct_of_as_many_values_as_its_cap_is_known_and_of_one_more_is_not() -> None:
    feature = spec("distinct", cap=3)
    entries = [(n, str(n), f"v{n % 3}") for n in range(9)]
    assert worth(feature, *entries) == 3
    assert worth(feature, *entries, (9, "9", "one more")) is None


def test_without_a_cap_a_distinct_tells_as_many_apart_as_a_top() -> None:
    entries = [(n, str(n), n) for n in range(DISTINCT_MAX + 1)]
    assert pick_of(spec("distinct")).value(pick_of(spec("distinct")).fold([], entries[:-1]), NOW) == DISTINCT_MAX
    assert pick_of(spec("distinct")).value(pick_of(spec("distinct")).fold([], entries), NOW) is None


def test_endless_values_keep_a_bounded_state_and_are_known_again_when_enough_have_left() -> None:
    feature = spec("distinct", over=MINUTE, cap=3)
    entries = [(NOW + n * SECOND, str(n), n) for n in range(50)]
    held = folded(feature, *entries)
    assert len(held) == 4
    assert worth(feature, *entries, at=NOW + 46_000 + 60_999) is None  # 46 to 49 are there
    assert worth(feature, *entries, at=NOW + 46_000 + 61_000) == 3
    assert leaves(feature, *entries, at=NOW + 49_000) == 46_000 + 61_000


def test_late_values_beyond_the_cap_do_not_push_newer_ones_out() -> None:
    feature = spec("distinct", over=MINUTE, cap=1)
    entries = [(NOW + 9_000, "1", "a"), (NOW + 8_000, "2", "b"), (NOW, "3", "c"), (NOW + 1, "4", "d")]
    assert worth(feature, *entries, at=NOW + 69_000) == 1  # only a
    assert worth(feature, *entries, at=NOW + 68_999) is None


def test_a_calendar_window_forgets_at_the_beginning_of_a_day() -> None:
    berlin = spec("latest", calendar=CalendarSpec(unit="day", times=1, zone="Europe/Berlin"))
    entry = (NOW, "1", "a")  # one o'clock in Berlin
    assert (worth(berlin, entry), leaves(berlin, entry)) == ("a", 23 * 60 * MINUTE)
    assert worth(berlin, entry, at=NOW + 23 * 60 * MINUTE - 1) == "a"
    assert worth(berlin, entry, at=NOW + 23 * 60 * MINUTE) is None


def test_a_late_record_does_not_bring_back_what_its_window_has_lost() -> None:
    feature = spec("top", 3, over=MINUTE)
    entries = [(NOW, "1", "old"), (NOW + 5 * MINUTE, "2", "new"), (NOW + 5 * MINUTE - 30 * SECOND, "3", "late")]
    held = folded(feature, *entries)
    assert pick_of(feature).value(held, NOW + 5 * MINUTE) == ["late", "new"]
    assert pick_of(feature).value(held, NOW + 6 * MINUTE - 29 * SECOND) == ["new"]


def test_entries_that_a_newer_one_finds_expired_are_dropped_and_lifetime_ones_stay() -> None:
    entries = [(NOW, "1", "a"), (NOW + 2 * MINUTE, "2", "b")]
    short, life = spec("recent", 5, over=MINUTE), spec("recent", 5)
    assert folded(short, *entries) == [[NOW + 2 * MINUTE, "2", "b"]]
    assert len(folded(life, *entries)) == 2


def test_a_top_of_exactly_as_many_values_as_are_counted_is_known_and_of_one_more_is_not() -> None:
    feature = spec("top", 2)
    entries = [(n, f"{n:05}", f"{n:05}") for n in range(DISTINCT_MAX)]
    assert worth(feature, *entries, (0, "again", "00007")) == ["00007", "00000"]
    assert worth(feature, *entries, (0, "one more", "x")) is None


def test_an_unknown_top_stays_unknown_whatever_comes_and_keeps_a_bounded_state() -> None:
    feature = spec("top", 2)
    held = folded(feature, *[(n, str(n), f"v{n}") for n in range(3 * DISTINCT_MAX)])
    assert pick_of(feature).value(held, NOW) is None
    assert len(held[0][1]) == DISTINCT_MAX + 1


def test_an_unknown_top_is_known_again_when_the_crowded_tile_expires() -> None:
    feature = spec("top", 2, over=MINUTE)
    held = folded(feature, *[(NOW, str(n), f"v{n}") for n in range(DISTINCT_MAX + 1)], (NOW + SECOND, "z", "a"))
    assert pick_of(feature).value(held, NOW + MINUTE + SECOND - 1) is None
    assert pick_of(feature).value(held, NOW + MINUTE + SECOND) == ["a"]


@pytest.mark.parametrize("over", [None, MINUTE])
@pytest.mark.parametrize("kind", PICKS)
def test_two_people_become_one_as_if_all_records_had_come_to_one(kind: FeatureKind, over: int | None) -> None:
    feature = spec(kind, 2, over=over, cap=3)
    mine = [(NOW + 1, "1", "a"), (NOW + 5_000, "2", "b")]
    theirs = [(NOW + 3_000, "3", "b"), (NOW - 7, "4", "c"), (NOW + 5_000, "0", "d"), (NOW - 2 * MINUTE, "5", "e")]
    for at in (NOW + 6_000, NOW + 60_000, NOW + 61_000, NOW + 65_999):
        whole = worth(feature, *mine, *theirs, at=at)
        for left, right in ((mine, theirs), (theirs, mine)):
            joined = pick_of(feature).join(folded(feature, *left), folded(feature, *right))
            assert pick_of(feature).value(joined, at) == whole


def test_joining_with_somebody_who_has_nothing_changes_nothing() -> None:
    held = folded(spec("latest"), (1, "m", "a"))
    latest = pick_of(spec("latest"))
    assert latest.join(held, []) == latest.join([], held) == held
    assert latest.join([], []) == []
