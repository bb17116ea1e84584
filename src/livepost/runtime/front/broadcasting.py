"""The front's part in broadcasts: one is counted, approved where it is large, and goes into the log, once.

In: `Asked` and `Approval`, over the front's socket, the API or the console. Out: broadcasts as the ledger has them, a
BROADCAST record each. Promised: what was asked twice under one message id is one broadcast; none to more people than
`approve_above` goes into the log without an approval of as many; a crash between the ledger and the log is made good.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

import msgspec

from livepost.clock import HOUR_MS, Clock
from livepost.errors import LivepostError, RejectedError
from livepost.govern.access.second import eyes
from livepost.ids import event_id
from livepost.intake.writer import Intake
from livepost.ledger.base import MAX_LISTED, AskedBroadcast, Ledger
from livepost.model.broadcast import SOURCE, broadcast_record
from livepost.model.compiled import CampaignSpec
from livepost.runtime.data.definitions import Named

BROADCAST = "broadcast"
APPROVE = "approve"
"""What others ask the front for: an `Asked`, or an `Approval`; the answer is the broadcast."""

GROWN = 1.1
"""So many times as many people as were approved may be in the audience when the broadcast goes into the log."""

RESUMED_WITHIN_MS = HOUR_MS
"""How long after its approval a broadcast goes into the log that a crash kept from it: later nobody expects it."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to broadcast a campaign. `message_id` is drawn by who asks: the same again is the same broadcast."""

    campaign: str
    message_id: str
    by: str


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """An approval of the broadcast with this id."""

    id: bytes
    by: str


class Broadcasting:
    """Broadcasts of one log; for the event loop of its writer."""

    def __init__(
        self,
        *,
        intake: Intake,
        ledger: Ledger,
        named: Callable[[], Named],
        members: Callable[[], Mapping[str, int]],
        clock: Clock,
        approve_above: int,
        users: Callable[[], int] = lambda: 0,
        alone: Callable[[str, bytes], Awaitable[None]] | None = None,
    ) -> None:
        """Take the parts: `named` is what serves by now, `members` asks the engine how many are in each segment,
        `users` says how many users there are, `alone` notes who approved a broadcast in a house of one.
        """
        self._intake = intake
        self._ledger = ledger
        self._named = named
        self._members = members
        self._clock = clock
        self._approve_above = approve_above
        self._users = users
        self._alone = alone
        self._turn = asyncio.Lock()

    async def handle(self, raw: msgspec.Raw) -> AskedBroadcast:
        """Take an `Asked` of the socket."""
        wish = msgspec.msgpack.decode(raw, type=Asked)
        return await self.ask(wish.campaign, wish.message_id, wish.by)

    async def handle_approval(self, raw: msgspec.Raw) -> AskedBroadcast:
        """Take an `Approval` of the socket."""
        wish = msgspec.msgpack.decode(raw, type=Approval)
        return await self.approve(wish.id, wish.by)

    async def ask(self, campaign: str, message_id: str, by: str) -> AskedBroadcast:
        """Broadcast a campaign, or note that it waits for approval; return what the ledger has by then.

        Raises RejectedError (404) for a campaign that is no broadcast, (409) for a message id of another campaign's,
        StoreError if engine, ledger or log are not there: then the same may be asked again.
        """
        async with self._turn:
            id_ = event_id(SOURCE, message_id)
            known = await asyncio.to_thread(self._ledger.broadcast, id_)
            first = known is None
            if known is None:
                people = await self._people(self._spec(campaign))
                new = AskedBroadcast(
                    id=id_,
                    campaign=campaign,
                    message_id=message_id,
                    asked_at=self._clock.now_ms(),
                    asked_by=by,
                    people=people,
                )
                known = await asyncio.to_thread(self._ledger.ask_broadcast, new)
            if known.campaign != campaign:
                raise _conflict(f"expected the campaign of this message id, {known.campaign}, got {campaign}")
            if not known.approved_at and self._is_small(known.people):
                known = await self._approved(known, known.people, by)
            known = await self._begun(known) if known.approved_at else known
            return msgspec.structs.replace(known.as_of(self._clock.now_ms()), new=first)

    async def approve(self, id_: bytes, by: str) -> AskedBroadcast:
        """Approve a broadcast to as many as are in its audience now, and begin it.

        Raises RejectedError (404) for an unknown id, (403) for who is no second pair of eyes on it, (409) for one that
        was asked for too long ago.
        """
        async with self._turn:
            known = await asyncio.to_thread(self._ledger.broadcast, id_)
            if known is None:
                raise RejectedError(
                    "expected the id of a broadcast that waits for approval, got another; `livepost broadcast` lists "
                    "them",
                    code="no_broadcast",
                    status=HTTPStatus.NOT_FOUND,
                )
            first = known.position < 0
            if not known.approved_at:
                if known.as_of(self._clock.now_ms()).lapsed:
                    raise _conflict("expected a broadcast of the last 24 hours, got an older one; ask for it again")
                await self._require_other(known, by)
                known = await self._approved(known, await self._people(self._spec(known.campaign)), by)
            return msgspec.structs.replace(await self._begun(known), new=first)

    async def resume(self) -> bool:
        """Begin what was approved just before a crash, and had not begun; say whether that could be done."""
        since = self._clock.now_ms() - RESUMED_WITHIN_MS
        try:
            async with self._turn:
                for one in await asyncio.to_thread(self._ledger.broadcasts, MAX_LISTED):
                    if one.position < 0 and one.approved_at > since:
                        with contextlib.suppress(RejectedError):  # not any more: whoever asks again is told why
                            await self._begun(one)
        except LivepostError:  # engine, ledger or log are not there yet
            return False
        return True

    def _is_small(self, people: int) -> bool:
        return not self._approve_above or people <= self._approve_above

    def _spec(self, name: str) -> CampaignSpec:
        broadcasts = [spec for spec in self._named().serving.campaigns if spec.broadcast]
        for spec in broadcasts:
            if spec.name == name:
                return spec
        known = ", ".join(spec.name for spec in broadcasts) or "none"
        raise RejectedError(
            f"expected a campaign of this project that is broadcast ({known}), got {name}; was it applied?",
            code="no_campaign",
            status=HTTPStatus.NOT_FOUND,
        )

    async def _people(self, spec: CampaignSpec) -> int:
        assert spec.audience is not None
        return (await asyncio.to_thread(self._members)).get(spec.audience, 0)

    async def _require_other(self, known: AskedBroadcast, by: str) -> None:
        """Raise RejectedError (403) unless another user approves; note it where there is no other."""
        whose = eyes(known.asked_by, by, await asyncio.to_thread(self._users))
        if whose == "alone" and self._alone is not None:
            await self._alone(by, known.id)
        if whose in ("same", "nobody"):
            raise RejectedError(
                f"expected another user than who asked for it to approve this broadcast, got "
                f"{'the same one' if whose == 'same' else 'a key or a command'}; ask another user, in the console",
                code="four_eyes",
                status=HTTPStatus.FORBIDDEN,
            )

    async def _approved(self, known: AskedBroadcast, people: int, by: str) -> AskedBroadcast:
        now_ms = self._clock.now_ms()
        await asyncio.to_thread(self._ledger.approve_broadcast, known.id, people, by, now_ms)
        return msgspec.structs.replace(known, approved_at=now_ms, approved_by=by, people=people)

    async def _begun(self, known: AskedBroadcast) -> AskedBroadcast:
        """Let an approved broadcast go into the log, unless it is there."""
        if known.position >= 0:
            return known
        people = await self._people(self._spec(known.campaign))
        if not self._is_small(people) and people > known.people * GROWN:
            raise _conflict(
                f"expected about the {known.people:,} people that were approved, got {people:,} by now; ask again"
            )
        position = self._intake.append([broadcast_record(known.campaign, known.message_id)]).last
        now_ms = self._clock.now_ms()
        await asyncio.to_thread(self._ledger.begin_broadcast, known.id, position, now_ms)
        return msgspec.structs.replace(known, position=position, begun_at=now_ms)


def _conflict(sentence: str) -> RejectedError:
    return RejectedError(sentence, code="conflict", status=HTTPStatus.CONFLICT)
