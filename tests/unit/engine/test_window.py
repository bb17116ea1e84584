"""Windowed sums by hand: a window of 60 s on a grid of 1 s (or 10 s), people side by side."""

from __future__ import annotations

import numpy as np
import pytest

from livepost.engine.program import TileSlot
from livepost.engine.row import TILE, Ints
from livepost.engine.tiles import Calendar, Grid, Windows
from livepost.engine.window import Feeding, Moments, Runs, merged_tiles, sums_at
from livepost.model.compiled import CalendarSpec
from livepost.model.moment import NO_DUE

SECOND, MINUTE = 1_000, 60_000
NOW = 1_767_225_600_000  # a whole minute
SLOT = TileSlot(0, Grid(SECOND, MINUTE), counts=True)
LEAVES = SECOND + MINUTE  # a tile's life, from its start


def ints(*values: int) -> Ints:
    return np.array(values, np.int64)


def moments(*people: list[int]) -> Moments:
    """Return items of people, each at NOW plus so many ms."""
    person = np.repeat(np.arange(len(people)), [len(times) for times in people])
    at = ints(*[NOW + time for times in people for time in times])
    return Moments(person, at, np.searchsorted(person, np.arange(len(people))))


def feeding(*brought: tuple[int, int, int]) -> Feeding:
    """Return what items bring: (item, ms after NOW, value)."""
    items, ages, values = (ints(*column) for column in zip(*brought, strict=True)) if brought else (ints(),) * 3
    return Feeding(items, ages + NOW, values)


def one_slot(at: Moments, *brought: tuple[int, int, int], state: list[bytes] | None = None) -> Runs:
    return Runs([SLOT], state or [b""] * len(at.begin), [feeding(*brought)], at)


def falls(runs: Runs, *least: int) -> list[int | None]:
    """Return when slot 0 falls below `least` at each item, as ms after NOW."""
    return after(runs.falls_below(ints(0), ints(*least)[None, :])[0])


def folded(runs: Runs) -> list[bytes]:
    """Return everybody's tiles after their last item."""
    return runs.fold(runs._moments.end - 1)


def tiles(*each: tuple[int, int, int]) -> bytes:
    """Return packed tiles of (slot, seconds after NOW, value)."""
    return np.array([(slot, NOW // SECOND + start, value) for slot, start, value in each], TILE).tobytes()


def after(times: Ints) -> list[int | None]:
    """Return times as ms after NOW, None for NO_DUE."""
    return [None if time == NO_DUE else time - NOW for time in times.tolist()]


def test_a_record_counts_from_its_item_until_the_millisecond_its_tile_leaves() -> None:
    at = moments([0, 999, LEAVES - 1, LEAVES])
    assert one_slot(at, (1, 999, 5)).sums(0).tolist() == [0, 5, 5, 0]


@pytest.mark.parametrize(("happened", "leaves"), [(0, LEAVES), (999, LEAVES), (1_000, LEAVES + SECOND)])
def test_the_tile_and_not_the_record_says_when_it_leaves(happened: int, leaves: int) -> None:
    at = moments([happened, leaves - 1, leaves])
    assert one_slot(at, (0, happened, 1)).sums(0).tolist() == [1, 1, 0]
    assert after(one_slot(at, (0, happened, 1)).next_expiry(0)) == [None, leaves, None]


def test_a_coarser_grid_keeps_a_record_longer() -> None:
    at = moments([9_999, 69_999, 70_000])
    runs = Runs([TileSlot(0, Grid(10 * SECOND, MINUTE), counts=True)], [b""], [feeding((0, 9_999, 1))], at)
    assert runs.sums(0).tolist() == [1, 1, 0]


def test_a_record_older_than_its_window_never_counts() -> None:
    runs = one_slot(moments([0, 1]), (0, -LEAVES, 7))
    assert runs.sums(0).tolist() == [0, 0]
    assert after(runs.next_expiry(0)) == [None, None]
    assert folded(runs) == [b""]


def test_a_late_record_that_is_still_in_the_window_counts_from_its_item_on() -> None:
    at = moments([0, 10, LEAVES - 1_000])
    runs = one_slot(at, (0, 0, 1), (1, -1_000, 1))
    assert runs.sums(0).tolist() == [1, 2, 1]


def test_people_and_slots_do_not_touch_each_other() -> None:
    at = moments([0, 10], [5], [0, LEAVES])
    slots = [SLOT, TileSlot(1, Grid(SECOND, MINUTE), counts=False)]
    runs = Runs(slots, [b""] * 3, [feeding((0, 0, 1), (2, 5, 1)), feeding((3, 0, 40))], at)
    assert runs.sums(0).tolist() == [1, 1, 1, 0, 0]
    assert runs.sums(1).tolist() == [0, 0, 0, 40, 0]


def test_what_the_state_holds_counts_from_the_first_item_on() -> None:
    at = moments([0, 11_000])
    runs = one_slot(at, (1, 11_000, 1), state=[tiles((0, -50, 3))])
    assert runs.sums(0).tolist() == [3, 1]  # -50 s + 61 s = 11 s


def test_the_next_expiry_is_that_of_the_oldest_tile_in_the_window() -> None:
    at = moments([0, 5_000, LEAVES])
    runs = one_slot(at, (0, 0, 1), (1, 5_000, 1))
    assert after(runs.next_expiry(0)) == [None, LEAVES, 5_000 + LEAVES]


def test_an_item_is_told_what_comes_before_the_next_one_and_the_last_item_all() -> None:
    for following, told in ((LEAVES - 1, None), (LEAVES, LEAVES)):
        runs = one_slot(moments([0, following]), (0, 0, 1), (1, following, 1))
        assert falls(runs, 1, 1) == [told, following // SECOND * SECOND + LEAVES]


def test_a_sum_falls_below_when_the_tile_that_carries_it_leaves() -> None:
    at = moments([0, 5_000, 9_000])
    runs = one_slot(at, (0, 0, 1), (1, 5_000, 1), (2, 9_000, 1))
    assert falls(runs, 1, 1, 1)[2] == 9_000 + LEAVES
    assert falls(runs, 2, 2, 2)[2] == 5_000 + LEAVES
    assert falls(runs, 3, 3, 3)[2] == LEAVES


def test_a_sum_that_is_below_already_or_is_compared_with_nothing_never_falls_below() -> None:
    runs = one_slot(moments([0]), (0, 0, 2))
    assert falls(runs, 3) == [None]
    assert falls(runs, 0) == [None]
    assert falls(runs, 2) == [LEAVES]


def test_somebody_with_no_tile_at_all_has_nothing_to_wait_for() -> None:
    runs = one_slot(moments([0], [0]))
    assert runs.sums(0).tolist() == [0, 0]
    assert after(runs.next_expiry(0)) == [None, None]
    assert falls(runs, 1, 1) == [None, None]


def test_with_negative_values_about_the_next_expiry_stands_for_the_fall() -> None:
    runs = one_slot(moments([0, 5_000]), (0, 0, -1), (1, 5_000, 5))
    assert falls(runs, 4, 4)[1] == LEAVES


def test_a_fall_is_told_early_perhaps_but_never_late_when_records_come_late() -> None:
    at = moments([0, 20_000, 20_001, 10_000 + LEAVES])
    runs = one_slot(at, (0, 0, 1), (1, 20_000, 1), (2, 10_000, 1))  # the last one is late
    told = falls(runs, 2, 2, 2, 2)
    assert told[:2] == [None, None]
    assert told[2] is not None and 20_001 < told[2] <= 10_000 + LEAVES
    assert runs.sums(0).tolist() == [1, 2, 3, 1]


def test_a_mixed_person_does_not_blur_what_is_told_of_the_next_one() -> None:
    at = moments([0], [0, 5_000])
    runs = one_slot(at, (0, 0, -1), (1, 0, 1), (2, 5_000, 1))
    assert falls(runs, 1, 1, 1) == [LEAVES, None, 5_000 + LEAVES]


def test_folding_keeps_what_is_still_in_the_window_and_adds_equal_tiles() -> None:
    at = moments([0, 1, LEAVES + 999], [0])
    runs = one_slot(at, (0, 0, 1), (1, 1_000, 2), (2, 1_999, 3), state=[tiles((0, 1, 4)), tiles((0, -3, 9))])
    assert folded(runs) == [tiles((0, 1, 9)), tiles((0, -3, 9))]


def test_folding_up_to_an_item_leaves_out_what_later_ones_bring() -> None:
    runs = one_slot(moments([0, 1]), (0, 0, 1), (1, 1, 2))
    assert runs.fold(ints(0)) == [tiles((0, 0, 1))]
    assert runs.fold(ints(1)) == [tiles((0, 0, 3))]


def test_folded_tiles_go_on_where_the_round_stopped() -> None:
    brought = [(0, 0, 1), (1, 5_000, 2), (2, 30_000, 4)]
    whole = one_slot(moments([0, 5_000, 30_000, LEAVES]), *brought).sums(0).tolist()
    first = one_slot(moments([0, 5_000]), *brought[:2])
    second = one_slot(moments([30_000, LEAVES]), (0, 30_000, 4), state=folded(first))
    assert [*first.sums(0).tolist(), *second.sums(0).tolist()] == whole == [1, 3, 7, 6]


@pytest.mark.parametrize(("at", "sums"), [(LEAVES - 1, [7, 50]), (LEAVES, [4, 50]), (LEAVES + 2_000, [0, 0])])
def test_one_persons_sums_are_read_by_the_same_windows(at: int, sums: list[int]) -> None:
    assert sums_at(tiles((0, 0, 3), (0, 2, 4), (1, 2, 50)), Windows([SLOT.window, SLOT.window]), NOW + at) == sums


def test_nobodys_sums_are_none() -> None:
    assert sums_at(b"", Windows([SLOT.window]), NOW) == [0]
    assert sums_at(b"", Windows([]), NOW) == []


def test_joining_two_peoples_tiles_adds_equal_ones_in_any_order() -> None:
    mine, theirs = tiles((0, 0, 1), (1, 0, 5)), tiles((0, 0, 2), (0, 9, 3))
    assert merged_tiles([mine + theirs]) == merged_tiles([theirs + mine]) == [tiles((0, 0, 3), (0, 9, 3), (1, 0, 5))]


def test_joining_with_nobodys_tiles_changes_nothing() -> None:
    assert merged_tiles([tiles((0, 0, 1)), b""]) == [tiles((0, 0, 1)), b""]
    assert merged_tiles([b""]) == [b""]


def test_a_calendar_window_loses_its_tile_at_midnight_on_a_day_of_25_hours_as_on_any() -> None:
    today = Calendar(CalendarSpec(unit="day", times=1, zone="Europe/Berlin"))
    begins, ends = 1_792_879_200_000, 1_792_969_200_000  # 2026-10-24 22:00 UTC and 25 hours later
    assert ends - begins == 25 * 60 * MINUTE
    at = moments([begins - NOW, ends - 1 - NOW, ends - NOW])
    runs = Runs([TileSlot(0, today, counts=True)], [b""], [feeding((0, begins - NOW, 1), (1, ends - 1 - NOW, 1))], at)
    assert runs.sums(0).tolist() == [1, 2, 0]
    assert runs.next_expiry(0).tolist() == [NO_DUE, ends, NO_DUE]
    assert after(runs.falls_below(ints(0), np.full((1, 3), 2))[0]) == [None, ends - NOW, None]
    assert folded(runs) == [b""]


def test_one_persons_sum_over_a_calendar_window_is_read_as_in_a_round() -> None:
    windows = Windows([Calendar(CalendarSpec(unit="day", times=2, zone="UTC"))])
    kept = tiles((0, -86_400, 1), (0, 0, 5))  # NOW is where a day begins
    assert [sums_at(kept, windows, at) for at in (NOW, NOW + 24 * 60 * MINUTE)] == [[6], [5]]
