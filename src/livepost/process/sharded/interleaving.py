"""The order of a log that has several partitions: (stamp, partition, offset), as soon as nothing can come before."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

AHEAD_MAX = 10_000
"""Records of partitions that are ahead, which may wait for the slowest one; at most one more of each is there."""


class Interleaving(Generic[T]):
    """Takes what partitions bring, each in its own order with stamps that never fall; gives it in the log's order.

    A partition that brings nothing holds all others back: a tick in each lets time pass.
    """

    def __init__(self, partitions: int, ahead_max: int = AHEAD_MAX) -> None:
        self._ahead_max = ahead_max
        self._passed = [-1] * partitions
        self._offset = [0] * partitions
        self._waiting: list[tuple[int, int, int, T]] = []

    def __len__(self) -> int:
        """Return how many wait for their turn."""
        return len(self._waiting)

    def has_room(self, partition: int) -> bool:
        """Say whether a partition is to be read on: where many wait, only the one that is farthest behind."""
        return len(self._waiting) < self._ahead_max or partition == self._passed.index(min(self._passed))

    def take(self, partition: int, stamp: int, what: T) -> Iterator[T]:
        """Take what a partition brings next, and yield what has its turn now.

        Raises ValueError where a partition's stamps fall.
        """
        if stamp < self._passed[partition]:
            raise ValueError(
                f"expected a stamp from {self._passed[partition]} on in partition {partition}, got {stamp}"
            )
        self._passed[partition] = stamp
        heapq.heappush(self._waiting, (stamp, partition, self._offset[partition], what))
        self._offset[partition] += 1
        return self._due()

    def _due(self) -> Iterator[T]:
        while self._waiting and self._is_first(*self._waiting[0][:2]):
            yield heapq.heappop(self._waiting)[3]

    def _is_first(self, stamp: int, partition: int) -> bool:
        """Say whether no partition can bring anything that comes before (stamp, partition)."""
        before, behind = self._passed[:partition], self._passed[partition + 1 :]
        return all(passed > stamp for passed in before) and all(passed >= stamp for passed in behind)
