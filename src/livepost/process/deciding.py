"""What `process` asks of whoever decides: the rooms do not know each other, `runtime` hands a decider in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from livepost.model.decision import OutboxItem
from livepost.model.journal import Consent, Journey
from livepost.model.moment import Decided, Half, Moment, Parted

Position = Callable[[int], tuple[int, int]]
"""From a due time (ms) to the seq and stamp of the first record that is not before it."""


class Decider(Protocol):
    """The campaigns, as far as `process` needs to know them."""

    @property
    def names(self) -> frozenset[str]:
        """Names of records that can start or end a journey."""
        ...

    @property
    def conditions(self) -> frozenset[str]:
        """Names of records whose fields say whether they do: moments at others come without fields."""
        ...

    @property
    def audiences(self) -> frozenset[str]:
        """Names of segments whose transitions can."""
        ...

    @property
    def zoned(self) -> bool:
        """Whether it wants to be shown every record that says in which zone a person is."""
        ...

    @property
    def settles(self) -> bool:
        """Whether it wants to be shown every person at whom another project begins to serve."""
        ...

    def decide(
        self, person: bytes, journal: bytes, moments: Sequence[Moment], until: int, position: Position
    ) -> Decided:
        """Decide a person's moments in order, before each the journeys due by then, and at last those due by `until`.

        `until` is a time in ms, at or after the last moment.
        """
        ...

    def join(self, winner: bytes, loser: bytes) -> bytes:
        """Return the journal of two people become one, called as the winner was."""
        ...

    def part(self, journal: bytes, kept: Mapping[str, Consent], other: Mapping[str, Consent]) -> Parted:
        """Return the journals of two people who were one, with what the log says of the consents of each."""
        ...

    def share(self, waiting: Mapping[str, Journey], halves: tuple[Half, Half], moment: Moment) -> list[OutboxItem]:
        """Put journeys that wait into the journals of the halves, the first of whom keeps the name, or end them."""
        ...

    def due(self, journal: bytes) -> int:
        """Return the earliest due time (ms) of a journal's journeys, NO_DUE if none."""
        ...
