"""A broadcast: one campaign to everybody who is in its audience at one place in the log.

In: a BROADCAST record. Out: what it asks for, and what an engine has to know until everybody was asked.
"""

from __future__ import annotations

import msgspec

from livepost.model.record import Kind, Record

SOURCE = "$broadcast"
"""The source of BROADCAST records; their message ids are drawn by who asks."""

REMEMBERED = 1_000
"""Broadcasts whose ids an engine remembers: one that is told again within so many is not done again."""


class Broadcast(msgspec.Struct, frozen=True, kw_only=True):
    """Kind.BROADCAST: everybody in the audience of a campaign, as of this record, begins a journey in it."""

    campaign: str


def broadcast_record(campaign: str, message_id: str) -> Record:
    """Return the record that broadcasts a campaign; of one message id it is one broadcast, however often it is told."""
    control = msgspec.to_builtins(Broadcast(campaign=campaign))
    return Record(kind=Kind.BROADCAST, source=SOURCE, message_id=message_id, control=control)


class LastBroadcast(msgspec.Struct, frozen=True, kw_only=True):
    """The last broadcast: the `number` of it (they count from 1), stamp (ms) and seq, its campaign, whose audience it
    is for, and its id, the cause of the decisions.
    """

    number: int
    at: int
    position: int
    campaign: str
    audience: str
    id: bytes
