"""What a running house does in the front's event loop, by the front's own hands: read a person, replay dead letters.

In: questions of the API from within the loop, wishes of the console from any thread. Out: what came of them. Promised:
nothing that takes its time holds up the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from starlette.concurrency import run_in_threadpool

from livepost.control.requests import RightsRequest
from livepost.errors import LivepostError, StoreError
from livepost.govern.rights.correction import Correction
from livepost.ledger.base import AskedBroadcast, Ledger
from livepost.model.letter import Replay, Replayed
from livepost.model.person import PersonView
from livepost.observe.rates import Rates
from livepost.runtime.author.project import Project
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.front.broadcasting import Broadcasting
from livepost.runtime.front.looking import Looking
from livepost.runtime.front.reasons import named_subject
from livepost.runtime.rights.rectifying import Rectifying
from livepost.runtime.sockets.line import Line
from livepost.vault.base import Vault

T = TypeVar("T")

ANSWER_S = 30.0
"""How long a wish may take: the engine has to fold what was replayed before."""

_people = msgspec.msgpack.Decoder(dict[bytes, PersonView])


class Tending(Looking):
    """Looks at a house and tends it; made within the front's event loop."""

    def __init__(
        self,
        folder: DataFolder,
        project: Project,
        ledger: Ledger,
        rates: Rates,
        trouble: Callable[[], str | None],
        *,
        outcomes: Callable[[], int],
        vault: Callable[[], Vault],
        replay: Callable[[Replay], Coroutine[Any, Any, Replayed]],
        broadcasting: Broadcasting,
        rectifying: Rectifying,
        home: Path | None = None,
    ) -> None:
        """Take what `Looking` takes, the vault that this event loop has open, and who replays, broadcasts and rectifies
        in it.
        """
        super().__init__(folder, project, ledger, rates, trouble, outcomes=outcomes, home=home)
        self._loop = asyncio.get_running_loop()
        self._vault = vault
        self._replay = replay
        self._broadcasting = broadcasting
        self._rectifying = rectifying
        self._line = Line(folder.engine_socket)
        self.brings: Callable[[], Awaitable[int]] | None = None
        """Brings to the log what the ledger was told of consents; the front says who does."""

    async def echo(self) -> None:
        """Bring what was recorded of consents to the log; where that fails it is brought later."""
        if self.brings is not None:
            with contextlib.suppress(LivepostError):
                await self.brings()

    async def rectify(self, told: Correction) -> RightsRequest:
        """Set right what a person is known by, and answer their request; raises RejectedError, StoreError."""
        return await self._rectifying.rectify(told)

    async def read(self, name: str, at_least: int) -> PersonView | None:
        """Do what `person` does, within the event loop; only who waits for a position has a thread that waits."""
        if at_least >= 0:
            return await run_in_threadpool(self.person, name, at_least)
        subject = named_subject(self._vault(), name, self._compiled.keys())
        if subject is None:
            return None
        return (await self._line.call("people", ([subject], at_least), _people)).get(subject)

    def replay(self, wish: Replay) -> Replayed:
        """Replay a dead letter, or say why not; from another thread than the event loop's.

        Raises RejectedError for a call that is none, OverloadedError if too many wish, StoreError if it takes longer
        than ANSWER_S: it may then be replayed or not, and asking again does not do it twice.
        """
        return self._within(self._replay(wish), "the letter to be replayed")

    def broadcast(self, campaign: str, message_id: str, by: str) -> AskedBroadcast:
        """Broadcast a campaign, or note that it waits for approval; as `replay`, from another thread."""
        return self._within(self._broadcasting.ask(campaign, message_id, by), "the campaign to be broadcast")

    def approve(self, id_: bytes, by: str) -> AskedBroadcast:
        """Approve a broadcast, and begin it; as `replay`, from another thread."""
        return self._within(self._broadcasting.approve(id_, by), "the broadcast to begin")

    def kill(self, campaign: str, *, on: bool) -> None:
        """Stop a campaign's mails, or let it mail again: the next claim sees it."""
        self._ledger.kill(campaign, on, self._folder.clock.now_ms())

    def _within(self, work: Coroutine[Any, Any, T], what: str) -> T:
        answer = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return answer.result(ANSWER_S)
        except TimeoutError:
            raise StoreError(
                f"expected {what} within {ANSWER_S:g} s, it was not; look at it again before you ask"
            ) from None

    def close(self) -> None:
        """Release what is open, in the event loop."""
        self._line.close()
        super().close()
