"""The public endpoints of mails: `/u` unsubscribes; `hits.py` has clicks and opens, `preferences.py` choices.

In: requests by anyone who holds a mail, scanners included. Out: small pages. Promised: GET decides nothing; a
POST to `/u` is in the ledger before the reply, needs no login, sets no cookie, redirects nowhere (RFC 8058);
a click leads only where the mail's own link led; a body is never read, so it cannot be too large.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from livepost.api.look import Look
from livepost.api.wording import Words
from livepost.clock import Clock
from livepost.deliver.token import Preferences, Tokens, Unsubscribe
from livepost.errors import LivepostError, SealError, StoreError
from livepost.ledger.base import Delivery, Permit, Proof, Withdrawal
from livepost.measure.choice import chosen
from livepost.measure.unsubscribe import unsubscribed
from livepost.model.choice import EXPIRED, is_choice
from livepost.model.record import Record

ECHOES = 500
"""Withdrawals echoed at a time."""

PROOF = "one-click"


class Withdrawals(Protocol):
    """The ledger's part that the public may reach."""

    def withdraw(self, person: bytes, purpose: str, now_ms: int, proof: str) -> Withdrawal:
        """Record a withdrawal, durably."""
        ...

    def unechoed(self, limit: int) -> list[Withdrawal]:
        """Return withdrawals whose echo the log may not have."""
        ...

    def echoed(self, withdrawals: Sequence[Withdrawal]) -> None:
        """Note that the log has their echoes."""
        ...


class Choices(Protocol):
    """The ledger's part that takes what people choose."""

    def choose(
        self, person: bytes, wishes: Mapping[str, bool], now_ms: int, how: str, source: str, shown: str
    ) -> list[Proof]:
        """Record wishes, durably."""
        ...

    def standing(self, person: bytes) -> dict[str, bool]:
        """Return what a person allows and chose."""
        ...

    def unechoed_grants(self, limit: int) -> list[Proof]:
        """Return grants whose echo the log may not have."""
        ...

    def grants_echoed(self, grants: Sequence[Proof]) -> None:
        """Note that the log has their echoes."""
        ...


class Mails(Protocol):
    """The ledger's part that knows mails and who allows what."""

    def delivery(self, decision: bytes) -> Delivery | None:
        """Return what became of a mail."""
        ...

    def refusals(self, asked: Sequence[Permit], now_ms: int | None = None) -> list[str]:
        """Return why each person refuses a purpose, "" for who allows it."""
        ...


class MailLedger(Withdrawals, Choices, Mails, Protocol):
    """The ledger, as far as the public endpoints go."""


class Append(Protocol):
    """The intake's way in for the house's own records."""

    async def __call__(self, records: Sequence[Record]) -> None:
        """Return once the records are in the log; raise LivepostError if they are not."""
        ...


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What a person can choose: purposes of marketing, topics with the words people read, frequencies ("1 per 7d");
    `labels` are the shop's own words for purposes that are no mails."""

    purposes: tuple[str, ...] = ()
    topics: Mapping[str, str] = {}
    frequencies: tuple[str, ...] = ()
    labels: Mapping[str, str] = {}


class MailDesk(msgspec.Struct, frozen=True, kw_only=True):
    """What the endpoints need; `known` says whether a subject names a person for sure (the vault knows).

    opens   the purpose for which a person's opening of mails may be seen, "" for none
    rest    lets a number of seconds pass
    """

    tokens: Tokens
    ledger: MailLedger
    append: Append
    known: Callable[[bytes], bool]
    clock: Clock
    shop_name: str
    look: Look = Look()
    offer: Callable[[], Offer] = Offer
    opens: str = ""
    rest: Callable[[float], Awaitable[object]] = asyncio.sleep

    def not_now(self, words: Words) -> Response:
        """Return the page of a wish that could not be recorded."""
        reply = self.look.notice(words, self.shop_name, "not_now", 503)
        reply.headers["Retry-After"] = "60"
        return reply


def mail_routes(desk: MailDesk) -> list[Route]:
    """Return the routes, for a Starlette app."""

    async def ask(request: Request) -> Response:
        return _ask(desk, request)

    async def unsubscribe(request: Request) -> Response:
        return await _unsubscribe(desk, request)

    return [
        Route("/u/{token}", ask, methods=["GET"]),
        Route("/u/{token}", unsubscribe, methods=["POST"]),
    ]


async def echo(desk: MailDesk) -> int:
    """Bring withdrawals and grants that the log may not have to it; return how many. For the start, and after a POST.

    Raises LivepostError if the log does not take them: they stay for the next time.
    """
    waiting = await asyncio.to_thread(desk.ledger.unechoed, ECHOES)
    if waiting:
        await desk.append([echo_of(desk, one) for one in waiting])
        await asyncio.to_thread(desk.ledger.echoed, waiting)
    grants = await asyncio.to_thread(desk.ledger.unechoed_grants, ECHOES)
    if grants:
        await desk.append([echo_of(desk, one) for one in grants])
        await asyncio.to_thread(desk.ledger.grants_echoed, grants)
    return len(waiting) + len(grants)


def is_forgotten(desk: MailDesk, person: bytes) -> bool:
    """Say whether a person was erased: nothing of theirs can be chosen any more."""
    try:
        desk.known(person)
    except SealError:
        return True
    return False


def _ask(desk: MailDesk, request: Request) -> Response:
    words, link = desk.look.words_for(request), _opened(desk, request)
    if link is None:
        return bad_link(desk, words)
    button = html.escape(words.say("unsubscribe_button"))
    form = f'<form method="post"><button type="submit">{button}</button></form>'
    return _page(desk, words, "unsubscribe", link, form)


async def _unsubscribe(desk: MailDesk, request: Request) -> Response:
    words, link = desk.look.words_for(request), _opened(desk, request)
    if link is None:
        return bad_link(desk, words)
    try:
        # Threads of their own: those that pages and the API share may all wait for an engine that hangs.
        await asyncio.to_thread(
            desk.ledger.withdraw, link.person, link.purpose, desk.clock.now_ms(), f"{PROOF} {link.decision.hex()}"
        )
    except StoreError:
        return desk.not_now(words)
    with contextlib.suppress(LivepostError):  # the ledger has it, which is what counts; the echo is made later
        await echo(desk)
    return _page(desk, words, "unsubscribed", link, "")


def _opened(desk: MailDesk, request: Request) -> Unsubscribe | None:
    try:
        return desk.tokens.open_unsubscribe(request.path_params["token"])
    except SealError:
        return None


def echo_of(desk: MailDesk, one: Withdrawal | Proof) -> Record:
    """Return what the log is told of a word that the ledger has."""
    known = _known(desk, one.person)
    if isinstance(one, Proof):
        return chosen(one.person, one.purpose, one.allowed, one.at, f"{one.how} {one.source}", known=known)
    if is_choice(one.purpose) or one.proof == EXPIRED:
        return chosen(one.person, one.purpose, False, one.at, one.proof, known=known)
    return unsubscribed(one.person, one.purpose, one.at, one.proof, known=known)


def _known(desk: MailDesk, person: bytes) -> bool:
    try:
        return desk.known(person)
    except SealError:  # forgotten meanwhile: the engine will make nothing of it
        return False


def bad_link(desk: MailDesk, words: Words) -> Response:
    """Return the page for a link that is none of ours."""
    return desk.look.notice(words, desk.shop_name, "bad_link", 404)


def _page(desk: MailDesk, words: Words, name: str, link: Unsubscribe, form: str) -> Response:
    """Return a page that asks or answers, with the way to what else can be chosen."""
    token = desk.tokens.preferences(Preferences(link.decision, link.person, link.purpose))
    instead = f'<p><a href="../preferences/{token}">{html.escape(words.say("choose_instead"))}</a></p>'
    title = words.say(name, purpose=words.purpose(link.purpose), shop=desk.shop_name)
    return desk.look.page(words, desk.shop_name, title, form + instead)
