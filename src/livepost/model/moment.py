"""What `process` shows `decide` of a person, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from livepost.model.decision import OutboxItem, Transition
from livepost.model.journal import Journey

NO_DUE = (1 << 62) - 1
"""The due time (ms) of somebody or something that time alone does not change."""


class Moment(msgspec.Struct, gc=False):
    """One evaluation of one person at which something of interest to campaigns happened.

    at          its time (ms); `position` its log position; `lateness_ms` how late a due time is served (0 at a record)
    name        the record's name, "" at a due time; `event` its event id
    live, age_ms   whether its origin is live, and stamp - effective_ts (0 at a due time)
    settles     whether another project begins to serve here
    broadcast   the campaign that is broadcast here, to somebody in its audience; `event` is the broadcast's id
    properties  its open fields, and its facets, where a campaign asks for those of this name
    consent     purpose -> allowed, with `effective_ts`, `source` and `message_id` of the record, where it carries one
    zone        the zone that the person's clocks show, where a campaign asks for it and the record says it
    """

    at: int
    position: int
    lateness_ms: int = 0
    name: str = ""
    event: bytes = b""
    live: bool = True
    age_ms: int = 0
    properties: Mapping[str, Any] = {}
    consent: Mapping[str, bool] = {}
    effective_ts: int = 0
    source: str = ""
    message_id: str = ""
    zone: str = ""
    transitions: list[Transition] = []
    settles: bool = False
    broadcast: str = ""


class Decided(msgspec.Struct, gc=False):
    """What came of a person's moments: the new journal, outbox items, and the earliest due time (ms) of a journey.

    `due` is NO_DUE if no journey waits. `not_fresh` names, each time, the campaign that would have started a journey,
    had the record not come later than its `fresh` allows.
    """

    journal: bytes
    outbox: list[OutboxItem]
    due: int
    not_fresh: list[str] = []


class Parted(msgspec.Struct):
    """A journal made two: of who keeps the name, and of the other. `waiting` are the journeys under way, by campaign,
    that are in neither yet; `lost` the purposes for which the name was told to be allowed, and is not any more.
    """

    kept: bytes
    other: bytes
    waiting: dict[str, Journey]
    lost: tuple[str, ...]


class Half(msgspec.Struct):
    """One of two people who were one: name and journal, the audiences they are `inside`, and their own `events`."""

    name: bytes
    journal: bytes
    inside: frozenset[str]
    events: frozenset[bytes]
