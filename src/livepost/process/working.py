"""The people a step works on: by local number, changed freely until the step ends.

Their rows are opened together (engine.rows). Tiles, journals and what comes to wait for picks change often, and stand
beside; whose other parts change is taken apart, and has a `Row` of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import filterfalse

import numpy as np

from livepost.engine import picks
from livepost.engine.pick import Held
from livepost.engine.row import Fixed, Ints, Row, blank, journal_of, naming_subject, pack, subjects_of, unpack
from livepost.engine.rows import NOTHING_OPENED, Opened
from livepost.engine.subjects import NOBODY
from livepost.engine.window import merged_tiles
from livepost.identity import name_of
from livepost.model.moment import NO_DUE, Moment
from livepost.process.people import Changed, People


class Working:
    """Bring everybody in first, then `open`; `changed` gives what the step made of them.

    The row's fixed part stands in the array `fixed` meanwhile, its tiles in `tiles`. The `concerned` are still
    to be asked about the last `broadcast`; at the end of the step nobody is.
    """

    def __init__(self, people: People) -> None:
        self._people = people
        self.program = people.program
        self.broadcast = people.broadcast
        self.numbers: list[int] = []
        self.fixed: Fixed = np.zeros(0, people.dtype)
        self.tiles: list[bytes] = []
        self.gone: set[int] = set()
        self._forgotten: list[bytes] = []
        self.concerned: set[int] = set()
        self._raw: list[bytes] = []
        self._opened = NOTHING_OPENED
        self._came: list[bytes] = []
        self._counts: Ints = np.zeros(0, np.int64)
        self._journals: dict[int, bytes] = {}
        self._apart: dict[int, Row] = {}
        self._renamed: set[int] = set()
        self._local: dict[int, int] = {}
        self._known_of_new: list[bool] = []

    def __len__(self) -> int:
        return len(self.numbers)

    def bring(self, numbers: Iterable[int]) -> list[int]:
        """Bring in the people with these numbers; return the local number of each."""
        asked, local = list(numbers), self._local
        new = [*filterfalse(local.__contains__, dict.fromkeys(asked))]
        self._append(new, self._people.rows_of(new))
        return list(map(local.__getitem__, asked))

    def bring_subjects(self, subjects: Mapping[bytes, bool]) -> dict[bytes, int]:
        """Bring in the persons of subjects (each with whether it is known); return their local numbers.

        A subject seen for the first time is a person of its own.
        """
        numbers = self._people.number.find(subjects).tolist()
        old = iter(self.bring([number for number in numbers if number != NOBODY]))
        new = [subject for subject, number in zip(subjects, numbers, strict=True) if number == NOBODY]
        fresh = iter(range(len(self), len(self) + len(new)))
        first = self._first_new + len(self._known_of_new)
        self._append(range(first, first + len(new)), [pack(Row((subject,))) for subject in new])
        self._known_of_new += [subjects[subject] for subject in new]
        local = [next(fresh if number == NOBODY else old) for number in numbers] if new else old
        return dict(zip(subjects, local, strict=True))

    def add(self, subjects: Sequence[tuple[bytes, bool]]) -> int:
        """Add a new person of subjects (each with whether it is known); return the local number."""
        ids, known = _named_first(subjects)
        self._append([self._first_new + len(self._known_of_new)], [pack(Row(ids))])
        self._known_of_new.append(known)
        return len(self) - 1

    def open(self) -> None:
        """Open the rows of everybody and copy the fixed parts; call it once all are there."""
        self._opened = Opened(self._raw)
        self.tiles = self._opened.tiles()
        self._came, self._counts = [b""] * len(self), np.zeros(len(self), np.int64)
        self.fixed = self._people.fixed_of(self.numbers)
        if self._known_of_new:
            self.fixed["known"][np.array(self.numbers, np.int64) >= self._first_new] = self._known_of_new
        if self.broadcast is not None:
            self.concerned = {*np.flatnonzero(self._people.concerned(self.fixed, self.broadcast)).tolist()}

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
        apart = self._apart.get(local)
        return naming_subject(self._raw[local]) if apart is None else apart.name

    def names(self, people: Iterable[int]) -> list[bytes]:
        """Return the subjects that name these people."""
        if self._apart:
            return list(map(self.name, people))
        return [naming_subject(raw) for raw in map(self._raw.__getitem__, people)]

    def subjects(self, local: int) -> tuple[bytes, ...]:
        """Return the person's subjects."""
        apart = self._apart.get(local)
        return subjects_of(self._raw[local]) if apart is None else apart.subjects

    def journal(self, local: int) -> bytes:
        """Return the person's journal."""
        journal = self._journals.get(local)
        return journal_of(self._raw[local]) if journal is None else journal

    def set_journal(self, local: int, journal: bytes) -> None:
        """Give the person another journal."""
        self._journals[local] = journal

    def asked(self, local: int) -> Sequence[Moment]:
        """Return the moment at which the person is asked about the last broadcast, if that is still to come: it goes
        before all others.
        """
        last = self.broadcast
        if last is None or local not in self.concerned:
            return ()
        self.concerned.remove(local)
        return (Moment(last.at, last.position, event=last.id, broadcast=last.campaign),)

    def picks(self, local: int) -> list[Held]:
        """Return the person's picks."""
        return picks.decode(self._raw_picks(local), self.program)

    def set_picks(self, local: int, held: list[Held]) -> None:
        """Give the person other picks."""
        self._fold(local, picks.encode(held))

    def wait(self, people: Sequence[int], brought: Sequence[bytes]) -> None:
        """Let what records bring to the picks of these people, one after the other, wait in their rows."""
        came = self._came
        for local, one in zip(people, brought, strict=True):
            came[local] += one
        np.add.at(self._counts, people, 1)

    def bind(self, winner: int, loser: int) -> None:
        """Give the loser's subjects to the winner, keeping the name first; the loser is no person any more."""
        self._taken_apart(winner).subjects += self.subjects(loser)
        self._renamed.add(winner)
        self.gone.add(loser)

    def forget(self, local: int) -> None:
        """Let the person be no person any more, and their subjects nobody's."""
        self._forgotten += self.subjects(local)
        self.gone.add(local)

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
        self._taken_apart(kept).subjects = ids
        self._renamed.add(kept)
        for local in (kept, other):
            self.tiles[local] = b""
            self.set_picks(local, [])
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
        self.tiles[winner] = merged_tiles([self.tiles[winner] + self.tiles[loser]])[0]
        both = zip(self.program.picks, self.picks(winner), self.picks(loser), strict=True)
        self.set_picks(winner, [[] if pick is None else pick.join(a, b) for pick, a, b in both])
        self.bind(winner, loser)

    def changed(self) -> Changed:
        """Return everybody as they are now; who was merged away is nobody, or left out if never stored."""
        self._fold_full()
        for local in self.gone:
            self.fixed[local] = blank(self.program, 1)[0]
        if self.broadcast is not None:
            self.fixed["asked"] = self.broadcast.number
        others: dict[int, Row | None] = {local: self._whole(local) for local in self._apart}
        others |= dict.fromkeys(self.gone)
        subjects = self._other_subjects()
        never = {local for local in self.gone if self.is_new(local)}
        rows = self._opened.closed(self.tiles, self._came, self._counts, self.fixed, self._journals, others)
        if not never:
            return Changed(self.numbers, rows, self.fixed, subjects)
        kept = [local for local in range(len(self)) if local not in never]
        return Changed([self.numbers[local] for local in kept], rows.without(never), self.fixed[kept], subjects)

    def _fold_full(self) -> None:
        """Fold the picks of those for whom so much waits."""
        waiting, came, folded = self._opened.waiting()
        came += np.fromiter(map(len, self._came), np.int64, len(self))
        for local in np.flatnonzero(picks.is_full(waiting + self._counts, came, folded)).tolist():
            raw = self._raw_picks(local)
            if picks.is_full(*picks.sizes(raw)):
                self._fold(local, picks.folded(raw, self.program))

    def _raw_picks(self, local: int) -> bytes:
        raw = (self._apart.get(local) or unpack(self._raw[local])[0]).picks
        return picks.appended(raw, self._came[local], int(self._counts[local]))

    def _fold(self, local: int, raw: bytes) -> None:
        """Give the person other picks, into which what came is folded."""
        self._taken_apart(local).picks = raw
        self._came[local], self._counts[local] = b"", 0

    def _whole(self, local: int) -> Row:
        """Return the person's row with all that stands beside it."""
        return Row(self.subjects(local), self.tiles[local], self._raw_picks(local), self.journal(local))

    def _taken_apart(self, local: int) -> Row:
        """Return the row in which a person's parts are changed, but for tiles and what comes to picks."""
        if local not in self._apart:
            self._apart[local], _ = unpack(self._raw[local])
        return self._apart[local]

    def _other_subjects(self) -> dict[int, tuple[bytes, ...]]:
        """Return by number the subjects of who is new or has others than before; NOBODY's are those forgotten."""
        new = np.flatnonzero(np.array(self.numbers, np.int64) >= self._first_new).tolist()
        others = {self.numbers[local]: self.subjects(local) for local in {*new, *self._renamed} - self.gone}
        return others | {NOBODY: tuple(self._forgotten)} if self._forgotten else others

    @property
    def _first_new(self) -> int:
        """The number that the first person made in this step has."""
        return len(self._people.rows)

    def _append(self, numbers: Iterable[int], rows: list[bytes]) -> None:
        begin = len(self.numbers)
        self.numbers += numbers
        self._local.update(zip(self.numbers[begin:], range(begin, len(self.numbers)), strict=True))
        self._raw += rows


def _named_first(subjects: Sequence[tuple[bytes, bool]]) -> tuple[tuple[bytes, ...], bool]:
    """Return a person's subjects, the one that names them first, and whether the person is known."""
    name = name_of(subjects)
    others = [subject for subject, _ in subjects if subject != name]
    return (name, *others), any(known for _, known in subjects)
