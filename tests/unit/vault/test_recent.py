from __future__ import annotations

from livepost.vault.recent import MANY, NOTED, Recent


def test_over_the_bound_the_one_not_used_for_longest_goes() -> None:
    recent: Recent[bytes, int] = Recent(2)
    recent.put(b"a", 1)
    recent.put(b"b", 2)
    assert recent.get(b"a") == 1
    recent.put(b"c", 3)
    assert (recent.get(b"a"), recent.get(b"b"), recent.get(b"c"), len(recent)) == (1, None, 3, 2)


def test_putting_a_key_again_takes_no_more_room() -> None:
    recent: Recent[bytes, int] = Recent(2)
    for value in (1, 2, 3):
        recent.put(b"a", value)
    assert (recent.get(b"a"), len(recent)) == (3, 1)


def test_a_cleared_one_keeps_nothing() -> None:
    recent: Recent[bytes, int] = Recent(2)
    recent.put(b"a", 1)
    recent.clear()
    assert (recent.get(b"a"), len(recent)) == (None, 0)


def test_the_use_of_a_few_is_noted_each_time() -> None:
    recent: Recent[int, int] = Recent(2)
    recent.put(1, 1)
    recent.put(2, 2)
    assert recent.all_of([1]) == [1]
    recent.put(3, 3)
    assert (recent.all_of([1, 3]), recent.all_of([2])) == ([1, 3], None)


def test_many_that_are_asked_for_again_and_again_are_kept() -> None:
    recent: Recent[int, int] = Recent(2 * MANY)
    hot = list(range(MANY))
    for key in hot:
        recent.put(key, key)
    for other in range(MANY, 10 * MANY):
        assert recent.all_of(hot) == hot
        recent.put(other, other)
    assert len(recent) == 2 * MANY
    assert NOTED > 1
