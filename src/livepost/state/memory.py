"""A state in memory, for Rehearsals and tests: in and out as any state store, gone with its process."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice

from livepost.errors import StoreError
from livepost.state.base import Commit, Loaded, TransitionRow, require_limit, require_not_back

CAPACITY = 10_000_000
"""Rows, outbox items, transitions, dead letters and packs of dedupe entries that a state in memory holds at most."""


class MemoryState:
    """See `base.StateStore` for what each method promises."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Make an empty state; a commit that could take it over `capacity` things is refused with StoreError."""
        self._capacity = capacity
        self._loaded: Loaded | None = None
        self._rows: dict[int, bytes] = {}
        self._seen: list[tuple[int, bytes]] = []
        self._outbox: list[tuple[int, bytes]] = []
        self._transitions: list[TransitionRow] = []
        self._dead: dict[int, str] = {}

    def loaded(self) -> Loaded | None:
        """Return where the last commit came to; None if there is none."""
        return self._loaded

    def rows(self) -> Iterator[tuple[int, bytes]]:
        """Go through all people, in order of number."""
        yield from sorted(self._rows.items())

    def seen(self) -> Iterator[bytes]:
        """Go through the steps' dedupe entries, in order of commit."""
        yield from [entries for _, entries in self._seen]

    def commit(self, commit: Commit) -> None:
        """Keep all that a step changed, or raise and keep nothing."""
        counts = self._loaded.counts if self._loaded else {}
        require_not_back(commit.position, self._loaded.position if self._loaded else commit.position)
        self._require_room(commit)
        self._put_rows(commit.rows)
        for item in commit.outbox:
            place = bisect_right(self._outbox, item[0], key=lambda kept: kept[0])
            self._outbox.insert(place, item)
        if commit.seen:
            self._seen.append((commit.seen_day, commit.seen))
        self._transitions += commit.transitions
        self._dead.update(commit.dead)
        self._loaded = Loaded(
            position=commit.position,
            as_of=commit.as_of,
            complete_to=commit.complete_to,
            program=commit.program,
            counts=counts | {name: counts.get(name, 0) + more for name, more in commit.counts.items()},
        )

    def outbox(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        """Return a page of whole positions after `after`."""
        require_limit(limit)
        start = self._place_after(after)
        end = start + limit
        if end < len(self._outbox):
            cut = self._outbox[end][0]
            while end > start and self._outbox[end - 1][0] == cut:
                end -= 1
            end = end if end > start else self._place_after(cut)
        return self._outbox[start:end]

    def prune_outbox(self, upto: int) -> None:
        """Drop outbox items up to a position."""
        del self._outbox[: self._place_after(upto)]

    def transitions(self, person: bytes | None, segment: str | None, limit: int) -> list[bytes]:
        """Return transitions, the last committed first."""
        require_limit(limit)
        fitting = (
            one.body
            for one in reversed(self._transitions)
            if person in (None, one.person) and segment in (None, one.segment)
        )
        return list(islice(fitting, limit))

    def forget_transitions(self, before_ms: int) -> int:
        """Drop the oldest transitions, up to the first that is not before `before_ms`."""
        old = next((n for n, one in enumerate(self._transitions) if one.at >= before_ms), len(self._transitions))
        del self._transitions[:old]
        return old

    def dead(self, after: int, limit: int) -> list[tuple[int, str]]:
        """Return dead letters after a seq."""
        require_limit(limit)
        return [(seq, self._dead[seq]) for seq in sorted(self._dead) if seq > after][:limit]

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
        for part in (self._rows, self._seen, self._outbox, self._transitions, self._dead):
            part.clear()

    def close(self) -> None:
        """Let go of what it holds."""
        self.reset()

    def _put_rows(self, rows: list[tuple[int, bytes | None]]) -> None:
        for number, row in rows:
            if row is None:
                self._rows.pop(number, None)
            else:
                self._rows[number] = row

    def _place_after(self, position: int) -> int:
        return bisect_right(self._outbox, position, key=lambda kept: kept[0])

    def _require_room(self, commit: Commit) -> None:
        parts = (self._rows, self._seen, self._outbox, self._transitions, self._dead)
        more = len(commit.rows) + len(commit.outbox) + len(commit.transitions) + len(commit.dead) + bool(commit.seen)
        if sum(map(len, parts)) + more > self._capacity:
            raise StoreError(
                f"expected at most {self._capacity} things in a state in memory, got a commit of {more} more; "
                "keep the state on disk (SqliteState)"
            )
