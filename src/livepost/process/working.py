"""The people a step works on: copies of their rows in parts, by local number, changed freely until the step ends."""

from __future__ import annotations

import numpy as np

from livepost.engine.picks import Held
from livepost.engine.picks import decode as decode_picks
from livepost.engine.picks import encode as encode_picks
from livepost.engine.picks import join as join_pick
from livepost.engine.row import Fixed, Row, blank
from livepost.engine.window import join_tiles
from livepost.identity import name_of
from livepost.model.moment import NO_DUE
from livepost.process.people import People


class Working:
    """Rows in parts. Call `add` for everybody first, then `open`; `rows` gives what the step made of them."""

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
        self._picks_raw: list[bytes] = []
        self._picks: dict[int, list[Held]] = {}
        self._local: dict[int, int] = {}
        self._next = len(people.rows)

    def __len__(self) -> int:
        return len(self.numbers)

    def add(self, number: int) -> int:
        """Bring in the person with this number; return the local number."""
        local = self._local.get(number)
        if local is None:
            row = self._people.rows[number]
            assert row is not None
            local = self._append(number, row, bool(self._people.fixed["known"][number]))
        return local

    def add_new(self, subject: bytes, known: bool) -> int:
        """Make a person of a subject seen for the first time; return the local number."""
        self._next += 1
        return self._append(self._next - 1, Row((subject,), b""), known)

    def open(self) -> None:
        """Copy the fixed parts of everybody added since the last call."""
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

    def picks(self, local: int) -> list[Held]:
        """Return the person's picks, to be changed in place."""
        if local not in self._picks:
            self._picks[local] = decode_picks(self._picks_raw[local], self.program)
        return self._picks[local]

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
        for part in ("lasts", "numbers", "changed", "high"):
            mine[part] = np.maximum(mine[part], theirs[part])
        mine["due"], mine["journey"] = NO_DUE, NO_DUE
        self.tiles[winner] = join_tiles(self.tiles[winner], self.tiles[loser])
        both = zip(self.program.picks, self.picks(winner), self.picks(loser), strict=True)
        self._picks[winner] = [join_pick(spec, a, b) for spec, a, b in both]
        self.bind(winner, loser)

    def rows(self) -> dict[int, Row | None]:
        """Return everybody's row as it is now; None for who was merged away (unless never stored)."""
        made: dict[int, Row | None] = {}
        for local, number in enumerate(self.numbers):
            if local not in self.gone:
                made[number] = self._row(local)
            elif not self.is_new(local):
                made[number] = None
        return made

    def _row(self, local: int) -> Row:
        picks = self._picks.get(local)
        return Row(
            self.subjects[local],
            self.fixed[local].tobytes(),
            self.tiles[local],
            self._picks_raw[local] if picks is None else encode_picks(picks),
            self.journal[local],
        )

    def _append(self, number: int, row: Row, known: bool) -> int:
        local = len(self.numbers)
        self._local[number] = local
        self.numbers.append(number)
        self.subjects.append(row.subjects)
        self.known.append(known)
        self.tiles.append(row.tiles)
        self.journal.append(row.journal)
        self._picks_raw.append(row.picks)
        return local
