"""Two lists of transitions against each other: which are equal, which were missed, which came from nothing.

A transition is a person, a segment, in or out, and a moment. A peer that looks only now and then finds some at another
moment: it is *missed* only where the peer has fewer for that person and segment, and *false* where it has more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from benchmarks.peers.person import Transition


class Compared(msgspec.Struct, frozen=True):
    """How a peer's transitions compare with ours. `late_p99_ms` is log time from the moment to the record that told."""

    ours: int
    theirs: int
    equal: int
    missed: int
    false: int
    late_p99_ms: int

    @property
    def same(self) -> bool:
        """Whether there is no difference."""
        return self.ours == self.theirs == self.equal


def compare(ours: Sequence[Transition], theirs: Sequence[Transition]) -> Compared:
    """Return how they compare."""
    equal = Counter(one[:4] for one in ours) & Counter(one[:4] for one in theirs)
    by_segment, found = (Counter(one[:2] for one in told) for told in (ours, theirs))
    return Compared(
        ours=len(ours),
        theirs=len(theirs),
        equal=equal.total(),
        missed=(by_segment - found).total(),
        false=(found - by_segment).total(),
        late_p99_ms=_late(theirs),
    )


def _late(told: Sequence[Transition]) -> int:
    lateness = sorted(seen - at for *_, at, seen in told)
    return lateness[len(lateness) * 99 // 100] if lateness else 0
