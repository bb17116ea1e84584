"""What `process` asks of whoever decides: the rooms do not know each other, `runtime` hands a decider in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from livepost.model.moment import Decided, Moment


class Decider(Protocol):
    """The campaigns, as far as `process` needs to know them."""

    @property
    def names(self) -> frozenset[str]:
        """Names of records that can start or end a journey."""
        ...

    def decide(self, person: bytes, journal: bytes, moments: Sequence[Moment], times: Sequence[int]) -> Decided:
        """Decide a person's moments in order. `times` are the times (ms) of all their items in the round."""
        ...

    def join(self, winner: bytes, loser: bytes) -> bytes:
        """Return the journal of two people become one, called as the winner was."""
        ...

    def due(self, journal: bytes) -> int:
        """Return the earliest due time (ms) of a journal's journeys, NO_DUE if none."""
        ...
