"""Where transitions stand in the state file: many together, in the order of their commits; `Runs` finds them.

In: the transitions of each commit. Out: those of a person, of a segment, of both, or after a number. A transition is
written once; its entries in the index go with the run that they are in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import islice

import msgspec
import numpy as np

from livepost.state.base import TransitionRow
from livepost.state.file import StateFile
from livepost.state.runs import MANY, Keys, Run, Runs

TOGETHER = 128
"""Transitions kept together at most: who wants one reads so many."""

CACHED_SEGMENTS = 4_096
"""Segments whose key is remembered."""

READ_AT_ONCE = 16
"""So many times TOGETHER are read in one statement: a longer one would keep the WAL from being moved."""

_DOWN = "SELECT number, rows FROM transitions WHERE number <= ? ORDER BY number DESC LIMIT 1"
_UP = "SELECT number, rows FROM transitions WHERE number >= ? ORDER BY number LIMIT ?"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[TransitionRow]).decode


class Transitions:
    """The table `transitions` of a state file."""

    def __init__(self, file: StateFile) -> None:
        self._file = file
        self._runs = Runs(file)

    def load(self) -> None:
        """Begin with what the file has."""
        self._runs.load()

    def first(self) -> int | None:
        """Return the number of the oldest one kept; None if none is."""
        ((first,),) = self._file.select("SELECT min(number) FROM transitions")
        return None if first is None else int(first)

    def last(self) -> int:
        """Return the number of the newest one kept; 0 if none is."""
        first, rows = self._with(MANY)
        return first + len(rows) - 1 if rows else 0

    def write(self, first: int, rows: Sequence[TransitionRow]) -> list[Run] | None:
        """Write a commit's transitions, numbered from `first` on, in its transaction; `apply` takes what it returns."""
        if not rows:
            return None
        begins = range(0, len(rows), TOGETHER)
        parts = [(first + at, _encode(rows[at : at + TOGETHER])) for at in begins]
        self._file.change("INSERT INTO transitions VALUES (?, ?)", parts)
        numbers = np.arange(first, first + len(rows))
        keys = np.stack(
            [_keys_of_people([row.person for row in rows]), [_key_of_segment(row.segment) for row in rows]], axis=1
        )
        return self._runs.write(keys.ravel(), np.repeat(numbers, 2))

    def apply(self, written: list[Run] | None) -> None:
        """Take over what `write` returned, once it is committed."""
        if written is not None:
            self._runs.apply(written)

    def newest(self, person: bytes | None, segment: str | None, limit: int) -> list[bytes]:
        """Return the bodies of those of a person, of a segment, of both or of all, the newest first."""
        fitting = (
            row.body
            for row in self._candidates(person, segment)
            if person in (None, row.person) and segment in (None, row.segment)
        )
        return [*islice(fitting, limit)]

    def after(self, number: int, limit: int) -> list[tuple[int, bytes]]:
        """Return (number, body) of those after a number, in order."""
        return [*islice(((at, row.body) for at, row in self._upwards(number + 1)), limit)]

    def forget(self, before_ms: int) -> int:
        """Drop the oldest, up to the first that is not before `before_ms`, in a transaction; return how many.

        `load` takes over what it left, once that is committed.
        """
        first = self.first()
        if first is None:
            return 0
        kept = next((number for number, row in self._upwards(first) if row.at >= before_ms), self.last() + 1)
        self._cut(kept)
        self._runs.forget(kept)
        return kept - first

    def _candidates(self, person: bytes | None, segment: str | None) -> Iterator[TransitionRow]:
        """Yield those that may be meant, the newest first: two people's keys may be the same."""
        if person is None and segment is None:
            yield from self._downwards()
            return
        key = _key_of_segment(segment or "") if person is None else int(_keys_of_people([person])[0])
        first, rows = self._with(-1)
        for number in self._runs.numbers(key):
            if not first <= number < first + len(rows):
                first, rows = self._with(number)
                if not rows:
                    return  # it is forgotten, and so are all before it
            yield rows[number - first]

    def _with(self, number: int) -> tuple[int, list[TransitionRow]]:
        """Return those kept together with a number, and the first one's number; none if it is forgotten."""
        for first, rows in self._file.select(_DOWN, (number,)):
            return first, _decode(rows)
        return MANY, []

    def _downwards(self) -> Iterator[TransitionRow]:
        first, rows = self._with(MANY)
        while rows:
            yield from reversed(rows)
            first, rows = self._with(first - 1)

    def _upwards(self, number: int) -> Iterator[tuple[int, TransitionRow]]:
        """Yield (number, transition) from a number on."""
        begin, _ = self._with(number)
        begin = min(begin, number)
        while found := self._file.select(_UP, (begin, READ_AT_ONCE)):
            for first, rows in found:
                begin = first + 1
                yield from ((at, row) for at, row in enumerate(_decode(rows), first) if at >= number)

    def _cut(self, kept: int) -> None:
        """Drop all before a number."""
        first, rows = self._with(kept)
        self._file.change("DELETE FROM transitions WHERE number < ?", [(kept,)])
        if first < kept < first + len(rows):
            self._file.change("INSERT INTO transitions VALUES (?, ?)", [(kept, _encode(rows[kept - first :]))])


def _keys_of_people(people: Sequence[bytes]) -> Keys:
    """Return 63 bits of each person's id."""
    halves = np.frombuffer(b"".join(people), "<u8").reshape(-1, 2)
    keys: Keys = ((halves[:, 0] ^ halves[:, 1]) >> np.uint64(1)).astype(np.int64)
    return keys


@lru_cache(CACHED_SEGMENTS)
def _key_of_segment(segment: str) -> int:
    return int.from_bytes(blake2b(segment.encode(), digest_size=8).digest(), "big") >> 1
