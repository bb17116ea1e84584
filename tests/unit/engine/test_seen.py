"""Which event ids were seen."""

from __future__ import annotations

import numpy as np

from livepost.engine.seen import DAY_MS, REMEMBERED_DAYS, SPREAD, Days, Hashes, Seen, day_of, hashes


def keys(*values: int) -> Hashes:
    """Return keys."""
    return np.array(values, np.uint64)


def days(day: int, count: int) -> Days:
    """Return the same day for all."""
    return np.full(count, day, np.uint16)


def remembered(seen: Seen, key: int, day: int) -> bool:
    """Say whether a key is remembered on a day."""
    return bool(seen.find(keys(key), keys(0), days(day, 1))[0][0])


def test_a_key_is_found_with_the_content_it_came_with() -> None:
    seen = Seen()
    seen.remember(keys(7, 8), keys(70, 80), days(100, 2))
    found, same = seen.find(keys(8, 9, 7, 7), keys(80, 90, 70, 71), days(100, 4))
    assert found.tolist() == [True, False, True, True]
    assert same.tolist() == [True, False, True, False]


def test_a_key_is_remembered_through_its_thirtieth_day_and_forgotten_on_the_next() -> None:
    seen = Seen()
    seen.remember(keys(7), keys(70), days(100, 1))
    assert remembered(seen, 7, 100 + REMEMBERED_DAYS)
    assert not remembered(seen, 7, 101 + REMEMBERED_DAYS)


def test_a_forgotten_key_is_taken_anew_with_its_new_content() -> None:
    seen = Seen()
    seen.remember(keys(7), keys(70), days(100, 1))
    seen.remember(keys(7), keys(71), days(131, 1))
    found, same = seen.find(keys(7), keys(71), days(131, 1))
    assert (found.tolist(), same.tolist(), len(seen)) == ([True], [True], 1)


def test_two_ids_of_one_hash_show_as_a_conflict_because_their_content_differs() -> None:
    seen = Seen()
    seen.remember(keys(7), keys(70), days(100, 1))
    found, same = seen.find(keys(7), keys(71), days(100, 1))
    assert found[0] and not same[0]


def test_every_key_is_found_again_after_the_table_has_grown_many_times() -> None:
    seen, all_keys = Seen(), np.random.default_rng(1).integers(1, 1 << 63, 50_000, dtype=np.uint64) << np.uint64(1)
    for some in np.array_split(all_keys, 37):
        seen.remember(some, some + np.uint64(1), days(100, len(some)))
    found, same = seen.find(all_keys, all_keys + np.uint64(1), days(100, len(all_keys)))
    assert found.all() and same.all()
    assert len(seen) == 50_000


def test_keys_that_all_fall_into_the_last_slot_each_find_one_of_their_own() -> None:
    backwards = np.uint64(pow(int(SPREAD), -1, 1 << 64))
    crowded = (np.uint64((1 << 64) - 1) - np.arange(201, dtype=np.uint64)) * backwards
    seen, there = Seen(), crowded[:200]
    seen.remember(there, there, days(100, len(there)))
    assert seen.find(there, there, days(100, len(there)))[1].all()
    assert not remembered(seen, int(crowded[200]), 100)


def test_keys_of_one_slot_and_one_stride_find_places_in_a_table_as_full_as_may_be() -> None:
    size = len(Seen()._keys)
    alike = np.arange(1, 3_001, dtype=np.uint64) * np.uint64(size - 1)
    seen = Seen()
    seen.remember(alike, alike, days(100, len(alike)))
    assert len(seen._keys) == size
    assert seen.find(alike, alike, days(100, len(alike)))[1].all()


def test_growing_drops_what_is_forgotten() -> None:
    seen, old = Seen(), np.arange(1, 3_001, dtype=np.uint64)
    seen.remember(old, old, days(100, len(old)))
    new = np.arange(10_001, 13_001, dtype=np.uint64)
    seen.remember(new, new, days(131, len(new)))
    assert len(seen) == 3_000


def test_the_table_takes_at_most_30_bytes_a_key_once_it_is_in_use() -> None:
    seen, dice = Seen(), np.random.default_rng(2)
    for _ in range(40):
        some = dice.integers(1, 1 << 63, 5_000, dtype=np.uint64) << np.uint64(1)
        seen.remember(some, some, days(100, len(some)))
        assert seen.nbytes / len(seen) <= 30


def test_a_hash_of_zero_becomes_one_for_zero_marks_an_empty_slot() -> None:
    assert hashes(bytes(16) + b"\x05" + bytes(15)).tolist() == [1, 5]


def test_a_day_ends_at_midnight_utc_to_the_millisecond() -> None:
    assert (day_of(DAY_MS - 1), day_of(DAY_MS)) == (0, 1)
