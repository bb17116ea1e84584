"""The people a step works on: copies of their rows, by local number, changed freely until the step ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import filterfalse

import numpy as np

from livepost.engine import picks
from livepost.engine.pick import Held
from livepost.engine.row import Fixed, Row, blank
from livepost.engine.window import merged_tiles
from livepost.identity import name_of
from livepost.model.moment import NO_DUE
from livepost.process.people import Changed, People


class Working:
    """Bring everybody in first, then `open`; `changed` gives what the step made of them.

    The row's fixed part stands in the array `fixed` meanwhile.
    """

    def __init__(self, people: People) -> None:
        self._people = people
        self.program = people.program
        self.numbers: list[int] = []
        self.row: list[Row] = []
        self.fixed: Fixed = blank(people.program, 0)
        self.gone: set[int] = set()
        self._local: dict[int, int] = {}
        self._known_of_new: list[bool] = []

    def __len__(self) -> int:
        return len(self.numbers)

    def bring(self, numbers: Iterable[int]) -> list[int]:
        """Bring in the people with these numbers; return the local number of each."""
        asked, local = list(numbers), self._local
        new = [*filterfalse(local.__contains__, dict.fromkeys(asked))]
        # msgspec does not declare `__copy__`; `copy.copy` takes six times as long to find it.
        self._append(new, list(map(Row.__copy__, self._people.rows_of(new))))  # type: ignore[attr-defined]
        return list(map(local.__getitem__, asked))

    def bring_subjects(self, subjects: Mapping[bytes, bool]) -> dict[bytes, int]:
        """Bring in the persons of subjects (each with whether it is known); return their local numbers.

        A subject seen for the first time is a person of its own.
        """
        numbers = list(map(self._people.number.get, subjects))
        old = iter(self.bring([number for number in numbers if number is not None]))
        new = [subject for subject, number in zip(subjects, numbers, strict=True) if number is None]
        fresh = iter(range(len(self), len(self) + len(new)))
        first = self._first_new + len(self._known_of_new)
        self._append(range(first, first + len(new)), [Row((subject,)) for subject in new])
        self._known_of_new += [subjects[subject] for subject in new]
        local = [next(fresh if number is None else old) for number in numbers] if new else old
        return dict(zip(subjects, local, strict=True))

    def add(self, subjects: Sequence[tuple[bytes, bool]]) -> int:
        """Add a new person of subjects (each with whether it is known); return the local number."""
        ids, known = _named_first(subjects)
        self._append([self._first_new + len(self._known_of_new)], [Row(ids)])
        self._known_of_new.append(known)
        return len(self) - 1

    def open(self) -> None:
        """Copy the fixed parts of everybody; call it once all are there."""
        self.fixed = self._people.fixed_of(self.numbers)
        self.fixed["known"][np.array(self.numbers, np.int64) >= self._first_new] = self._known_of_new

    def has(self, number: int) -> bool:
        """Whether the person with this number was brought in."""
        return number in self._local

    def is_new(self, local: int) -> bool:
        """Whether the person was made in this step."""
        return self.numbers[local] >= self._first_new

    def is_known(self, local: int) -> bool:
        """Whether one of the person's subjects is known."""
        number = self.numbers[local]
        if number < self._first_new:
            return bool(self._people.fixed["known"][number])
        return self._known_of_new[number - self._first_new]

    def name(self, local: int) -> bytes:
        """Return the subject that names the person."""
        return self.row[local].subjects[0]

    def picks(self, local: int) -> list[Held]:
        """Return the person's picks."""
        return picks.decode(self.row[local].picks, self.program)

    def bind(self, winner: int, loser: int) -> None:
        """Give the loser's subjects to the winner, keeping the name first; the loser is no person any more."""
        self.row[winner].subjects += self.row[loser].subjects
        self.gone.add(loser)

    def winner(self, a: int, b: int) -> tuple[int, int]:
        """Return (winner, loser): whose name the two together will have."""
        name = name_of([(self.name(a), self.is_known(a)), (self.name(b), self.is_known(b))])
        return (a, b) if name == self.name(a) else (b, a)

    def part(self, kept: int, other: int, subjects: Sequence[tuple[bytes, bool]]) -> None:
        """Make two people of one: `kept` goes on with `subjects` and the bits, `other`, who is new, is in no segment;
        both with the transition numbers, and nothing folded. Journals are left as they are.
        """
        before = self.fixed[kept].copy()
        ids, known = _named_first(subjects)
        self.row[kept] = Row(ids, journal=self.row[kept].journal)
        self.fixed[[kept, other]] = blank(self.program, 2)
        self.fixed["known"][[kept, other]] = known, self.is_known(other)
        for local in (kept, other):
            self.fixed["numbers"][local] = before["numbers"]
        self.fixed["inside"][kept], self.fixed["changed"][kept] = before["inside"], before["changed"]

    def join(self, winner: int, loser: int) -> None:
        """Make one row of two (FORMATS, merge rules), all but the journal; order does not matter."""
        mine, theirs = self.fixed[winner], self.fixed[loser]
        mine["sums"] += theirs["sums"]
        mine["inside"] |= theirs["inside"]
        for part in ("lasts", "numbers", "changed"):
            mine[part] = np.maximum(mine[part], theirs[part])
        mine["due"], mine["journey"] = NO_DUE, NO_DUE
        row = self.row[winner]
        row.tiles = merged_tiles([row.tiles + self.row[loser].tiles])[0]
        both = zip(self.program.picks, self.picks(winner), self.picks(loser), strict=True)
        row.picks = picks.encode([[] if pick is None else pick.join(a, b) for pick, a, b in both])
        self.bind(winner, loser)

    def changed(self) -> Changed:
        """Return everybody as they are now; who was merged away is None, or left out if never stored."""
        rows: list[Row | None] = [*self.row]
        for local in self.gone:
            rows[local] = None
            self.fixed[local] = blank(self.program, 1)[0]
        never = {local for local in self.gone if self.is_new(local)}
        if not never:
            return Changed(self.numbers, rows, self.fixed)
        kept = [local for local in range(len(self)) if local not in never]
        return Changed([self.numbers[local] for local in kept], [rows[local] for local in kept], self.fixed[kept])

    @property
    def _first_new(self) -> int:
        """The number that the first person made in this step has."""
        return len(self._people.rows)

    def _append(self, numbers: Iterable[int], rows: list[Row]) -> None:
        begin = len(self.numbers)
        self.numbers += numbers
        self._local.update(zip(self.numbers[begin:], range(begin, len(self.numbers)), strict=True))
        self.row += rows


def _named_first(subjects: Sequence[tuple[bytes, bool]]) -> tuple[tuple[bytes, ...], bool]:
    """Return a person's subjects, the one that names them first, and whether the person is known."""
    name = name_of(subjects)
    others = [subject for subject, _ in subjects if subject != name]
    return (name, *others), any(known for _, known in subjects)
