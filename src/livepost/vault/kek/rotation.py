"""A rotation of the key-encryption key: a new key, everything wrapped by it, the older ones retired.

In: where the keys are, and the vault. Out: how many keys were gone through so far, a step at a time. Promised: whatever
step it stops behind, the vault opens; and rotating again goes on with it, without another new key.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from livepost.vault.kek.base import KekStore

START = -1
"""The place before the first key."""

STEP_KEYS = 100
"""Keys wrapped in one transaction: some milliseconds, in which nobody is admitted."""


class Wrapping(Protocol):
    """The part of a vault that wraps its keys anew."""

    def wrap_anew(self, after: int = START, limit: int = STEP_KEYS) -> int | None:
        """Wrap the next keys by the newest key-encryption key; return where to go on, None at the end."""
        ...


def is_under_way(store: KekStore) -> bool:
    """Say whether a rotation began that has not ended: an older key is not retired."""
    return any(not one.retired for one in store.read()[1:])


def begin(store: KekStore) -> None:
    """Put a new key in front, unless a rotation is under way: then that one goes on.

    Raises SettingsError where a new key cannot be had.
    """
    if not is_under_way(store):
        store.add()


def steps(store: KekStore, vault: Wrapping, step_keys: int = STEP_KEYS) -> Iterator[int]:
    """Wrap everything by the newest key and retire the others; yield how many keys were gone through."""
    seen, after = 0, vault.wrap_anew(START, step_keys)
    while after is not None:
        seen += step_keys
        yield seen
        after = vault.wrap_anew(after, step_keys)
    if is_under_way(store):
        store.retire()
