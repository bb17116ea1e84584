"""What was used last, kept in memory. In and out: keys and values. Promises: never more than `bound` of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """A cache that drops what was not used for longest; for one thread."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._kept: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        """Return how many values are kept."""
        return len(self._kept)

    def get(self, key: K) -> V | None:
        """Return the value of a key, used now; None if it is not kept."""
        value = self._kept.get(key)
        if value is not None:
            self._kept.move_to_end(key)
        return value

    def all_of(self, keys: Collection[K]) -> list[V] | None:
        """Return the values of all keys, used now; None if any is not kept."""
        kept, use = self._kept, self._kept.move_to_end
        try:
            values = [kept[key] for key in keys]
        except KeyError:
            return None
        for key in keys:
            use(key)
        return values

    def put(self, key: K, value: V) -> None:
        """Keep a value, and drop the one that was not used for longest if there are too many."""
        self._kept[key] = value
        self._kept.move_to_end(key)
        if len(self._kept) > self._bound:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        """Keep nothing."""
        self._kept.clear()
