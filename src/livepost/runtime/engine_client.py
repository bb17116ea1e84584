"""The engine as other processes see it, over its socket."""

from __future__ import annotations

from collections.abc import Sequence
from types import NoneType

from livepost.model.decision import Transition
from livepost.model.outbox import OutboxPage
from livepost.model.person import PersonView
from livepost.model.told import Member, SegmentCount, Status
from livepost.runtime.folder import DataFolder
from livepost.runtime.wire import WireClient


class EngineClient:
    """The engine as other processes see it; blocking, for one thread."""

    def __init__(self, folder: DataFolder) -> None:
        self._wire = WireClient(folder.engine_socket)

    def decisions(self, after: int, limit: int) -> OutboxPage:
        """Return outbox items with position > `after`."""
        return self._wire.call("decisions", (after, limit), OutboxPage)

    def people(self, ids: Sequence[bytes], at_least: int) -> dict[bytes, PersonView]:
        """Return persons by any of their subjects; waits up to 500 ms for the engine to get to `at_least`."""
        return self._wire.call("people", (list(ids), at_least), dict[bytes, PersonView])

    def everybody(self, limit: int) -> list[PersonView]:
        """Return up to `limit` persons."""
        return self._wire.call("everybody", limit, list[PersonView])

    def transitions(self, person: bytes | None, segment: str | None, limit: int) -> list[Transition]:
        """Return transitions, newest first."""
        return self._wire.call("transitions", (person, segment, limit), list[Transition])

    def segments(self) -> list[SegmentCount]:
        """Return how many people are in each segment."""
        return self._wire.call("segments", None, list[SegmentCount])

    def members(self, segment: str, after: int, limit: int) -> list[Member]:
        """Return up to `limit` people of a segment with number > `after`."""
        return self._wire.call("members", (segment, after, limit), list[Member])

    def dead(self, after: int, limit: int) -> list[tuple[int, str]]:
        """Return dead letters (seq, reason)."""
        return self._wire.call("dead", (after, limit), list[tuple[int, str]])

    def served(self, upto: int) -> None:
        """Let the engine forget outbox items with position <= `upto`: the ledger has them."""
        self._wire.call("served", upto, NoneType)

    def status(self) -> Status:
        """Return where the engine stands."""
        return self._wire.call("status", None, Status)

    def close(self) -> None:
        """Drop the connection."""
        self._wire.close()
