"""Whose the records are: mentions of counted records in, persons out.

Only the first mention of two subjects can change anything (with what a secret key says, by `$alias` or by a known id,
counted apart): two persons that are both known stay both known, and one person stays one. SQL finds those firsts;
merging them is a walk in log order. The rules of FORMATS, "Subject, person, shard", are written here again on purpose,
apart from `identity`.
"""

from __future__ import annotations

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
SELECT subject, mentioned, key = {int(KeyKind.SECRET)} AND (name = '{ALIAS}' OR mention.known) AS said
FROM mention SEMI JOIN counted USING (seq) JOIN record USING (seq)
GROUP BY ALL
ORDER BY min((seq, place))
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


def persons_of(db: duckdb.DuckDBPyConnection, ids: list[bytes]) -> dict[bytes, Person]:
    """Return everybody by name; `ids` are the subjects by the number that stands for them in the tables."""
    known = dict(db.execute(SUBJECTS).fetchall())
    groups = _Groups(known)
    for subject, mentioned, said in db.execute(LINKS).fetchall():
        groups.link(subject, mentioned, said)
    persons = [_person([(ids[member], known[member]) for member in group]) for group in groups.groups()]
    return {person.name: person for person in persons}


def keep_members(db: duckdb.DuckDBPyConnection, persons: list[Person], numbers: dict[bytes, int]) -> None:
    """Make the table `member` (subject, person) of some persons; a person is numbered by their place in the list."""
    pairs = [(numbers[subject], place) for place, person in enumerate(persons) for subject in person.subjects]
    columns = np.array(pairs, np.int64).reshape(-1, 2)
    db.register("incoming", {"subject": columns[:, 0].copy(), "person": columns[:, 1].copy()})
    db.execute("CREATE TABLE member AS SELECT * FROM incoming")
    db.unregister("incoming")


def _person(subjects: list[tuple[bytes, bool]]) -> Person:
    known = [subject for subject, is_known in subjects if is_known]
    name = min(known or [subject for subject, _ in subjects])
    others = sorted(subject for subject, _ in subjects if subject != name)
    return Person((name, *others), bool(known))


class _Groups:
    """Subjects by number, in groups that only grow."""

    def __init__(self, known: dict[int, bool]) -> None:
        self._group = {subject: [subject] for subject in known}
        self._known = dict(known)  # of a group, kept at its first member

    def link(self, a: int, b: int, said: bool) -> None:
        one, other = self._group[a], self._group[b]
        if one is other or (self._known[one[0]] and self._known[other[0]] and not said):
            return
        if len(one) < len(other):
            one, other = other, one
        self._known[one[0]] |= self._known[other[0]]
        one += other
        for member in other:
            self._group[member] = one

    def groups(self) -> list[list[int]]:
        return list({id(group): group for group in self._group.values()}.values())
