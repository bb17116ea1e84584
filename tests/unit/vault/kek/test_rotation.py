from __future__ import annotations

from livepost.vault.kek import rotation
from livepost.vault.kek.memory import MemoryKeks
from livepost.vault.kek.rotation import START


class Counting:
    """A vault of so many keys."""

    def __init__(self, keys: int) -> None:
        self._keys = keys
        self.asked: list[int] = []

    def wrap_anew(self, after: int = START, limit: int = 100) -> int | None:
        self.asked.append(after)
        last = max(after, 0) + limit
        return last if last <= self._keys else None


def test_steps_tell_how_far_they_are_and_older_keys_are_retired_behind_the_last() -> None:
    store, vault = MemoryKeks(), Counting(250)
    rotation.begin(store)
    for keys in rotation.steps(store, vault, 100):
        assert rotation.is_under_way(store)
        assert keys in (100, 200)
    assert vault.asked == [START, 100, 200]
    assert not rotation.is_under_way(store)


def test_a_rotation_under_way_gets_no_other_key() -> None:
    store = MemoryKeks()
    rotation.begin(store)
    keys = store.read()
    rotation.begin(store)
    assert store.read() == keys
    list(rotation.steps(store, Counting(0)))
    rotation.begin(store)
    assert len(store.read()) == 3


def test_without_a_new_key_steps_change_no_key() -> None:
    store = MemoryKeks()
    keys = store.read()
    list(rotation.steps(store, Counting(250)))
    assert store.read() == keys
