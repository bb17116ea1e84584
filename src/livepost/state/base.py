"""What every state store does. Bodies: `memory.py`, `sqlite.py`, `rocksdb.py`; all pass
`livepost.testing.contracts.state`.

The store keeps bytes and does not know what they mean: `runtime` packs what a step changed, and unpacks what was kept.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from livepost.model.letter import Letter
from livepost.state.pack import NO_ROWS, Pack


class TransitionRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A transition as kept: what it is found by (`person` is 16 bytes, `at` in ms), and its `body`."""

    person: bytes
    segment: str
    at: int
    body: bytes


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """What one step changes.

    position     seq up to which people are folded; never before that of the commit before it
    as_of        stamp last applied (ms); `complete_to` the seq up to which all due times are served too
    program      hash of the program that wrote the rows
    rows         rows of people by number, as one pack (`pack_of` makes it of some)
    seen         the step's dedupe entries, packed; b"" if it has none
    seen_day     day number (since 1970, UTC) of the step's last stamp; never before that of the commit before it
    outbox       (position, body), in the order in which items of one position are to be taken over
    dead         each record that goes to the dead letters
    replayed     (seq of a dead letter, seq of the record that replays it); of several the first counts, and one for a
                 letter that is not there is left out
    hours        (end of an hour in ms, body): what held when that hour of stamps ended; a body put for it before goes
    counts       what to add to each total
    step         (number, body): what it takes to do the step again, where its rows are not here; numbers grow by one
    image        (name, number): from this commit on people are those of the image called so, and what the steps from
                 that number on make of them; older steps go
    definitions  what rows are written by from this commit on; b"" where that is as before
    """

    position: int
    as_of: int
    complete_to: int
    program: str
    rows: Pack = NO_ROWS
    seen: bytes = b""
    seen_day: int = 0
    outbox: list[tuple[int, bytes]] = []
    transitions: list[TransitionRow] = []
    dead: list[Letter] = []
    replayed: list[tuple[int, int]] = []
    hours: list[tuple[int, bytes]] = []
    counts: dict[str, int] = {}
    step: tuple[int, bytes] | None = None
    image: tuple[str, int] | None = None
    definitions: bytes = b""


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """Where the last commit came to, in the words of `Commit`, the totals of all counts, the image that counts, "" if
    there is none, and the last definitions.
    """

    position: int
    as_of: int
    complete_to: int
    program: str
    counts: dict[str, int]
    image: str = ""
    definitions: bytes = b""


class Numbering(msgspec.Struct, frozen=True, kw_only=True):
    """Which transitions are kept: those numbered `first` to `last`, in the order of their commits; first > last: none.

    Numbers grow by one within an `epoch`, whatever is forgotten; a reset begins another epoch, at 1.
    """

    epoch: str
    first: int
    last: int


class StateStore(Protocol):
    """The whole contract; one process opens a store, and one thread at a time uses it.

    What reads raises StoreError if the store cannot be read. What writes raises StoreError if nothing was written, and
    OutcomeUnknownError if nobody can know: then close the store, open it again, and go on from where it is.
    """

    def loaded(self) -> Loaded | None:
        """Return where the last commit came to; None if there is none."""
        ...

    def rows(self) -> Iterator[tuple[int, bytes]]:
        """Go through (person number, row) of all people, in no order; do not commit meanwhile."""
        ...

    def rows_of(self, numbers: Collection[int]) -> dict[int, bytes]:
        """Return the rows of these people, by number; who is not there is left out."""
        ...

    def steps(self) -> Iterator[tuple[int, bytes]]:
        """Go through (number, body) of the steps since the image, in order of number; do not commit meanwhile."""
        ...

    def seen(self) -> Iterator[bytes]:
        """Go through the dedupe entries of each step that had any, in order of commit; do not commit meanwhile."""
        ...

    def commit(self, commit: Commit) -> None:
        """Keep all that a step changed, in one fsynced transaction.

        Raises ValueError, having kept nothing, if its position lies before that of the last commit.
        """
        ...

    def outbox(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        """Return outbox items with position > `after`, by position, those of one position as they were committed.

        At most `limit` items, and never part of a position: only a page whose first position alone has more is longer.
        """
        ...

    def outbox_after(self, number: int, limit: int) -> list[tuple[int, bytes]]:
        """Return (number, body) of at most `limit` outbox items with a number > `number`, in the order of commits.

        Numbers are above 0 and grow as long as the store is open; what is opened or reset may number otherwise.
        """
        ...

    def newest_item(self) -> int:
        """Return the newest outbox item's number, 0 if there never was one; those of a commit follow each other."""
        ...

    def prune_outbox(self, upto: int) -> None:
        """Drop outbox items with position <= `upto`: no page has them any more, the disk has until the next commit."""
        ...

    def transitions(self, person: bytes | None, segment: str | None, limit: int) -> list[bytes]:
        """Return the bodies of at most `limit` transitions of a person, of a segment, of both or of all, the last
        committed first.
        """
        ...

    def numbering(self) -> Numbering:
        """Return which transitions are kept, by number."""
        ...

    def transitions_after(self, number: int, limit: int) -> list[tuple[int, bytes]]:
        """Return (number, body) of at most `limit` transitions with a number > `number`, in order."""
        ...

    def forget_transitions(self, before_ms: int) -> int:
        """Drop transitions with `at` < `before_ms`, up to the first one committed that is not; return how many."""
        ...

    def hours(self, since_ms: int) -> list[tuple[int, bytes]]:
        """Return (end of the hour, body) of all hours that ended at or after `since_ms`, in order; before them the
        last one that ended earlier, if one is kept: what it has held until then.
        """
        ...

    def forget_hours(self, before_ms: int) -> int:
        """Drop the hours that ended before `before_ms`; return how many."""
        ...

    def dead(self, after: int, limit: int) -> list[Letter]:
        """Return at most `limit` dead letters with seq > `after`, in order of seq, each with where it was replayed."""
        ...

    def dead_count(self) -> int:
        """Return how many dead letters there are."""
        ...

    def forget_seen(self, before_day: int) -> int:
        """Drop the dedupe entries of steps with `seen_day` < `before_day`; return of how many steps."""
        ...

    def reset(self) -> None:
        """Drop everything, in one transaction: a replay begins."""
        ...

    def close(self) -> None:
        """Release files; the store must not be used afterwards."""
        ...


class DurableStateStore(StateStore, Protocol):
    """A store that outlives its process."""

    def snapshot(self, to: Path) -> None:
        """Write what the last commit left as a store of its own at `to`, where nothing may be yet; commit afterwards.

        Raises StoreError if it cannot be written: then `to` is not to be used.
        """
        ...


def new_epoch() -> str:
    """Return a name for an epoch: 16 hex digits, drawn anew."""
    return os.urandom(8).hex()


def require_limit(limit: int) -> None:
    """Raise ValueError unless at least one item is asked for."""
    if limit < 1:
        raise ValueError(f"expected a limit of at least 1, got {limit}")


def require_not_back(position: int, last: int) -> None:
    """Raise ValueError if a commit's position lies before that of the last one."""
    if position < last:
        raise ValueError(f"expected a commit at position {last} or later, got {position}; reset the state to replay")
