"""The order of a log in partitions, however these run ahead of each other."""

from __future__ import annotations

import random

import pytest

from livepost.process.sharded.interleaving import Interleaving


@pytest.mark.parametrize("seed", range(20))
def test_however_partitions_run_ahead_all_come_in_order_of_stamp_partition_and_offset(seed: int) -> None:
    dice = random.Random(seed)
    partitions = [[*sorted(dice.choices(range(8), k=dice.randrange(1, 12))), 99] for _ in range(4)]
    whole = sorted((stamp, number, place) for number, some in enumerate(partitions) for place, stamp in enumerate(some))
    left = [list(enumerate(some)) for some in partitions]
    interleaving: Interleaving[tuple[int, int, int]] = Interleaving(4)
    got = []
    while any(left):
        number = dice.choice([number for number, some in enumerate(left) if some])
        place, stamp = left[number].pop(0)
        got += interleaving.take(number, stamp, (stamp, number, place))
    assert got == whole[: len(got)]
    assert len(got) + len(interleaving) == len(whole)
    assert len(interleaving) <= 3  # of the last stamp all but the first wait for what may come yet


def test_a_record_waits_until_no_partition_can_bring_one_before_it() -> None:
    interleaving: Interleaving[str] = Interleaving(2)
    assert [*interleaving.take(1, 5, "b at 5")] == []
    assert [*interleaving.take(0, 5, "a at 5")] == ["a at 5"]
    assert [*interleaving.take(0, 6, "a at 6")] == ["b at 5"]
    assert len(interleaving) == 1


def test_a_partition_whose_stamps_fall_is_refused() -> None:
    interleaving: Interleaving[str] = Interleaving(1)
    assert [*interleaving.take(0, 5, "x")] == ["x"]
    with pytest.raises(ValueError, match="expected a stamp from 5 on in partition 0, got 4"):
        interleaving.take(0, 4, "y")


@pytest.mark.parametrize("seed", range(5))
def test_where_many_wait_only_the_partition_farthest_behind_is_read_on_and_all_come_through(seed: int) -> None:
    dice = random.Random(seed)
    left = [sorted(dice.choices(range(40), k=30)) for _ in range(3)]
    interleaving: Interleaving[int] = Interleaving(3, ahead_max=4)
    got: list[int] = []
    while any(left):
        ready = [number for number, some in enumerate(left) if interleaving.has_room(number)]
        number = dice.choice(ready)
        stamp = left[number].pop(0) if left[number] else 99
        got += interleaving.take(number, stamp, stamp)
        assert len(interleaving) <= 4 + 3
    assert got == sorted(got)
    assert sum(stamp < 99 for stamp in got) >= 90 - 7
