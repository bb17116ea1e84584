"""May the stream tell this: by the project's policy, and by what its person allowed and limited a moment ago.

In: messages. Out: yes or no. Promised: the destination is called `stream`, and fails closed as any other; of somebody
whose data is restricted (GDPR art. 18) nothing is told, policy or not; what is known of a person is looked up anew when
it is older than FRESH_MS as the message is told, however long that waited for a slow listener.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from http import HTTPStatus

from livepost.api.happening import Message, TransitionTold
from livepost.clock import Clock, WallClock, steady
from livepost.errors import RejectedError
from livepost.ledger.base import Ledger
from livepost.project.gate import Gate
from livepost.runtime.courier.passing import People, allowing, field_of
from livepost.runtime.courier.refusing import refusing
from livepost.settings.policy import STREAM

FRESH_MS = 250
"""How old an answer about a person may be: a withdrawal holds within a second."""

KEPT = 10_000
"""People of whom an answer is kept."""

_NEVER = (-1, False)


class Telling:
    """See `livepost.api.feed.Passes`; `gate` returns the one of now, None for a project without a policy."""

    def __init__(
        self,
        gate: Callable[[], Gate | None],
        people: People,
        ledger: Ledger,
        clock: Clock,
        host: Clock | None = None,
    ) -> None:
        """Take whom it asks; `clock` is the workspace's, by which consents expire, `host` says how old an answer is."""
        self._gate = gate
        self._people = people
        self._ledger = ledger
        self._refusals = refusing(ledger, clock)
        self._host = host or steady(WallClock())
        self._alone = threading.Lock()
        self._known: dict[str, tuple[int, bool]] = {}

    def require(self) -> None:
        """Raise RejectedError where the policy does not name the stream: nothing would ever come."""
        gate = self._gate()
        if gate is not None and STREAM not in gate.policy.destinations:
            raise RejectedError(
                f"policy.toml has no [destinations.{STREAM}], so the stream may tell nothing; "
                "add it with its purposes and fields (docs/reference/policy.md)",
                code="no_destination",
                status=HTTPStatus.CONFLICT,
            )

    def look(self, messages: Sequence[Message]) -> None:
        """Look up the people of those messages whose field may be told."""
        gate = self._gate()
        persons = list(dict.fromkeys(one.person for one in messages if _reaches(gate, one)))
        if persons:
            with self._alone:
                self._look(gate, persons)

    async def may(self, message: Message) -> bool:
        """Say whether a message may be told now; raise StoreError where a store is away."""
        oldest = self._host.now_ms() - FRESH_MS
        while _reaches(self._gate(), message):  # a policy may change while somebody is looked up
            at, allowed = self._known.get(message.person, _NEVER)
            if at >= oldest:
                return allowed
            await asyncio.to_thread(self.look, [message])
        return False

    def _look(self, gate: Gate | None, persons: Sequence[str]) -> None:
        at = self._host.now_ms()
        ids = {bytes.fromhex(person): person for person in persons}
        purposes = gate.consents(STREAM) if gate else ()
        allowed = allowing(self._people, self._refusals, list(ids), purposes) if purposes else {*ids}
        allowed -= self._ledger.restricted(list(ids))
        if len(self._known) + len(ids) > KEPT:
            self._known = {}
        self._known.update({name: (at, id in allowed) for id, name in ids.items()})


def _reaches(gate: Gate | None, message: Message) -> bool:
    if gate is None:
        return True
    told = (message.segment, "") if isinstance(message, TransitionTold) else ("", message.campaign)
    return gate.may(STREAM, field_of(gate, *told))
