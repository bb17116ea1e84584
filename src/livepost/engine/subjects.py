"""Whose each subject is: the number of the person, in runs of subjects in order, over numpy (SPEED, 6).

An entry is (subject, number): 20 bytes, and nothing stands empty between them; in a dictionary it takes some 140.
A run is ordered by the first halves of its subjects, which are random; subjects that share one stand side by side.
What is newest waits in a small dictionary, which counts before the runs; when that is full it becomes a run, and a run
is merged with the one before it as in `engine.seen`. A subject stands in one run at most: where it gets another person,
the number there is replaced.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

NOBODY = -1
"""In place of a number: the subject is nobody's."""

NEWEST = 256
"""Subjects that wait in the dictionary between two calls at most: 40 kB."""

FANOUT = 16
"""So many times as long as the run behind it a run is at least. New subjects are rarer than ids of events, and each
step looks in every run, so there are fewer than of `engine.seen`, and a subject is moved more often.
"""

RUN_MAX = 1_000_000
"""Subjects in a run at most, but for what one call brings: merging never takes longer than for so many (some 20 ms)."""

Halves = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Run:
    """Subjects, as two halves each, in the order of the first; `numbers` are those of their people."""

    first: Halves
    second: Halves
    numbers: Numbers

    def __len__(self) -> int:
        return len(self.first)

    @property
    def nbytes(self) -> int:
        """Its memory in bytes."""
        return self.first.nbytes + self.second.nbytes + self.numbers.nbytes

    def places(self, first: Halves, second: Halves) -> Ints:
        """Return where each of these subjects stands; -1 for one that is not here."""
        places = np.searchsorted(self.first, first).astype(np.int64, copy=False)
        while True:
            within = np.minimum(places, len(self) - 1)
            alike = (self.first[within] == first) & (places < len(self))
            here = alike & (self.second[within] == second)
            if len(beside := np.flatnonzero(alike & ~here)) == 0:
                places[~here] = -1
                return places
            places[beside] += 1

    def only(self, some: Bools) -> _Run:
        """Return some of its subjects."""
        return self if some.all() else _Run(self.first[some], self.second[some], self.numbers[some])

    def merged(self, other: _Run) -> _Run:
        """Return the subjects of both, but those that are nobody's."""
        at = np.searchsorted(self.first, other.first)
        both = _Run(
            np.insert(self.first, at, other.first),
            np.insert(self.second, at, other.second),
            np.insert(self.numbers, at, other.numbers),
        )
        return both.only(both.numbers != NOBODY)

    def subjects(self) -> list[bytes]:
        """Return the subjects that are somebody's."""
        theirs = self.only(self.numbers != NOBODY)
        raw = np.stack([theirs.first, theirs.second], axis=1).tobytes()
        return [raw[at : at + 16] for at in range(0, len(raw), 16)]


class Subjects(Mapping[bytes, int]):
    """The number of each subject's person; a subject has 16 bytes.

    Who asks for many calls `find`: one takes nearly as long as twenty, some 20 us.
    """

    def __init__(self) -> None:
        self._newest: dict[bytes, int] = {}
        self._runs: list[_Run] = []

    @property
    def nbytes(self) -> int:
        """Memory of the runs in bytes."""
        return sum(run.nbytes for run in self._runs)

    def find(self, subjects: Collection[bytes]) -> Ints:
        """Return the number of each subject's person; NOBODY if it is nobody's."""
        numbers, newest = self._in_runs(subjects), self._newest
        for place, subject in enumerate(subjects) if newest else ():
            if subject in newest:
                numbers[place] = newest[subject]
        return numbers

    def take(self, numbers: Mapping[bytes, int]) -> None:
        """Let subjects have these numbers, whatever they had."""
        self._newest.update(numbers)
        if len(self._newest) > NEWEST:
            self._settle()

    def forget(self, subjects: Iterable[bytes]) -> None:
        """Let these subjects be nobody's."""
        self.take(dict.fromkeys(subjects, NOBODY))

    def __getitem__(self, subject: bytes) -> int:
        number = self._newest.get(subject)
        found = int(self._in_runs((subject,))[0]) if number is None else number
        if found == NOBODY:
            raise KeyError(subject)
        return found

    def __iter__(self) -> Iterator[bytes]:
        for run in self._runs:
            yield from (subject for subject in run.subjects() if subject not in self._newest)
        yield from [subject for subject, number in self._newest.items() if number != NOBODY]

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _in_runs(self, subjects: Collection[bytes]) -> Ints:
        """Return what the runs say."""
        numbers = np.full(len(subjects), NOBODY, np.int64)
        first, second = _halves(subjects)
        left = np.argsort(first)  # subjects that are close to each other are looked for in memory that is close
        for run in self._runs:
            places = run.places(first[left], second[left])
            here = places >= 0
            numbers[left[here]] = run.numbers[places[here]]
            left = left[~here]
            if not len(left):
                break
        return numbers

    def _settle(self) -> None:
        """Let what is newest stand in the runs: in place of the number there, or in a run of its own."""
        new, self._newest = _run(self._newest), {}
        for run in self._runs:
            places = run.places(new.first, new.second)
            here = places >= 0
            run.numbers[places[here]] = new.numbers[here]
            new = new.only(~here)
        self._runs += filter(len, [new.only(new.numbers != NOBODY)])
        while self._unbalanced():
            *runs, before, last = self._runs
            self._runs = [*runs, *filter(len, [before.merged(last)])]

    def _unbalanced(self) -> bool:
        """Whether the last two runs are to become one."""
        if len(self._runs) < 2:
            return False
        before, last = map(len, self._runs[-2:])
        return before < FANOUT * last and before + last <= RUN_MAX


def _run(numbers: Mapping[bytes, int]) -> _Run:
    """Return subjects and the numbers of their people as a run."""
    first, second = _halves(numbers)
    order = np.argsort(first)
    return _Run(first[order], second[order], np.fromiter(numbers.values(), np.int32, len(numbers))[order])


def _halves(subjects: Collection[bytes]) -> tuple[Halves, Halves]:
    """Return the first and second 8 bytes of each subject."""
    halves = np.frombuffer(b"".join(subjects), np.uint64).reshape(len(subjects), 2)
    return halves[:, 0], halves[:, 1]
