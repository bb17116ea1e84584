"""The people of a shard in memory: rows by person number, their fixed parts as one numpy array, and once more when each
is next due: that is asked for at every step, of everybody (SPEED, 6).

A number is given at first sight and kept; a merged person's number is left empty. `Delta` is what a step changes; it
is applied only after the store committed it, so a failed commit leaves the people as they were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import msgspec
import numpy as np

from livepost.engine.layout import Layout
from livepost.engine.pick import Distinct
from livepost.engine.program import Program
from livepost.engine.row import (
    Bools,
    Fixed,
    Ints,
    Row,
    blank,
    converted,
    fixed_dtype,
    journal_of,
    layout_of,
    plain,
    put,
    split,
    subjects_of,
    unpack,
)
from livepost.engine.rows import NO_ROWS, Rows
from livepost.engine.seen import Days, Hashes, Seen
from livepost.engine.subjects import Subjects
from livepost.identity import Separation
from livepost.model.broadcast import LastBroadcast
from livepost.model.decision import OutboxItem, Transition
from livepost.model.journal import under_way
from livepost.model.letter import Letter
from livepost.model.moment import NO_DUE

ROW_BYTES = 48
"""What a row takes in memory besides its own bytes: Python's object, and what is rounded up."""

FIRST = 1_024
"""Numbers for which there is room at the beginning."""

GROWTH = 9 / 8
"""So many times as much room is made when it is full: what stands empty is memory, what is copied takes time."""

LEFT = 7 / 8
"""Share of the bound to which rows are dropped from memory: each time costs a look at all."""

_COLD = b""
"""In place of a row that is not in memory; the fixed part is, always."""

_piece = msgspec.msgpack.Decoder(tuple[list[int], bytes, list[bytes | None]])

FATES: tuple[str, ...] = ("processed", "duplicate", "filtered", "quarantined", "dead_lettered")
"""Where an accepted event ends (conservation); `in flight` is counted by the log."""


@dataclass(frozen=True, eq=False)
class Changed:
    """People side by side, as a step leaves them: `numbers`, `rows` (nobody: merged away, forgotten) and `fixed` parts,
    and the `subjects`, by number, of those who have others than before, by NOBODY those of who was forgotten.
    """

    numbers: list[int] = field(default_factory=list)
    rows: Rows = NO_ROWS
    fixed: Fixed = field(default_factory=lambda: np.zeros(0, "V1"))
    subjects: Mapping[int, tuple[bytes, ...]] = field(default_factory=dict)

    def packed(self) -> dict[int, bytes | None]:
        """Return the people by number, as they are kept; None where a person was merged away."""
        return dict(zip(self.numbers, self.rows.kept(), strict=True))


@dataclass
class Delta:
    """What one step changes. `replayed` are (seq of a dead letter, seq of the record that replays it).

    `counts` is what it adds to the totals: of FATES, and of how late events came (`model.lateness`).
    """

    position: int
    as_of: int
    complete_to: int
    changed: Changed = field(default_factory=Changed)
    keys: Hashes = field(default_factory=lambda: np.zeros(0, np.uint64))
    contents: Hashes = field(default_factory=lambda: np.zeros(0, np.uint64))
    days: Days = field(default_factory=lambda: np.zeros(0, np.uint16))
    transitions: list[Transition] = field(default_factory=list)
    outbox: list[OutboxItem] = field(default_factory=list)
    dead: list[Letter] = field(default_factory=list)
    replayed: list[tuple[int, int]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> dict[int, bytes | None]:
        """The changed people by number, packed as the store keeps them (anew at each call); None: merged away."""
        return self.changed.packed()


class People:
    """A shard's state. `position` and `as_of` are the seq and stamp (ms) up to which it is folded; `apart` says whom no
    mention makes one.
    """

    def __init__(self, program: Program, layouts: Iterable[Layout] = ()) -> None:
        """Make room for people of a program; `layouts` are those before, under which rows may have been written."""
        self.program = program
        self.layouts = {layout.number: layout for layout in (*layouts, program.layout)}
        self.dtype = fixed_dtype(program.layout)
        self.fixed: Fixed = blank(program, FIRST)
        self._earliest: Ints = np.full(FIRST, NO_DUE)
        self.rows: list[bytes | None] = []
        self._people = 0
        self._counted = self._counts()
        self._under_way: Counter[str] = Counter()
        self.number = Subjects()
        self.seen = Seen()
        self.apart = Separation()
        self.position = -1
        self.as_of = 0
        self.complete_to = -1
        self.ready_at = -1
        self.broadcast: LastBroadcast | None = None
        self.counts = dict.fromkeys(FATES, 0)
        self.lateness: Counter[str] = Counter()
        self._fetch: Callable[[Collection[int]], Mapping[int, bytes]] = lambda numbers: {}
        self._bound = 0
        self._any_cold = False
        self._sizes: Ints = np.zeros(0, np.int64)
        self._used: Ints = np.zeros(0, np.int64)
        self._turn = 0

    def __len__(self) -> int:
        return self._people

    @property
    def row_bytes(self) -> int:
        """Bytes of the rows in memory, if these are bounded."""
        return int(self._sizes.sum())

    def keep_at_most(self, bound: int, fetch: Callable[[Collection[int]], Mapping[int, bytes]]) -> None:
        """From now on keep rows of `bound` bytes in memory, about, besides those that one step brings; 0: all of them.

        `fetch` gives packed rows by number: every row there is, as `apply` took it over last.
        """
        self._bound, self._fetch = bound, fetch
        self._sizes, self._used = (np.zeros(len(self.fixed) if bound else 0, np.int64) for _ in range(2))
        self._note_used(np.arange(len(self.rows)))

    def warm(self, numbers: Iterable[int]) -> None:
        """Bring the rows of these people into memory; the longest not used make room with the next step."""
        rows = self.rows
        cold = [number for number in numbers if rows[number] is _COLD] if self._any_cold else []
        if cold:
            for number, raw in self._fetch(cold).items():
                rows[number], _ = split(raw)
            self._note_used(np.array(cold))

    def load(self, rows: Iterable[tuple[int, bytes | None]]) -> None:
        """Take over packed people by number; None empties a number whose person was merged away."""
        for some in _chunks(rows, 4096):
            self._take_kept(some)

    def apply(self, delta: Delta) -> None:
        """Take over what a step changed; call it after the store has it."""
        changed = delta.changed
        subjects = {subject: number for number, ids in changed.subjects.items() for subject in ids}
        self._take_rows(changed.numbers, changed.rows.in_memory(), changed.fixed, subjects)
        self.seen.remember(delta.keys, delta.contents, delta.days)
        self.position, self.as_of, self.complete_to = delta.position, delta.as_of, delta.complete_to
        self.count(delta.counts)

    def count(self, counts: Mapping[str, int]) -> None:
        """Add to the totals: `counts` by fate, `lateness` by the keys of `model.lateness`."""
        self.lateness.update({name: count for name, count in counts.items() if name not in self.counts})
        for fate in self.counts.keys() & counts.keys():
            self.counts[fate] += counts[fate]

    def begin_counts(self, counts: Mapping[str, int]) -> None:
        """Let the totals be these, whatever they were."""
        self.counts = dict.fromkeys(FATES, 0)
        self.lateness.clear()
        self.count(counts)

    def adopt(self, program: Program, ready_at: int = -1) -> None:
        """Go on with another program, whose layout follows this one's; call it after the store has it. `ready_at` is
        the seq of the last READY.

        It takes one pass over the fixed parts, whatever else people have (engine.layout).
        """
        before, self.program, self.ready_at = self.program.layout, program, ready_at
        if program.layout == before:
            return
        self.layouts[program.layout.number] = program.layout
        self.dtype = fixed_dtype(program.layout)
        nobody = np.array([row is None for row in self.rows], bool)
        fixed = converted(self.fixed, before, program, [program.layout])
        fixed[len(self.rows) :] = blank(program, 1)
        fixed[: len(self.rows)][nobody] = blank(program, 1)
        self.fixed, self._earliest = fixed, np.minimum(fixed["due"], fixed["journey"])
        self._counted = self._counts()

    def hear(self, broadcast: LastBroadcast | None) -> None:
        """From now on ask the people in a broadcast's audience about it, each before whatever comes next: they are due
        at its stamp. Call it after the store has it, and after people were loaded.

        What was due before it is served. So whose row is as it was then is in the audience if the row says so, and
        whoever's row changed since was asked: the rows need not be written for it.
        """
        self.broadcast = broadcast
        if broadcast is not None:
            asked = self.concerned(self.fixed, broadcast)
            self.fixed["journey"][asked] = np.minimum(self.fixed["journey"][asked], broadcast.at)
            self._earliest[asked] = np.minimum(self._earliest[asked], broadcast.at)

    def concerned(self, fixed: Fixed, broadcast: LastBroadcast) -> Bools:
        """Say of each whether they are in a broadcast's audience and were not asked yet."""
        places = {rule.name: place for place, rule in enumerate(self.program.rules)}
        if broadcast.audience not in places:
            return np.zeros(len(fixed), bool)
        inside: Bools = fixed["inside"][:, places[broadcast.audience]]
        return inside & (fixed["asked"] < broadcast.number)

    def due(self, at: int, limit: int) -> Ints:
        """Return the numbers of up to `limit` people due by `at` (ms), ascending: those longest due, of those due at
        one moment the smallest numbers. A step done again takes the same people.
        """
        waiting = np.flatnonzero(self._earliest <= at)
        if len(waiting) <= limit:
            return waiting
        longest = np.flatnonzero(self._earliest == self._earliest.min())
        if len(longest) >= limit:  # a wave, of which each step would look at all the rest in order
            return longest[:limit]
        due = self._earliest[waiting]
        latest = np.partition(due, limit)[limit]
        before, then = due < latest, due == latest
        return waiting[before | (then & (np.cumsum(then) <= limit - before.sum()))]

    def next_due(self) -> int:
        """Return the earliest due time of anybody (ms); NO_DUE if there is none."""
        return int(self._earliest.min())

    def inside(self) -> list[int]:
        """Return how many people are in each segment; who was merged away is in none."""
        counts: list[int] = self._counted["inside"].tolist()
        return counts

    def unknown(self) -> list[int]:
        """Return for how many people each segment's condition is unknown; some of these are inside."""
        counts = self._counted.get("unknown")
        return [0] * len(self.program.rules) if counts is None else [*counts.tolist()]

    def under_way(self) -> dict[str, int]:
        """Return how many people are under way in each campaign in which anybody is."""
        return {campaign: count for campaign, count in self._under_way.items() if count}

    def members(self, segment: int, after: int, limit: int) -> Ints:
        """Return the numbers > `after` of up to `limit` people in a segment (by its place), ascending."""
        begin = max(after + 1, 0)
        return begin + np.flatnonzero(self.fixed["inside"][begin:, segment])[:limit]

    def row(self, number: int) -> Row:
        """Return the row of the person with this number, who must be there."""
        raw = self.rows[number]
        if raw is None:
            raise KeyError(f"there is no person {number}: merged into another")
        row, _ = unpack(raw or self._fetch([number])[number])
        return row

    def rows_of(self, numbers: Sequence[int]) -> list[bytes]:
        """Return the rows of these people, who must be there, brought into memory."""
        self.warm(numbers)
        rows = list(map(self.rows.__getitem__, numbers))
        there = [row for row in rows if row is not None]
        if len(there) < len(rows):
            raise KeyError(f"there is no person {numbers[rows.index(None)]}: merged into another")
        return there

    def fixed_of(self, numbers: Sequence[int]) -> Fixed:
        """Return copies of the fixed parts; numbers not yet given get blank ones."""
        asked = np.asarray(numbers, np.int64)
        given = asked < len(self.rows)
        if given.all():
            return np.take(self.fixed, asked)
        fixed = np.take(self.fixed, np.where(given, asked, 0))
        fixed[~given] = blank(self.program, 1)
        return fixed

    def packed(self, numbers: Ints) -> dict[int, bytes]:
        """Return the people with these numbers as they are kept; who was merged away is left out."""
        asked = numbers.tolist()
        parts = zip(asked, map(self.rows.__getitem__, asked), np.take(self.fixed, numbers), strict=True)
        return {number: row + fixed.tobytes() for number, row, fixed in parts if row is not None}

    def piece(self, numbers: Ints) -> bytes:
        """Return the people with these numbers as one piece of an image: takes less time than `packed`."""
        asked = numbers.tolist()
        rows = [self.rows[number] for number in asked]
        return msgspec.msgpack.encode((asked, np.take(self.fixed, numbers).tobytes(), rows))

    def load_piece(self, piece: bytes) -> None:
        """Take over a piece of an image."""
        numbers, raw, rows = _piece.decode(piece)
        self._take_rows(numbers, rows, np.frombuffer(raw, self.dtype), _subjects_of(numbers, rows))

    def make_room(self, count: int) -> None:
        """Let `count` numbers be given; those that nobody has stay empty."""
        self.rows.extend([None] * (count - len(self.rows)))
        if count <= len(self.fixed):
            return
        more = blank(self.program, max(count, int(GROWTH * len(self.fixed))) - len(self.fixed))
        self.fixed = np.concatenate([plain(self.fixed), plain(more)]).view(self.dtype)
        self._earliest = np.concatenate([self._earliest, more["due"]])
        if self._bound:
            unused = np.zeros(len(more), np.int64)
            self._sizes, self._used = (np.concatenate([noted, unused]) for noted in (self._sizes, self._used))

    def _take_kept(self, kept: list[tuple[int, bytes | None]]) -> None:
        """Take over people as they are kept, by number."""
        nobody = blank(self.program, 1).tobytes()
        rows: list[bytes | None] = []
        parts: list[bytes] = []
        for _, raw in kept:
            row, part = (None, nobody) if raw is None else split(raw)
            rows.append(row)
            parts.append(part)
        numbers = [number for number, _ in kept]
        self._take_rows(numbers, rows, self._fixed_from(parts), _subjects_of(numbers, rows))

    def _fixed_from(self, parts: list[bytes]) -> Fixed:
        """Return fixed parts as the program has them, each from the layout that wrote it."""
        wrote = np.array([layout_of(part) for part in parts])
        fixed = blank(self.program, len(parts))
        for number in np.unique(wrote).tolist():
            layout, places = self.layouts[number], np.flatnonzero(wrote == number)
            some = np.frombuffer(b"".join([parts[place] for place in places.tolist()]), fixed_dtype(layout))
            same = layout == self.program.layout
            fixed[places] = some if same else converted(some, layout, self.program, self.layouts.values())
        return fixed

    def _counts(self) -> dict[str, Ints]:
        """Return how many people are inside each segment, and for how many it is unknown where that can be."""
        rules, unsure = len(self.program.rules), any(isinstance(pick, Distinct) for pick in self.program.picks)
        parts = ("inside", "unknown") if unsure else ("inside",)
        return {part: self.fixed[part].sum(axis=0, dtype=np.int64)[:rules] for part in parts}

    def _take_rows(
        self, numbers: list[int], rows: list[bytes | None], fixed: Fixed, subjects: Mapping[bytes, int]
    ) -> None:
        """Take over people as they are in memory, None who was merged away; `subjects` are those of who has others now,
        with their numbers.
        """
        if not numbers:
            return
        self.make_room(max(numbers) + 1)
        at = np.array(numbers)
        self._recount(at, rows, fixed)
        put(self.fixed, at, fixed)
        self._earliest[at] = np.minimum(fixed["due"], fixed["journey"])
        kept = self.rows
        self._people += list(map(kept.__getitem__, numbers)).count(None) - rows.count(None)
        for number, row in zip(numbers, rows, strict=True):
            kept[number] = row
        self.number.take(subjects)
        self._note_used(at)
        self._cool()

    def _note_used(self, numbers: Ints) -> None:
        """Note how long these rows are, and that they were used just now."""
        if self._bound:
            rows = [self.rows[number] for number in numbers.tolist()]
            self._sizes[numbers] = [ROW_BYTES + len(row) if row else 0 for row in rows]
            self._used[numbers] = self._turn
            self._turn += 1

    def _cool(self) -> None:
        """Drop the rows longest not used, if those in memory are too long."""
        if not self._bound or self.row_bytes <= self._bound:
            return
        warm = np.flatnonzero(self._sizes)
        newest_first = warm[np.argsort(-self._used[warm], kind="stable")]
        dropped = newest_first[np.cumsum(self._sizes[newest_first]) > LEFT * self._bound]
        self._sizes[dropped] = 0
        self._any_cold = True
        for number in dropped.tolist():
            self.rows[number] = _COLD

    def _recount(self, numbers: Ints, rows: Sequence[bytes | None], fixed: Fixed) -> None:
        """Bring the counts to what these people become: recounting everybody takes milliseconds."""
        earlier = np.take(self.fixed, numbers)
        for part, counts in self._counted.items():
            gained = fixed[part].sum(axis=0, dtype=np.int64) - earlier[part].sum(axis=0, dtype=np.int64)
            self._counted[part] = counts + gained[: len(counts)]
        concerned = np.flatnonzero(np.minimum(fixed["journey"], earlier["journey"]) < NO_DUE)
        for place, number in zip(concerned.tolist(), numbers[concerned].tolist(), strict=True):
            before, after = self.rows[number], rows[place]
            journals = [journal_of(row) if row else b"" for row in (before, after)]
            if journals[0] != journals[1]:
                self._under_way.subtract(under_way(journals[0]))
                self._under_way.update(under_way(journals[1]))


def _subjects_of(numbers: Sequence[int], rows: Sequence[bytes | None]) -> dict[bytes, int]:
    there = ((number, row) for number, row in zip(numbers, rows, strict=True) if row is not None)
    return {subject: number for number, row in there for subject in subjects_of(row)}


def _chunks(rows: Iterable[tuple[int, bytes | None]], size: int) -> Iterator[list[tuple[int, bytes | None]]]:
    walking = iter(rows)
    while some := list(islice(walking, size)):
        yield some
