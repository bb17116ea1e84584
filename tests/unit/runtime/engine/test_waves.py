"""How large a part of a wave is: by how long steps took, between bounds."""

import pytest

from livepost.clock import HOUR_MS
from livepost.runtime.engine.waves import (
    BEHIND_MS,
    LEAST,
    SETTLING,
    SETTLING_ALONE,
    STEP_MS,
    URGENT,
    URGENT_ALONE,
    URGENT_FOR_MS,
    Waves,
)

NOW_MS = 1_700_000_000_000


def size(waves: Waves, now_ms: int = NOW_MS, *, settling: bool = False, records: bool = True) -> int:
    return waves.size(now_ms, settling=settling, records=records)


def note(waves: Waves, took_ms: int) -> None:
    waves.note(size(waves), took_ms)


def test_a_step_that_took_too_long_makes_the_next_part_smaller_and_a_quick_one_larger() -> None:
    waves = Waves(800)
    note(waves, STEP_MS * 8 // 5)
    assert size(waves) == 500
    note(waves, STEP_MS // 2)
    assert size(waves) == 800


def test_it_changes_by_half_at_most_and_stays_between_its_bounds() -> None:
    waves = Waves(1_000)
    sizes = []
    for _ in range(5):
        note(waves, 1_000_000)
        sizes.append(size(waves))
    assert sizes == [500, 250, 125, LEAST, LEAST]
    note(waves, 0)
    assert size(waves) == 2 * LEAST
    for _ in range(10):
        note(waves, -1_000)  # a clock that was set back
    assert size(waves) == 1_000


@pytest.mark.parametrize("most", [1, LEAST])
def test_a_small_bound_is_never_exceeded(most: int) -> None:
    waves = Waves(most)
    for took_ms in (1_000, 0, 0):
        note(waves, took_ms)
        assert size(waves) == most


def test_people_who_settle_are_few_beside_records_and_more_without() -> None:
    waves = Waves(500)
    assert size(waves, settling=True) == SETTLING
    assert size(waves, settling=True, records=False) == SETTLING_ALONE
    assert size(Waves(2), settling=True, records=False) == 2


def test_parts_are_small_while_couriers_are_told_of_transactional_mails_and_large_again_a_second_later() -> None:
    waves = Waves(500)
    waves.hurry(NOW_MS, NOW_MS)
    last = NOW_MS + URGENT_FOR_MS - 1
    assert [size(waves, at, records=there) for at in (NOW_MS, last) for there in (True, False)] == [
        URGENT,
        URGENT_ALONE,
    ] * 2
    assert size(waves, last + 1) == 500
    assert size(Waves(2), NOW_MS) == 2


def test_what_a_small_part_took_says_nothing_of_a_large_one() -> None:
    waves = Waves(500)
    waves.hurry(NOW_MS, NOW_MS)
    note(waves, 1_000)
    assert size(waves, NOW_MS + URGENT_FOR_MS) == 500


def test_a_clock_that_was_set_back_makes_no_part_small() -> None:
    waves = Waves(500)
    waves.hurry(NOW_MS, NOW_MS)
    assert size(waves, NOW_MS - HOUR_MS) == 500


def test_an_engine_that_is_behind_catches_up_in_large_parts() -> None:
    waves = Waves(500)
    waves.hurry(NOW_MS, NOW_MS - BEHIND_MS)
    assert size(waves) == 500
    waves.hurry(NOW_MS, NOW_MS - BEHIND_MS + 1)
    assert size(waves) == URGENT
