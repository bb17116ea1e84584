"""Latencies as a histogram on a log scale: bounded memory, quantiles within 5 %."""

from __future__ import annotations

import math
from collections.abc import Mapping

_STEP = math.log(1.05)


class Latencies:
    """Counts by size; `add` milliseconds, ask for quantiles. At most a few hundred buckets whatever comes."""

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        self.counts: dict[int, int] = dict(counts or {})

    def __len__(self) -> int:
        return sum(self.counts.values())

    def add(self, ms: float, times: int = 1) -> None:
        """Count a latency; below 0.01 ms counts as 0.01, above an hour as an hour."""
        bucket = math.ceil(math.log(min(max(ms, 0.01), 3_600_000.0)) / _STEP)
        self.counts[bucket] = self.counts.get(bucket, 0) + times

    def sizes(self) -> list[tuple[float, int]]:
        """Return (upper edge in ms, how many) of each bucket in use, ascending."""
        return [(math.exp(bucket * _STEP), self.counts[bucket]) for bucket in sorted(self.counts)]

    def quantile(self, share: float) -> float:
        """Return the latency (ms) that `share` (0..1) of all do not exceed; 0.0 if there are none.

        The bucket's upper edge: up to 5 % more than it was, never less.
        """
        wanted = share * len(self)
        passed = 0
        for bucket in sorted(self.counts):
            passed += self.counts[bucket]
            if passed >= wanted:
                return math.exp(bucket * _STEP)
        return 0.0
