"""Whose the records are: mentions of counted records in, persons out.

Between two undone merges only the first mention of two subjects can change anything (with what a secret key says, by
`$alias` or by a known id, counted apart): two persons that are both known stay both known, and one person stays one.
SQL finds those firsts; merging them, and undoing it where an UNLINK says so, is a walk in log order. The rules of
FORMATS, "Subject, person, shard", are written here again on purpose, apart from `identity`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb
import numpy as np

from livepost.model.record import KeyKind

ALIAS = "$alias"

SUBJECTS = """
SELECT subject, bool_or(known) FROM (
    SELECT subject, known FROM record SEMI JOIN counted USING (seq)
    UNION ALL
    SELECT mentioned, known FROM mention SEMI JOIN counted USING (seq)
) GROUP BY subject
"""

LINKS = f"""
SELECT
    min(mention.seq),
    subject,
    mentioned,
    key = {int(KeyKind.SECRET)} AND name = '{ALIAS}' AS alias,
    key = {int(KeyKind.SECRET)} AND (name = '{ALIAS}' OR mention.known) AS said
FROM mention SEMI JOIN counted USING (seq) JOIN record USING (seq) ASOF LEFT JOIN undone ON mention.seq >= undone.seq
GROUP BY subject, mentioned, alias, said, undone.seq
ORDER BY min((mention.seq, place))
"""


@dataclass(frozen=True)
class Person:
    """A person's subjects, the one that names them first; `known` says a userId or declared key is among them."""

    subjects: tuple[bytes, ...]
    known: bool

    @property
    def name(self) -> bytes:
        """The subject that names the person."""
        return self.subjects[0]


@dataclass(frozen=True)
class Undo:
    """An UNLINK: its seq, which link it undoes (the seq and the mentioned subject), and the subjects of the two people;
    subjects by number.
    """

    seq: int
    link: tuple[int, int]
    sides: tuple[frozenset[int], frozenset[int]]


def persons_of(db: duckdb.DuckDBPyConnection, ids: list[bytes], undos: Iterable[Undo] = ()) -> dict[bytes, Person]:
    """Return everybody by name; `ids` are the subjects by the number that stands for them in the tables.

    Makes the table `parted` (subject) of those whom an undo made another person.
    """
    waiting = deque(undos)
    _keep(db, "undone", {"seq": [undo.seq for undo in waiting]})
    known = dict(db.execute(SUBJECTS).fetchall())
    groups = _Groups(known)
    for seq, subject, mentioned, alias, said in db.execute(LINKS).fetchall():
        while waiting and waiting[0].seq < seq:
            groups.undo(waiting.popleft())
        groups.link(subject, mentioned, alias, said)
    for undo in waiting:
        groups.undo(undo)
    _keep(db, "parted", {"subject": sorted(groups.parted)})
    persons = [_person([(ids[member], known[member]) for member in group]) for group in groups.groups()]
    return {person.name: person for person in persons}


def keep_members(db: duckdb.DuckDBPyConnection, persons: list[Person], numbers: dict[bytes, int]) -> None:
    """Make the table `member` (subject, person) of some persons; a person is numbered by their place in the list."""
    pairs = [(numbers[subject], place) for place, person in enumerate(persons) for subject in person.subjects]
    _keep(db, "member", {"subject": [subject for subject, _ in pairs], "person": [place for _, place in pairs]})


def _keep(db: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, list[int]]) -> None:
    """Make a table of whole numbers."""
    db.register("incoming", {name: np.array(column, np.int64) for name, column in columns.items()})
    db.execute(f"CREATE TABLE {table} AS SELECT * FROM incoming")
    db.unregister("incoming")


def _person(subjects: list[tuple[bytes, bool]]) -> Person:
    known = [subject for subject, is_known in subjects if is_known]
    name = min(known or [subject for subject, _ in subjects])
    others = sorted(subject for subject, _ in subjects if subject != name)
    return Person((name, *others), bool(known))


class _Groups:
    """Subjects by number, in groups that grow, and are parted where a merge is undone."""

    def __init__(self, known: dict[int, bool]) -> None:
        self.parted: set[int] = set()
        self._known = known
        self._group = {subject: [subject] for subject in known}
        self._group_known = dict(known)  # kept at a group's first member
        self._undone: set[tuple[int, int]] = set()
        self._sides: list[tuple[frozenset[int], frozenset[int]]] = []

    def link(self, a: int, b: int, alias: bool, said: bool) -> None:
        one, other = self._group[a], self._group[b]
        known = self._group_known
        if one is other or (not said and known[one[0]] and known[other[0]]):
            return
        if not alias and self._is_parted(one, other):
            return
        if len(one) < len(other):
            one, other = other, one
        known[one[0]] |= known[other[0]]
        one += other
        for member in other:
            self._group[member] = one

    def undo(self, undo: Undo) -> None:
        """Part a group, if an undo's sides are all of it and it is not undone yet."""
        one, other = undo.sides
        whole = self._group.get(next(iter(one), -1), [])
        if undo.link in self._undone or one & other or not one or not other or one | other != {*whole}:
            return
        self._undone.add(undo.link)
        self._sides.append(undo.sides)
        self.parted |= one | other
        for side in undo.sides:
            members = [*side]
            self._group_known[members[0]] = any(self._known[member] for member in members)
            self._group.update(dict.fromkeys(members, members))

    def groups(self) -> list[list[int]]:
        return list({id(group): group for group in self._group.values()}.values())

    def _is_parted(self, one: list[int], other: list[int]) -> bool:
        mine, theirs = self.parted.intersection(one), self.parted.intersection(other)
        if not mine or not theirs:
            return False
        return any((mine & a and theirs & b) or (mine & b and theirs & a) for a, b in self._sides)
