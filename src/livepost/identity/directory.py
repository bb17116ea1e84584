"""The directory: what each subject's person is called, as far as links have made one person of several.

In: who is linked to whom, in log order. Out: the people who become one at a link, and who is called otherwise from it
on. Promises: it is a function of the links alone, and says what the engine's own merges would: so one reader of nothing
but links can tell any number of shards where people belong.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from livepost.identity.rules import may_merge, name_of
from livepost.model.record import Mention


@dataclass(frozen=True)
class Linked:
    """People become one: called `winner` from then on. `losers` are the names that the others had.

    mentions   those that merged, in their order; all others of the record link nobody
    renamed    the subjects that are called otherwise than before
    """

    winner: bytes
    losers: tuple[bytes, ...]
    mentions: tuple[Mention, ...]
    renamed: tuple[bytes, ...]


class Directory:
    """Keeps the subjects of people who have more than one; everybody else is called by their only subject."""

    def __init__(self) -> None:
        self._of: dict[bytes, _Person] = {}

    def __len__(self) -> int:
        """Return how many subjects are kept."""
        return len(self._of)

    def __contains__(self, subject: bytes) -> bool:
        """Say whether the subject's person has others."""
        return subject in self._of

    def name(self, subject: bytes) -> bytes:
        """Return what the subject's person is called."""
        person = self._of.get(subject)
        return subject if person is None else person.name

    def link(self, subject: Mention, mentions: Iterable[Mention], *, by_secret_key: bool, alias: bool) -> Linked | None:
        """Link a record's subject to those it mentions, where that may be; None if nobody becomes one.

        >>> a, b = Mention(b"a", known=True), Mention(b"b", known=False)
        >>> Directory().link(a, [b], by_secret_key=False, alias=False).losers
        (b'b',)
        """
        person = self._person(subject)
        before: dict[bytes, _Person] = {person.name: person}
        merged: list[Mention] = []
        for mention in mentions:
            other = self._person(mention)
            said = by_secret_key and (alias or mention.known)
            if other.name != person.name and may_merge(person.known, other.known, said_by_secret_key=said):
                before[other.name] = other
                merged.append(mention)
                person = _joined(person, other)
                self._of |= dict.fromkeys(person.subjects, person)
        if not merged:
            return None
        losers = tuple(name for name in before if name != person.name)
        renamed = tuple(subject for name in losers for subject in before[name].subjects)
        return Linked(person.name, losers, tuple(merged), renamed)

    def _person(self, subject: Mention) -> _Person:
        return self._of.get(subject.subject) or _Person(subject.subject, subject.known, (subject.subject,))


@dataclass(frozen=True, eq=False)
class _Person:
    """A person of one subject or several; `known` if one of these is."""

    name: bytes
    known: bool
    subjects: tuple[bytes, ...]


def _joined(a: _Person, b: _Person) -> _Person:
    name = name_of([(a.name, a.known), (b.name, b.known)])
    return _Person(name, a.known or b.known, a.subjects + b.subjects)
