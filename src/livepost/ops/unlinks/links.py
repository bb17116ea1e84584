"""How one person came about: the records that made people one, found by going through the person's records in order.

In: the person's counted records, and the merges undone so far. Out: links. They make a forest: each made one of two
people, so that without it these are two again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from livepost.identity import Separation, kept_apart, may_merge
from livepost.model.record import KeyKind, Mention, Origin
from livepost.model.unlink import Apart, Sides

ALIAS = "$alias"


@dataclass(frozen=True, slots=True)
class Own:
    """What is needed of a person's record besides what features take."""

    seq: int
    stamp: int
    effective_ts: int
    origin: Origin
    key: KeyKind
    source: str
    subject: bytes
    known: bool
    mentions: tuple[Mention, ...]
    message_id: str
    event: bytes
    name: str
    consent: dict[str, bool]


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A record that made two people one: its position, stamp (ms) and name, whose it is and whom it mentions."""

    position: int
    at: int
    name: str
    subject: bytes
    mentioned: bytes


class Links:
    """The links among some subjects, after their records in log order."""

    def __init__(self, records: Iterable[Own], apart: Sequence[Apart] = ()) -> None:
        """Go through the counted records; `apart` are the undos that took effect, in log order."""
        self.known: dict[bytes, bool] = {}
        self.links: list[Link] = []
        self._group: dict[bytes, set[bytes]] = {}
        self._separation = Separation()
        undos = deque(apart)
        done: list[Sides] = []
        for record in records:
            while undos and undos[0].position < record.seq:
                self._undo(undos[0], done)
                undos.popleft()
            self._take(record)
        for undo in undos:
            self._undo(undo, done)

    def sides(self, link: Link, person: Sequence[bytes]) -> Sides:
        """Return the subjects of the two people that a person, the subject that names them first, is without a link.

        A subject whose own link the log does not have any more stays with the name.
        """
        one, other = self._reached(link.subject, link), self._reached(link.mentioned, link)
        one, other = one & {*person}, other & {*person}
        lost = {*person} - one - other
        if person[0] in other:
            other |= lost
        else:
            one |= lost
        return tuple(sorted(one)), tuple(sorted(other))

    def _take(self, record: Own) -> None:
        self._see(record.subject, record.known)
        for mention in record.mentions:
            self._see(mention.subject, mention.known)
            if self._merges(record, mention):
                self._merge(self._group[record.subject], self._group[mention.subject])
                self.links.append(
                    Link(
                        position=record.seq,
                        at=record.stamp,
                        name=record.name,
                        subject=record.subject,
                        mentioned=mention.subject,
                    )
                )

    def _see(self, subject: bytes, known: bool) -> None:
        self.known[subject] = known
        self._group.setdefault(subject, {subject})

    def _merges(self, record: Own, mention: Mention) -> bool:
        one, other = self._group[record.subject], self._group[mention.subject]
        if one is other:
            return False
        secret = record.key is KeyKind.SECRET
        alias = secret and record.name == ALIAS
        if not alias and kept_apart(self._separation.marks_of(one), self._separation.marks_of(other)):
            return False
        return may_merge(
            self._is_known(one), self._is_known(other), said_by_secret_key=alias or (secret and mention.known)
        )

    def _is_known(self, group: set[bytes]) -> bool:
        return any(self.known.get(subject, False) for subject in group)

    def _merge(self, one: set[bytes], other: set[bytes]) -> None:
        one |= other
        for subject in other:
            self._group[subject] = one

    def _undo(self, undo: Apart, done: list[Sides]) -> None:
        undone = (undo.link, undo.mentioned)
        self.links = [link for link in self.links if (link.position, link.mentioned) != undone]
        for side in undo.sides:
            group = set(side)
            self._group.update(dict.fromkeys(side, group))
        done.append(undo.sides)
        self._separation = Separation(done)

    def _reached(self, subject: bytes, without: Link) -> set[bytes]:
        """Return who is linked to a subject, a link left out."""
        beside: dict[bytes, list[bytes]] = {}
        for link in self.links:
            if link != without:
                beside.setdefault(link.subject, []).append(link.mentioned)
                beside.setdefault(link.mentioned, []).append(link.subject)
        found, waiting = {subject}, [subject]
        while waiting:
            new = [one for one in beside.get(waiting.pop(), ()) if one not in found]
            found.update(new)
            waiting += new
        return found
