"""The people a step works on: copies of their rows in parts, by local number, changed freely until the step ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from livepost.engine import picks
from livepost.engine.row import Fixed, Ints, Row, blank
from livepost.engine.window import join_tiles
from livepost.identity import name_of
from livepost.model.moment import NO_DUE
from livepost.process.people import People


class Working:
    """Rows in parts. Bring everybody in first, then `open`; `rows` gives what the step made of them."""

    def __init__(self, people: People) -> None:
        self._people = people
        self.program = people.program
        self.numbers: list[int] = []
        self.subjects: list[tuple[bytes, ...]] = []
        self.known: list[bool] = []
        self.tiles: list[bytes] = []
        self.journal: list[bytes] = []
        self.fixed: Fixed = blank(people.program, 0)
        self.gone: set[int] = set()
        self._picks: list[bytes] = []
        self._brought: dict[int, list[bytes]] = {}
        self._local: dict[int, int] = {}
        self._next = len(people.rows)

    def __len__(self) -> int:
        return len(self.numbers)

    def bring(self, numbers: Iterable[int]) -> list[int]:
        """Bring in the people with these numbers; return the local number of each."""
        asked = list(numbers)
        new = [number for number in dict.fromkeys(asked) if number not in self._local]
        rows = [row for row in map(self._people.rows.__getitem__, new) if row is not None]
        self._append(new, rows, self._people.fixed["known"][new].tolist())
        return [self._local[number] for number in asked]

    def bring_subjects(self, subjects: Mapping[bytes, bool]) -> dict[bytes, int]:
        """Bring in the persons of subjects (each with whether it is known); return their local numbers.

        A subject seen for the first time is a person of its own.
        """
        numbers = {subject: self._people.number.get(subject) for subject in subjects}
        old = {subject: number for subject, number in numbers.items() if number is not None}
        new = [subject for subject in subjects if subject not in old]
        local = dict(zip(old, self.bring(old.values()), strict=True))
        local.update(zip(new, range(len(self), len(self) + len(new)), strict=True))
        made = range(self._next, self._next + len(new))
        self._append(made, [Row((subject,), b"") for subject in new], [subjects[subject] for subject in new])
        self._next = made.stop
        return local

    def open(self) -> None:
        """Copy the fixed parts of everybody brought in since the last call."""
        more = self.numbers[len(self.fixed) :]
        if more:
            self.fixed = np.concatenate([self.fixed, self._people.fixed_of(more)])
            self.fixed["known"] = self.known

    def has(self, number: int) -> bool:
        """Whether the person with this number was brought in."""
        return number in self._local

    def is_new(self, local: int) -> bool:
        """Whether the person was made in this step."""
        return self.numbers[local] >= len(self._people.rows)

    def name(self, local: int) -> bytes:
        """Return the subject that names the person."""
        return self.subjects[local][0]

    def picks(self, local: int) -> list[picks.Held]:
        """Return the person's picks."""
        self._fold_brought(local)
        return picks.decode(self._picks[local], self.program)

    def bring_picks(self, local: int, brought: bytes) -> None:
        """Let what a record brings to the person's picks wait (`engine.picks.brought`)."""
        self._brought.setdefault(local, []).append(brought)

    def keep_tiles(self, people: Ints, tiles: list[bytes], which: Ints) -> None:
        """Take over the tiles of those of `people` (local numbers) whose places are in `which`."""
        for place, local in zip(which.tolist(), people[which].tolist(), strict=True):
            self.tiles[local] = tiles[place]

    def bind(self, winner: int, loser: int) -> None:
        """Give the loser's subjects to the winner, keeping the name first; the loser is no person any more."""
        self.subjects[winner] = (*self.subjects[winner], *self.subjects[loser])
        self.gone.add(loser)

    def winner(self, a: int, b: int) -> tuple[int, int]:
        """Return (winner, loser): whose name the two together will have."""
        name = name_of([(self.name(a), self.known[a]), (self.name(b), self.known[b])])
        return (a, b) if name == self.name(a) else (b, a)

    def join(self, winner: int, loser: int) -> None:
        """Make one row of two (FORMATS, merge rules), all but the journal; order does not matter."""
        mine, theirs = self.fixed[winner], self.fixed[loser]
        mine["sums"] += theirs["sums"]
        mine["inside"] |= theirs["inside"]
        for part in ("lasts", "numbers", "changed"):
            mine[part] = np.maximum(mine[part], theirs[part])
        mine["due"], mine["journey"] = NO_DUE, NO_DUE
        self.tiles[winner] = join_tiles(self.tiles[winner], self.tiles[loser])
        both = zip(self.program.picks, self.picks(winner), self.picks(loser), strict=True)
        self._picks[winner] = picks.encode([picks.join(spec, a, b) for spec, a, b in both])
        self.bind(winner, loser)

    def rows(self) -> dict[int, Row | None]:
        """Return everybody's row as it is now; None for who was merged away (unless never stored)."""
        for local in list(self._brought):
            self._fold_brought(local)
        rows = map(Row, self.subjects, _split(self.fixed), self.tiles, self._picks, self.journal)
        made: dict[int, Row | None] = dict(zip(self.numbers, rows, strict=True))
        for local in self.gone:
            made[self.numbers[local]] = None
            if self.is_new(local):
                del made[self.numbers[local]]
        return made

    def _fold_brought(self, local: int) -> None:
        if local in self._brought:
            self._picks[local] = picks.append(self._picks[local], self._brought.pop(local), self.program)

    def _append(self, numbers: Iterable[int], rows: list[Row], known: list[bool]) -> None:
        begin = len(self.numbers)
        self.numbers += numbers
        self._local.update(zip(self.numbers[begin:], range(begin, len(self.numbers)), strict=True))
        self.subjects += [row.subjects for row in rows]
        self.known += known
        self.tiles += [row.tiles for row in rows]
        self.journal += [row.journal for row in rows]
        self._picks += [row.picks for row in rows]


def _split(fixed: Fixed) -> list[bytes]:
    """Return each fixed part as bytes."""
    raw, size = fixed.tobytes(), fixed.dtype.itemsize
    return [raw[at : at + size] for at in range(0, len(raw), size)]
