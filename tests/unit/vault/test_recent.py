from __future__ import annotations

from livepost.vault.recent import Recent


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
