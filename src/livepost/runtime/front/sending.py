"""Mails that programs ask for: first the person, then the delivery, each in its store, the same however often tried.

In: wishes of `POST /api/send`. Out: an identify call in the log, then a pending delivery in the ledger with what it is
to say, sealed. Promised: a key brings one delivery. Whatever was cut off between the two writes, the same wish again
makes the same identify call, which is folded once, and the ledger knows the key or takes it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection
from http import HTTPStatus
from pathlib import Path

import msgspec
from msgspec import UNSET
from starlette.concurrency import run_in_threadpool

from livepost.api.send import SendWish
from livepost.clock import Clock
from livepost.errors import RejectedError, StoreError
from livepost.ids import decision_id, event_id
from livepost.intake.call import Call
from livepost.intake.record import Arrival
from livepost.intake.seal import Sealer
from livepost.intake.verdict import judge
from livepost.intake.writer import Intake
from livepost.ledger.base import KnownSend, Ledger, Send
from livepost.model.decision import SEND, Decision
from livepost.model.message import AskedMail
from livepost.model.record import KeyKind, SealedValue, Verdict
from livepost.runtime.data.folder import DataFolder
from livepost.runtime.engine.client import EngineClient
from livepost.vault.base import ANONYMOUS, USER, ExternalId, SubjectKeys, Vault

PURPOSE = "marketing"
"""What an unsubscribe link in such a mail takes back: it is sent without asking for consent itself."""

DRAFT = "$draft"
"""The name of a draft's seal."""

_CANONICAL = msgspec.json.Encoder(order="deterministic")


class _Turn:
    """Whose turn it is with a key, and how many wishes have it or wait for it."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.wishes = 0


class Sending:
    """Takes wishes on the event loop of the log's writer; see `livepost.api.send.Sends`."""

    def __init__(
        self,
        *,
        intake: Intake,
        vault: Callable[[], Vault],
        ledger: Ledger,
        templates: Collection[str],
        clock: Clock,
        workspace: str,
    ) -> None:
        """Take the parts; `vault` gives the one that the log's writer has open just now."""
        self.templates = templates
        self.taken = asyncio.Event()
        self._intake = intake
        self._vault = vault
        self._ledger = ledger
        self._clock = clock
        self._workspace = workspace
        self._turns: dict[bytes, _Turn] = {}

    async def send(self, source: str, key: str, wish: SendWish) -> KnownSend:
        """Take a mail, durably, or return what its key stands for; `taken` is set for who waits for mails."""
        vault = self._vault()
        told = _CANONICAL.encode(wish).decode()
        name = vault.blind("send key", _CANONICAL.encode([source, key]).decode())
        body = vault.blind("send body", told)
        async with self._turn(name):
            known = await run_in_threadpool(self._ledger.known_send, name)
            if known is None:
                message_id = "send-" + vault.blind("send message", f"{name.hex()} {body.hex()}").hex()
                position, person = await self._identify(source, message_id, wish)
                send = self._send(source, message_id, wish, position, person, name, body)
                known = await run_in_threadpool(self._ledger.send, send, self._clock.now_ms())
        if known.body != body:
            raise RejectedError(
                "expected the body that this idempotency key came with first, got another; send a new key with it",
                code="key_used",
                status=HTTPStatus.CONFLICT,
            )
        if known.new:
            self.taken.set()
        return known

    @contextlib.asynccontextmanager
    async def _turn(self, key: bytes) -> AsyncIterator[None]:
        """Let one wish of a key be taken at a time: one that is refused must not have named an address before.

        As many are kept as requests are under way.
        """
        turn = self._turns.setdefault(key, _Turn())
        turn.wishes += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.wishes -= 1
            if not turn.wishes:
                del self._turns[key]

    async def _identify(self, source: str, message_id: str, wish: SendWish) -> tuple[int, SubjectKeys]:
        """Tell the log whose address it is; return the position and the subject, once both are on disk."""
        id = self._id(wish)
        call = Call(type="identify", message_id=message_id, traits={"email": wish.to})
        if id.kind == USER:
            call.user_id = id.value
        else:
            call.anonymous_id = id.value
        judgement = judge(call, None, self._intake.recorder.plan)
        if judgement.verdict is not Verdict.ACCEPTED:
            raise RejectedError(
                f"expected an address to be enough for an identify call of this project, got a refusal "
                f"({judgement.reason}); make the other traits optional",
                code="unfit",
                status=HTTPStatus.UNPROCESSABLE_ENTITY,
            )
        arrival = Arrival(source=source, key=KeyKind.SECRET, received_at=self._clock.now_ms())
        position = await self._intake.submit([call], arrival, size=len(wish.to))
        person = self._vault().find(id)
        if person is None:
            raise StoreError("the person was forgotten meanwhile; send it again")
        return position, person

    def _id(self, wish: SendWish) -> ExternalId:
        """Return whose mail it is: the user's, else that of a subject of the address's own."""
        if wish.user_id is not UNSET:
            return ExternalId(USER, wish.user_id)
        return ExternalId(ANONYMOUS, "send-" + self._vault().blind("send address", wish.to.casefold()).hex())

    def _send(
        self, source: str, message_id: str, wish: SendWish, position: int, person: SubjectKeys, key: bytes, body: bytes
    ) -> Send:
        cause = event_id(source, message_id)
        decision = Decision(
            id=decision_id(self._workspace, SEND, 0, person.subject, cause),
            campaign=SEND,
            version="",
            step=0,
            person=person.subject,
            cause=cause,
            cause_text=f"asked for by {source}",
            at=self._clock.now_ms(),
            position=position,
            purpose=PURPOSE,
            class_="transactional",
            lane="transactional",
        )
        return Send(key=key, body=body, decision=decision, draft=self._sealed(source, message_id, wish, person))

    def _sealed(self, source: str, message_id: str, wish: SendWish, person: SubjectKeys) -> SealedValue:
        mail = AskedMail(
            to=wish.to,
            template=wish.template,
            subject=wish.subject,
            preheader=wish.preheader,
            variables=wish.variables,
        )
        seal = Sealer(self._workspace, source).seal(person, message_id, {DRAFT: mail})[DRAFT]
        return SealedValue(source, person.subject, message_id, DRAFT, seal)


async def wake_courier(folder: DataFolder, taken: asyncio.Event) -> None:
    """Wake the courier, by way of the engine, whenever a mail was taken; goes on until cancelled.

    Where the engine is not there, the courier looks by itself a moment later.
    """
    with contextlib.closing(EngineClient(folder)) as engine:
        while True:
            await taken.wait()
            taken.clear()
            with contextlib.suppress(StoreError):
                await asyncio.to_thread(engine.wake)


def template_names(project: Path) -> frozenset[str]:
    """Return the names of a project's templates, unread: what makes mails of them is heavy."""
    return frozenset(path.stem for path in (project / "templates").glob("*.mjml"))
