"""What the parts of a sharded engine tell each other: frames downwards; between shards transfers, and their arrival.

Everything here is msgpack, so that it can go through a log.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from livepost.model.record import Mention, Record


class Meeting(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """At the record `position` of stamp `at` (ms) people become one, who is called `winner` from then on.

    losers     the names of the others before
    subject    the record's; `mentions` those of its mentions that merge
    renamed    subjects that are called otherwise from then on
    """

    position: int
    at: int
    winner: bytes
    losers: tuple[bytes, ...]
    subject: bytes
    mentions: tuple[Mention, ...] = ()
    renamed: tuple[bytes, ...] = ()

    @property
    def people(self) -> tuple[bytes, ...]:
        """The names of all who become one."""
        return (self.winner, *self.losers)


class Item(msgspec.Struct, frozen=True, array_like=True):
    """A record of the person called `person` from it on; `losers` are those who have to be there before."""

    record: Record
    person: bytes
    losers: tuple[bytes, ...] = ()

    @property
    def position(self) -> int:
        """The record's seq."""
        return self.record.seq


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What the log has for one shard: of the records behind seq `after` through seq `through`, whose stamp is `as_of`.

    stamps, firsts   of all blocks of that stretch of the log, whosever: when what is due falls where
    items            records of the shard's people, in log order
    meetings         those in which somebody of the shard takes part, in log order
    sighted          subjects that were mentioned and merge with nobody: people from now on, if they were not before
    control          a record that changes what is computed with, or brings history: alone in the frames of all shards
    """

    after: int
    through: int
    as_of: int
    stamps: list[int]
    firsts: list[int]
    items: list[Item] = []
    meetings: list[Meeting] = []
    sighted: list[Mention] = []
    control: Record | None = None


class Transfer(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="transfer"):
    """The person called `loser` as of just before the record `position`, at which they become part of `winner`.

    row         the person, packed (engine.row); None: nothing ever happened to them
    from_, to   shards
    """

    position: int
    winner: bytes
    loser: bytes
    row: bytes | None
    from_: int
    to: int


class Arrived(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="arrived"):
    """A transfer is where it belongs, in the state of the shard that asked for it: it need not be sent again."""

    position: int
    loser: bytes
    to: int


Message: TypeAlias = Transfer | Arrived
