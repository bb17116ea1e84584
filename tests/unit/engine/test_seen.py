"""Which event ids were seen."""

from __future__ import annotations

import numpy as np
import pytest

from livepost.engine.seen import DAY_MS, REMEMBERED_DAYS, Days, Hashes, Seen, day_of


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


def test_every_key_is_found_again_however_many_calls_brought_them() -> None:
    seen, all_keys = Seen(), np.random.default_rng(1).integers(0, 1 << 64, 50_000, dtype=np.uint64)
    for some in np.array_split(all_keys, 37):
        seen.remember(some, some + np.uint64(1), days(100, len(some)))
    found, same = seen.find(all_keys, all_keys + np.uint64(1), days(100, len(all_keys)))
    assert found.all() and same.all()
    assert len(seen) == 50_000


def test_it_says_what_a_dictionary_says_over_weeks_of_ids_that_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livepost.engine.seen.RUN_MAX", 300)
    dice, seen, dictionary = np.random.default_rng(5), Seen(), dict[int, tuple[int, int]]()
    for day in range(100, 200):
        asked = dice.choice(1_000, 40, replace=False).astype(np.uint64)
        contents = dice.integers(0, 2, 40, dtype=np.uint64)
        found, same = seen.find(asked, contents, days(day, 40))
        before = [dictionary.get(key) for key in asked.tolist()]
        alive = [said is not None and day - said[0] <= REMEMBERED_DAYS for said in before]
        assert found.tolist() == alive
        said_so = [said is not None and said[1] == content for said, content in zip(before, contents, strict=True)]
        assert same.tolist() == [one and other for one, other in zip(alive, said_so, strict=True)]
        seen.remember(asked[~found], contents[~found], days(day, int((~found).sum())))
        new = zip(asked[~found].tolist(), contents[~found].tolist(), strict=True)
        dictionary |= {key: (day, content) for key, content in new}


def test_what_is_forgotten_is_dropped() -> None:
    seen, old = Seen(), np.arange(1, 30_001, dtype=np.uint64)
    seen.remember(old, old, days(100, len(old)))
    seen.remember(keys(0), keys(0), days(130, 1))
    assert len(seen) == 30_001
    seen.remember(keys(30_001), keys(0), days(131, 1))
    assert len(seen) == 2


def test_of_a_run_over_many_days_a_fourth_at_most_is_kept_in_vain() -> None:
    seen, dice = Seen(), np.random.default_rng(4)
    for day in range(100, 200):
        some = dice.integers(0, 1 << 64, 500, dtype=np.uint64)
        seen.remember(some, some, days(day, len(some)))
        assert len(seen) <= 500 * (REMEMBERED_DAYS + 1) * 4 / 3


@pytest.mark.parametrize("ids_a_call", [1, 20, 5_000])
def test_an_id_takes_fourteen_bytes_however_many_there_are(ids_a_call: int) -> None:
    seen, dice = Seen(), np.random.default_rng(2)
    for _ in range(40):
        some = dice.integers(0, 1 << 64, ids_a_call, dtype=np.uint64)
        seen.remember(some, some, days(100, len(some)))
        assert seen.nbytes == 14 * len(seen)


def test_there_are_few_runs_and_none_is_longer_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livepost.engine.seen.RUN_MAX", 10_000)
    seen, dice = Seen(), np.random.default_rng(3)
    for _ in range(2_000):
        some = dice.integers(0, 1 << 64, 20, dtype=np.uint64)
        seen.remember(some, some, days(100, len(some)))
        assert max(map(len, seen._runs)) <= 10_000
        assert len(seen._runs) <= 4 + 7
    assert len(seen) == 40_000


def test_a_day_ends_at_midnight_utc_to_the_millisecond() -> None:
    assert (day_of(DAY_MS - 1), day_of(DAY_MS)) == (0, 1)
