"""Double opt-in in the front: the mail that asks, and what the answer does.

In: wishes of `POST /v1/subscribe`, confirmations. Out: asking, an identify call without the address in the log, the
wish sealed in the ledger, a transactional mail; confirmed, an identify call that makes the address sendable, as with a
secret key, and grants with their proof. Promised: nothing of the address stands open; whatever is cut off, the same
POST again does it, once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool

from livepost.api.allowance import Allowance
from livepost.api.mail import Offer
from livepost.api.subscribe import Asked, wishes_in
from livepost.clock import DAY_MS, HOUR_MS, Clock
from livepost.deliver.token import Confirm, Tokens
from livepost.errors import OverloadedError, RejectedError, StoreError
from livepost.ids import decision_id, event_id
from livepost.intake.call import Call
from livepost.intake.record import Arrival, new_message_id
from livepost.intake.seal import Sealer, open_value
from livepost.intake.verdict import judge
from livepost.intake.writer import Intake
from livepost.ledger.base import Confirmation, Ledger, Send
from livepost.model.decision import SEND, Decision
from livepost.model.message import AskedMail
from livepost.model.record import KeyKind, SealedValue, Verdict
from livepost.runtime.front.sending import DRAFT
from livepost.vault.base import ANONYMOUS, USER, ExternalId, SubjectKeys, Vault

TEMPLATE = "confirm"
"""The project's template that asks."""

CONFIRM_MS = 7 * DAY_MS
"""How long a confirmation's link can be used."""

ASKS_PER_ADDRESS = 3
"""Mails that an address gets in a day at most, whoever asks."""

ASKS_PER_ASKER = 20
ASKS_TOGETHER = 3_000
"""Wishes of one asker, and of all, in an hour."""

MAX_CALL_BYTES = 1_000
"""What such a call counts for in the queue before the log."""

WISH = "$wish"
"""The name of a wish's seal."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be confirmed; on disk it is sealed. `user_id` is "" where the address stands for itself."""

    email: str
    purpose: str
    topics: tuple[str, ...]
    user_id: str


class Subscribing:
    """See `livepost.api.subscribe.Subscriptions`; on the event loop of the log's writer."""

    def __init__(
        self,
        *,
        intake: Intake,
        vault: Callable[[], Vault],
        ledger: Ledger,
        templates: Callable[[], Collection[str]],
        tokens: Tokens,
        clock: Clock,
        workspace: str,
        base_url: Callable[[], str],
        offer: Callable[[], Offer],
        taken: Callable[[], None],
    ) -> None:
        """Take the parts; `taken` is told of a mail that is to be sent."""
        self._intake = intake
        self._vault = vault
        self._ledger = ledger
        self._templates = templates
        self._tokens = tokens
        self._clock = clock
        self._workspace = workspace
        self._base_url = base_url
        self._offer = offer
        self._taken = taken
        self._allowance = Allowance(ASKS_PER_ASKER, HOUR_MS, together=ASKS_TOGETHER)

    async def ask(self, asked: Asked) -> None:
        """Have the address asked, unless it was asked often enough or is suppressed."""
        if TEMPLATE not in self._templates():
            raise RejectedError(
                f"expected the project's template {TEMPLATE}.mjml, which asks to confirm, found none; add it",
                code="no_template",
                status=HTTPStatus.NOT_FOUND,
            )
        if asked.key is not KeyKind.SECRET and not self._allowance.take(asked.asker, self._clock.now_ms()):
            raise OverloadedError("too many wishes for mails came from here; try again in an hour", retry_after_s=3600)
        wish = Wish(
            email=asked.wish.email, purpose=asked.wish.purpose, topics=asked.wish.topics, user_id=asked.wish.user_id
        )
        address = self._vault().blind("suppression", wish.email.casefold())
        if await run_in_threadpool(self._ledger.suppression, address) is None:
            await self._ask(asked, wish, address)

    async def confirm(self, one: Confirmation, shown: str) -> None:
        """Make the address sendable, then note what was allowed."""
        wish = self._opened(one)
        call = Call(type="identify", message_id=f"confirm-{one.decision.hex()}", traits={"email": wish.email})
        await self._told(call, self._id(wish), one.wish.source, KeyKind.SECRET)
        wishes = wishes_in(wish.purpose, wish.topics, tuple(self._offer().topics))
        now_ms = self._clock.now_ms()
        await run_in_threadpool(self._ledger.confirm_wish, one.decision, one.person, wishes, now_ms, shown)

    def purpose(self, one: Confirmation) -> str:
        """Return what the address is asked to be used for."""
        return self._opened(one).purpose

    def _opened(self, one: Confirmation) -> Wish:
        told = open_value(self._vault().keys(one.wish.subject), self._workspace, one.wish)
        return msgspec.convert(told, Wish)

    async def _ask(self, asked: Asked, wish: Wish, address: bytes) -> None:
        message_id = f"subscribe-{new_message_id()}"
        call = Call(type="identify", message_id=message_id, traits={})
        position, person = await self._told(call, self._id(wish), asked.source, KeyKind.WRITE)
        decision = self._decision(asked, wish, message_id, position, person)
        one = Confirmation(
            decision=decision.id,
            address=address,
            person=person.subject,
            wish=self._sealed(asked.source, message_id, person, WISH, wish),
            asked_at=decision.at,
            expires_at=decision.at + CONFIRM_MS,
        )
        if await run_in_threadpool(self._ledger.ask_confirmation, one, ASKS_PER_ADDRESS, DAY_MS):
            await run_in_threadpool(
                self._ledger.send, self._send(asked, wish, message_id, decision, person), decision.at
            )
            self._taken()

    async def _told(self, call: Call, id: ExternalId, source: str, key: KeyKind) -> tuple[int, SubjectKeys]:
        """Tell the log a call about a subject; return the position and the subject, once both are on disk."""
        if id.kind == USER:
            call.user_id = id.value
        else:
            call.anonymous_id = id.value
        judgement = judge(call, None, self._intake.recorder.plan)
        if judgement.verdict is not Verdict.ACCEPTED:
            raise RejectedError(
                f"expected an identify call without traits to be enough for this project, got a refusal "
                f"({judgement.reason}); make the traits optional",
                code="unfit",
                status=HTTPStatus.UNPROCESSABLE_ENTITY,
            )
        arrival = Arrival(source=source, key=key, received_at=self._clock.now_ms())
        position = await self._intake.submit([call], arrival, size=MAX_CALL_BYTES)
        person = self._vault().find(id)
        if person is None:
            raise StoreError("the person was forgotten meanwhile; ask again")
        return position, person

    def _id(self, wish: Wish) -> ExternalId:
        """Return whose address it is: the user's that a secret key named, else a subject of the address's own."""
        if wish.user_id:
            return ExternalId(USER, wish.user_id)
        return ExternalId(ANONYMOUS, "send-" + self._vault().blind("send address", wish.email.casefold()).hex())

    def _decision(self, asked: Asked, wish: Wish, message_id: str, position: int, person: SubjectKeys) -> Decision:
        cause = event_id(asked.source, message_id)
        return Decision(
            id=decision_id(self._workspace, SEND, 0, person.subject, cause),
            campaign=SEND,
            version="",
            step=0,
            person=person.subject,
            cause=cause,
            cause_text=f"asked to confirm by {asked.source}",
            at=self._clock.now_ms(),
            position=position,
            purpose=wish.purpose,
            class_="transactional",
            lane="transactional",
        )

    def _send(self, asked: Asked, wish: Wish, message_id: str, decision: Decision, person: SubjectKeys) -> Send:
        words = asked.words
        link = self._tokens.confirm(Confirm(decision.id, person.subject))
        mail = AskedMail(
            to=wish.email,
            template=TEMPLATE,
            subject=words.say("confirm_subject"),
            variables={
                "confirm_url": f"{self._base_url()}/confirm/{link}",
                "confirm_text": words.say("confirm_mail", purpose=words.purpose(wish.purpose)),
                "confirm_button": words.say("confirm_button"),
                "language": words.language,
                "direction": words.direction,
            },
        )
        key = self._vault().blind("send key", message_id)
        draft = self._sealed(asked.source, message_id, person, DRAFT, mail)
        return Send(key=key, body=key, decision=decision, draft=draft)

    def _sealed(self, source: str, message_id: str, person: SubjectKeys, name: str, value: Any) -> SealedValue:
        seal = Sealer(self._workspace, source).seal(person, message_id, {name: value})[name]
        return SealedValue(source, person.subject, message_id, name, seal)
