"""What was used last, kept in memory. In and out: keys and values. Promises: never more than `bound` of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

MANY, NOTED = 16, 4
"""From how many keys at once on their use is not noted each time, and one time in how many it is."""


class Recent(Generic[K, V]):
    """A cache that drops what was not used for longest; for one thread."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._asked = 0
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
        """Return the values of all keys; None if any is not kept.

        The use of MANY keys is noted one time in NOTED, since it takes as long as finding them.
        """
        kept, use = self._kept, self._kept.move_to_end
        try:
            values = [kept[key] for key in keys]
        except KeyError:
            return None
        self._asked += 1
        if len(keys) < MANY or self._asked % NOTED == 0:
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
