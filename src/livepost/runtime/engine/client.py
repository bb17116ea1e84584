"""The engine as other processes see it, over its socket."""

from __future__ import annotations

from collections.abc import Sequence
from types import NoneType

from livepost.model.change import Definitions
from livepost.model.decision import Transition
from livepost.model.letter import Letter
from livepost.model.outbox import OutboxPage, Urgent, UrgentAsked
from livepost.model.person import PersonView
from livepost.model.told import Member, SegmentCount, SegmentHistory, Status, TransitionPage
from livepost.model.unlink import Apart
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.sockets.wire import Asking, Wait, WireClient


class EngineClient:
    """The engine as other processes see it; blocking, for one thread."""

    def __init__(self, folder: DataFolder, wait: Wait | None = None) -> None:
        """Take the folder, and how an answer is waited for; nothing is connected to before the first question."""
        self._wire = WireClient(folder.engine_socket, wait)

    def decisions(self, after: int, limit: int) -> OutboxPage:
        """Return outbox items with a number > `after`."""
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

    def transitions_after(self, number: int, limit: int) -> TransitionPage:
        """Return transitions with a number > `number`, in the order of their commits."""
        return self._wire.call("transitions_after", (number, limit), TransitionPage)

    def segments(self) -> list[SegmentCount]:
        """Return how many people are in each segment."""
        return self._wire.call("segments", None, list[SegmentCount])

    def segment_history(self, since_ms: int) -> list[SegmentHistory]:
        """Return how many people were in each segment at the ends of hours since, and what held at `since_ms`."""
        return self._wire.call("segment_history", since_ms, list[SegmentHistory])

    def under_way(self) -> dict[str, int]:
        """Return how many people are under way in each campaign in which anybody is."""
        return self._wire.call("under_way", None, dict[str, int])

    def members(self, segment: str, after: int, limit: int) -> list[Member]:
        """Return up to `limit` people of a segment with number > `after`."""
        return self._wire.call("members", (segment, after, limit), list[Member])

    def dead(self, after: int, limit: int) -> list[Letter]:
        """Return dead letters with seq > `after`."""
        return self._wire.call("dead", (after, limit), list[Letter])

    def letter(self, position: int, at_least: int = -1) -> Letter | None:
        """Return the dead letter at a position; waits up to 500 ms for the engine to get to `at_least`."""
        return self._wire.call("letter", (position, at_least), Letter | None)  # type: ignore[arg-type]

    def served(self, upto: int) -> None:
        """Let the engine forget outbox items with position <= `upto`: the ledger has them."""
        self._wire.call("served", upto, NoneType)

    def status(self) -> Status:
        """Return where the engine stands."""
        return self._wire.call("status", None, Status)

    def definitions(self) -> Definitions:
        """Return what the engine computes with."""
        return self._wire.call("definitions", None, Definitions)

    def apart(self) -> list[Apart]:
        """Return the merges that were undone, in log order."""
        return self._wire.call("apart", None, list[Apart])

    def snapshot(self) -> int:
        """Let the engine keep a snapshot of its state; return the position it is of."""
        return self._wire.call("snapshot", None, int)

    def wake(self) -> None:
        """Wake whoever waits for the engine's decisions: there is something for them in the ledger."""
        self._wire.call("wake", None, NoneType)

    def close(self) -> None:
        """Drop the connection."""
        self._wire.close()


class UrgentClient:
    """What is urgent in the engine's outbox: told when it is decided, over a connection of its own."""

    def __init__(self, folder: DataFolder) -> None:
        """Take the folder; nothing is connected to before the first look."""
        self._asking = Asking(folder.engine_socket, "urgent")
        self._epoch = ""

    def look(self, asked: UrgentAsked) -> Urgent | None:
        """Return what was urgent by now, without waiting; ask for more behind `asked` where no question stands.

        Raises StoreError if the engine is not there. What was asked before is answered as it was asked.
        """
        if asked.epoch != self._epoch:  # the question that stands is to an outbox that is no more
            self._asking.close()
            self._epoch = asked.epoch
        if not self._asking.stands:
            self._asking.ask(asked)
        return self._asking.answer(Urgent | None)  # type: ignore[arg-type]

    @property
    def heard_on(self) -> int | None:
        """The descriptor that can be read once the question that stands is answered; None where none does."""
        return self._asking.descriptor

    def close(self) -> None:
        """Drop the connection."""
        self._asking.close()
