"""A person set apart: others are to come to them from another shard, or they go to one.

In: their row and records. Out: the same person further on, by the very same step, in people of their own. Promises:
nothing that is due after a record is served before it, however long that waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile

import msgspec

from livepost.engine.seen import DAY_MS
from livepost.engine.subjects import NOBODY
from livepost.process.sharded.told import Item, Meeting, Transfer

Key = tuple[int, bytes]
"""A transfer, told by the position of the meeting and the loser's name."""


class Parked(msgspec.Struct, kw_only=True):
    """A person apart from the others of the shard; `number` and packed `row` are those they had there.

    complete_to, as_of   seq and stamp up to which they are served
    items    their records that are not folded yet, in log order
    leaving  the meeting at which they become part of somebody who is elsewhere, or apart as well: their last
    """

    number: int = NOBODY
    row: bytes | None = None
    complete_to: int
    as_of: int
    items: list[Item] = []
    leaving: Meeting | None = None

    def awaits(self, position: int) -> bool:
        """Say whether somebody is to come at the record of this position."""
        return any(item.position == position and item.losers for item in self.items)

    def fold(self, run: Sequence[Item], row: bytes) -> None:
        """Take over what a run, the next, made of them."""
        self.row, self.complete_to, self.as_of = row, run[-1].position, run[-1].record.stamp
        del self.items[: len(run)]

    def next_run(self, is_here: Callable[[Key], bool]) -> list[Item]:
        """Return the records that can be folded in one step: up to the next for which others have to come, within a
        day; none if those of the first are not all here.
        """
        if not self.items or not all(is_here((self.items[0].position, loser)) for loser in self.items[0].losers):
            return []
        first, *others = self.items
        until = first.record.stamp + DAY_MS
        return [first, *takewhile(lambda item: not item.losers and item.record.stamp <= until, others)]


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """What a shard keeps besides rows: where it is, what it computes with (`Kept.packed`), who is parked, transfers
    that came early, those of which nobody said that they arrived, and the timeline.
    """

    kept: bytes
    position: int = -1
    as_of: int = 0
    complete_to: int = -1
    parked: dict[bytes, Parked] = {}
    held: list[Transfer] = []
    unreceived: list[Transfer] = []
    stamps: list[int] = []
    firsts: list[int] = []


def set_apart(
    meetings: Sequence[Meeting], parked: Mapping[bytes, Parked], is_mine: Callable[[bytes], bool]
) -> set[bytes]:
    """Return who of the shard cannot be worked on with all others: who meets somebody of another shard, and who meets
    one of these.
    """
    apart = set(parked)
    left = list(meetings)
    while True:
        crossing = [m for m in left if not (all(map(is_mine, m.people)) and apart.isdisjoint(m.people))]
        if not crossing:
            return apart
        apart.update(name for meeting in crossing for name in meeting.people if is_mine(name))
        left = [meeting for meeting in left if meeting not in crossing]
