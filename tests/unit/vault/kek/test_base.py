from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidTag

from livepost.vault.kek.base import Kek, Keks
from livepost.vault.kek.memory import MemoryKeks

OLD = bytes(range(32))


def test_the_newest_wraps_and_every_one_unwraps() -> None:
    store = MemoryKeks(OLD)
    keks = Keks(store)
    wrapped = keks.wrap(b"secret", b"owner")
    assert keks.wrapped_anew(wrapped, b"owner") is None
    store.add()
    keks.refresh()
    assert keks.unwrap(wrapped, b"owner") == b"secret"
    anew = keks.wrapped_anew(wrapped, b"owner")
    assert anew is not None
    store.retire()
    store.destroy()
    fresh = Keks(store)
    assert fresh.unwrap(anew, b"owner") == b"secret"
    with pytest.raises(InvalidTag):
        fresh.unwrap(wrapped, b"owner")


def test_keys_are_read_again_where_none_opens_and_only_there() -> None:
    store = MemoryKeks(OLD)
    keks, other = Keks(store), Keks(store)
    before = keks.wrap(b"before", b"owner")
    store.add()
    other.refresh()
    behind = other.wrap(b"behind", b"owner")
    assert keks.unwrap(before, b"owner") == b"before"
    assert keks.wrap(b"x", b"owner") and keks.wrapped_anew(before, b"owner") is None  # not read again yet
    assert keks.unwrap(behind, b"owner") == b"behind"
    assert keks.wrapped_anew(before, b"owner") is not None


def test_what_was_wrapped_for_another_does_not_open() -> None:
    keks = Keks(MemoryKeks(OLD))
    with pytest.raises(InvalidTag):
        keks.unwrap(keks.wrap(b"secret", b"owner"), b"another")


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes, got 16"):
        Keks(MemoryKeks(bytes(16)))


def test_a_key_is_not_printed() -> None:
    assert "\\x" not in repr(Kek(bytes(32)))
