"""How large a part of a wave is: by how long steps took, between bounds."""

import pytest

from livepost.runtime.engine.waves import LEAST, SETTLING, SETTLING_ALONE, STEP_MS, Waves


def size(waves: Waves) -> int:
    return waves.size(settling=False, records=True)


def test_a_step_that_took_too_long_makes_the_next_part_smaller_and_a_quick_one_larger() -> None:
    waves = Waves(800)
    waves.note(STEP_MS * 8 // 5)
    assert size(waves) == 500
    waves.note(STEP_MS // 2)
    assert size(waves) == 800


def test_it_changes_by_half_at_most_and_stays_between_its_bounds() -> None:
    waves = Waves(1_000)
    sizes = []
    for _ in range(5):
        waves.note(1_000_000)
        sizes.append(size(waves))
    assert sizes == [500, 250, 125, LEAST, LEAST]
    waves.note(0)
    assert size(waves) == 2 * LEAST
    for _ in range(10):
        waves.note(-1_000)  # a clock that was set back
    assert size(waves) == 1_000


@pytest.mark.parametrize("most", [1, LEAST])
def test_a_small_bound_is_never_exceeded(most: int) -> None:
    waves = Waves(most)
    for took_ms in (1_000, 0, 0):
        waves.note(took_ms)
        assert size(waves) == most


def test_people_who_settle_are_few_beside_records_and_more_without() -> None:
    waves = Waves(500)
    assert waves.size(settling=True, records=True) == SETTLING
    assert waves.size(settling=True, records=False) == SETTLING_ALONE
    assert Waves(2).size(settling=True, records=False) == 2
