"""A state in memory, for Rehearsals and tests: in and out as any state store, gone with its process."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sized
from itertools import islice
from typing import Any, TypeAlias

import msgspec

from livepost.errors import StoreError
from livepost.model.letter import Letter
from livepost.state.base import Commit, Loaded, Numbering, TransitionRow, new_epoch, require_limit, require_not_back

CAPACITY = 10_000_000
"""Things that a state in memory holds at most: rows, outbox items, transitions, dead letters, hours, steps, and packs
of dedupe entries.
"""

_Part: TypeAlias = "dict[int, Any] | list[Any]"


class MemoryState:
    """See `base.StateStore` for what each method promises."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Make an empty state; a commit that could take it over `capacity` things is refused with StoreError."""
        self._capacity = capacity
        self._loaded: Loaded | None = None
        self._rows: dict[int, bytes] = {}
        self._seen: list[tuple[int, bytes]] = []
        self._outbox: list[tuple[int, int, bytes]] = []
        self._item = 0
        self._transitions: list[TransitionRow] = []
        self._dead: dict[int, Letter] = {}
        self._hours: dict[int, bytes] = {}
        self._steps: dict[int, bytes] = {}
        self._epoch = new_epoch()
        self._forgotten = 0

    def loaded(self) -> Loaded | None:
        """Return where the last commit came to; None if there is none."""
        return self._loaded

    def rows(self) -> Iterator[tuple[int, bytes]]:
        """Go through all people, in no order."""
        yield from list(self._rows.items())

    def rows_of(self, numbers: Collection[int]) -> dict[int, bytes]:
        """Return the rows of these people."""
        return {number: self._rows[number] for number in numbers if number in self._rows}

    def steps(self) -> Iterator[tuple[int, bytes]]:
        """Go through the steps since the image, in order of number."""
        yield from sorted(self._steps.items())

    def seen(self) -> Iterator[bytes]:
        """Go through the steps' dedupe entries, in order of commit."""
        yield from [entries for _, entries in self._seen]

    def commit(self, commit: Commit) -> None:
        """Keep all that a step changed, or raise and keep nothing."""
        counts = self._loaded.counts if self._loaded else {}
        require_not_back(commit.position, self._loaded.position if self._loaded else commit.position)
        self._require_room(commit)
        self._put_rows(commit.rows.everybody())
        self._outbox += [(number, *item) for number, item in enumerate(commit.outbox, self._item + 1)]
        self._item += len(commit.outbox)
        if commit.seen:
            self._seen.append((commit.seen_day, commit.seen))
        self._transitions += commit.transitions
        self._dead.update({letter.position: letter for letter in commit.dead})
        self._mark(commit.replayed)
        self._hours.update(commit.hours)
        self._put_step(commit)
        self._loaded = Loaded(
            position=commit.position,
            as_of=commit.as_of,
            complete_to=commit.complete_to,
            program=commit.program,
            counts=counts | {name: counts.get(name, 0) + more for name, more in commit.counts.items()},
            image=commit.image[0] if commit.image else self._loaded.image if self._loaded else "",
            definitions=commit.definitions or (self._loaded.definitions if self._loaded else b""),
        )

    def outbox(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        """Return a page of whole positions after `after`."""
        require_limit(limit)
        found = sorted([(at, body) for _, at, body in self._outbox if at > after], key=lambda item: item[0])
        end = limit
        if end < len(found):
            cut = found[end][0]
            end = bisect_left(found, cut, key=lambda item: item[0])
            end = end or bisect_right(found, cut, key=lambda item: item[0])
        return found[:end]

    def outbox_after(self, number: int, limit: int) -> list[tuple[int, bytes]]:
        """Return items after a number, in order of commit."""
        require_limit(limit)
        start = bisect_right(self._outbox, number, key=lambda item: item[0])
        return [(number, body) for number, _, body in self._outbox[start : start + limit]]

    def newest_item(self) -> int:
        """Return the number of the newest outbox item."""
        return self._item

    def prune_outbox(self, upto: int) -> None:
        """Drop outbox items up to a position."""
        self._outbox = [item for item in self._outbox if item[1] > upto]

    def transitions(self, person: bytes | None, segment: str | None, limit: int) -> list[bytes]:
        """Return transitions, the last committed first."""
        require_limit(limit)
        fitting = (
            one.body
            for one in reversed(self._transitions)
            if person in (None, one.person) and segment in (None, one.segment)
        )
        return list(islice(fitting, limit))

    def numbering(self) -> Numbering:
        """Return which transitions are kept, by number."""
        last = self._forgotten + len(self._transitions)
        return Numbering(epoch=self._epoch, first=self._forgotten + 1, last=last)

    def transitions_after(self, number: int, limit: int) -> list[tuple[int, bytes]]:
        """Return transitions after a number, in order of commit."""
        require_limit(limit)
        start = max(number - self._forgotten, 0)
        found = self._transitions[start : start + limit]
        return [(place, one.body) for place, one in enumerate(found, self._forgotten + start + 1)]

    def forget_transitions(self, before_ms: int) -> int:
        """Drop the oldest transitions, up to the first that is not before `before_ms`."""
        old = next((n for n, one in enumerate(self._transitions) if one.at >= before_ms), len(self._transitions))
        del self._transitions[:old]
        self._forgotten += old
        return old

    def hours(self, since_ms: int) -> list[tuple[int, bytes]]:
        """Return the hours that ended since, and the last one before them."""
        ends = sorted(self._hours)
        begin = max(bisect_left(ends, since_ms) - 1, 0)
        return [(end, self._hours[end]) for end in ends[begin:]]

    def forget_hours(self, before_ms: int) -> int:
        """Drop the hours that ended before `before_ms`."""
        old = [end for end in self._hours if end < before_ms]
        for end in old:
            del self._hours[end]
        return len(old)

    def dead(self, after: int, limit: int) -> list[Letter]:
        """Return dead letters after a seq."""
        require_limit(limit)
        return [self._dead[seq] for seq in sorted(self._dead) if seq > after][:limit]

    def dead_count(self) -> int:
        """Return how many dead letters there are."""
        return len(self._dead)

    def forget_seen(self, before_day: int) -> int:
        """Drop the dedupe entries of steps before a day."""
        old = sum(day < before_day for day, _ in self._seen)
        del self._seen[:old]
        return old

    def reset(self) -> None:
        """Drop everything."""
        self._loaded = None
        self._epoch = new_epoch()
        self._forgotten = 0
        for part in self._parts():
            part.clear()

    def close(self) -> None:
        """Let go of what it holds."""
        self.reset()

    def _put_rows(self, rows: Iterable[tuple[int, bytes | None]]) -> None:
        for number, row in rows:
            if row is None:
                self._rows.pop(number, None)
            else:
                self._rows[number] = row

    def _put_step(self, commit: Commit) -> None:
        if commit.step is not None:
            self._steps.update([commit.step])
        if commit.image is not None:
            self._steps = {number: body for number, body in self._steps.items() if number >= commit.image[1]}

    def _mark(self, replayed: list[tuple[int, int]]) -> None:
        for seq, at in replayed:
            letter = self._dead.get(seq)
            if letter is not None and letter.replayed_at is None:
                self._dead[seq] = msgspec.structs.replace(letter, replayed_at=at)

    def _parts(self) -> tuple[_Part, ...]:
        return (self._rows, self._seen, self._outbox, self._transitions, self._dead, self._hours, self._steps)

    def _require_room(self, commit: Commit) -> None:
        brought: tuple[Sized, ...] = (commit.rows, commit.outbox, commit.transitions, commit.dead, commit.hours)
        more = sum(map(len, brought)) + bool(commit.seen) + (commit.step is not None)
        if sum(map(len, self._parts())) + more > self._capacity:
            raise StoreError(
                f"expected at most {self._capacity} things in a state in memory, got a commit of {more} more; "
                "keep the state on disk (SqliteState)"
            )
