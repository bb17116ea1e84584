from __future__ import annotations

import numpy as np
import pytest

from livepost.state.pack import HEAD_BYTES
from livepost.state.places import PEOPLE_MAX, Places, require_numbers


def note(places: Places, pack: int, rows: dict[int, int]) -> None:
    places.note(pack, np.array(list(rows), np.int64), np.array(list(rows.values()), np.int32))


def test_a_person_stands_in_the_pack_noted_last_and_a_deleted_one_nowhere() -> None:
    places = Places()
    note(places, 0, {1: 10, 2: 20, 5_000: 30})
    note(places, 1, {2: 7, 5_000: -1})
    asked = np.array([1, 2, 5_000])
    assert places.newest(0, asked).tolist() == [True, False, False]
    assert places.newest(1, asked).tolist() == [False, True, False]
    assert places.nowhere(asked).tolist() == [False, False, True]


def test_only_newest_rows_count_as_live() -> None:
    places = Places()
    note(places, 0, {1: 10, 2: 20})
    note(places, 1, {2: 7})
    assert places.live_bytes == 10 + 7 + 2 * HEAD_BYTES
    note(places, 2, {1: -1, 2: -1, 3: -1})
    assert places.live_bytes == 0


def test_numbers_up_to_the_bound_are_taken_and_no_others() -> None:
    require_numbers(np.array([0, PEOPLE_MAX - 1]))
    require_numbers(np.zeros(0, np.int64))
    for numbers in ([0, PEOPLE_MAX], [-1, 5]):
        with pytest.raises(ValueError, match=f"person numbers from 0 to {PEOPLE_MAX - 1}, got {min(numbers)} to"):
            require_numbers(np.array(numbers))
