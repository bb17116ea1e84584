from __future__ import annotations

from livepost.vault.kek.base import Kek
from livepost.vault.kek.memory import MemoryKeks


def test_keys_are_added_in_front_retired_and_destroyed() -> None:
    store = MemoryKeks(bytes(32))
    store.add()
    new, old = store.read()
    assert (old, new.key != old.key, store.destroy()) == (Kek(bytes(32)), True, 0)
    assert store.retire()
    assert store.read() == [new, Kek(bytes(32), retired=True)]
    assert (store.destroy(), store.read()) == (1, [new])


def test_without_a_key_one_is_made() -> None:
    assert MemoryKeks().read() != MemoryKeks().read()
