"""What a target is told, as the source gives it and as it is sent.

In: messages of the stream as JSON. Out: bodies. Promised: a body has no other values than the stream's message.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

import msgspec

from livepost.clock import SECOND_MS

GAP = "gap"
"""The kind that every target is told: something may be missing here, or come again."""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened at `at` (UTC ms); `cursor` is the place when it is told, `data` the stream's message.

    person   whom it is about, None for nobody
    about    the segment or the `campaign.NAME` that it tells of, "" for none
    """

    id: str
    kind: str
    at: int
    data: bytes
    cursor: str
    person: bytes | None = None
    about: str = ""

    def body(self) -> bytes:
        """Return what is sent."""
        at = datetime.fromtimestamp(self.at / SECOND_MS, UTC)
        told = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return msgspec.json.encode(_Body(id=self.id, type=self.kind, timestamp=told, data=msgspec.Raw(self.data)))


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Notices in order; `end` is the place behind them and what is not told, `more` says that there is more already."""

    notices: Sequence[Notice]
    end: str
    more: bool


class Source(Protocol):
    """Where it is read what happened; both raise StoreError where a store is away."""

    def end(self) -> str:
        """Return the place where nothing more has happened yet."""
        ...

    def after(self, cursor: str) -> Batch:
        """Return what happened after a place."""
        ...


class _Body(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    type: str
    timestamp: str
    data: msgspec.Raw
