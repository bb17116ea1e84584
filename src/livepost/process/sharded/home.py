"""Whose a record is: links are told of in one place, and each subject's home keeps what they made of its person's name.

In: records that count, in log order. Out: meetings; items for the shards in which people live. Promises: nobody asks
anybody, so nobody waits for an answer: a home needs to know no more than how far the links are told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from livepost.identity.directory import Directory
from livepost.model.record import KeyKind, Mention, Record
from livepost.process.identify import ALIAS
from livepost.process.sharded.told import Item, Meeting


@dataclass(frozen=True)
class Told:
    """What a record's mentions mean: who becomes one, if anybody does, and who was mentioned and belongs to nobody
    else: a person from now on, if they were not before.
    """

    meeting: Meeting | None
    sighted: list[Mention]


class Links:
    """Tells what mentions mean: one for the whole log, over nothing but its records that have any."""

    def __init__(self) -> None:
        self.directory = Directory()

    def take(self, record: Record) -> Told:
        """Take the next record that counts and mentions others."""
        by_secret_key = record.key is KeyKind.SECRET
        subject = Mention(record.subject, record.known)
        alias = record.name == ALIAS
        linked = self.directory.link(subject, record.mentions, by_secret_key=by_secret_key, alias=alias)
        sighted = [mention for mention in record.mentions if mention.subject not in self.directory]
        if linked is None:
            return Told(None, sighted)
        meeting = Meeting(
            position=record.seq,
            at=record.stamp,
            winner=linked.winner,
            losers=linked.losers,
            subject=record.subject,
            mentions=linked.mentions,
            renamed=linked.renamed,
        )
        return Told(meeting, sighted)


class Home:
    """Says whose the records of its subjects are: of the person who is called as the subject, unless told otherwise.

    Everything is given in log order, what is told of a record (to the homes of those it renames) before the record.
    """

    def __init__(self) -> None:
        self._names: dict[bytes, bytes] = {}

    def item(self, record: Record, meeting: Meeting | None) -> Item:
        """Return a record with whose it is from then on; `meeting` is who becomes one at it."""
        if meeting is None:
            person = self._names.get(record.subject, record.subject)
            return Item(msgspec.structs.replace(record, mentions=()), person)
        return Item(msgspec.structs.replace(record, mentions=meeting.mentions), meeting.winner, meeting.losers)

    def rename(self, subjects: Iterable[bytes], name: bytes) -> None:
        """Take note of what the person of subjects who are at home here is called from now on."""
        self._names |= dict.fromkeys(subjects, name)
