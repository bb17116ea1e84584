"""The public endpoints of mails: `/u` unsubscribes, `/c` leads a click on.

In: requests by anyone who holds a mail, scanners included. Out: small pages. Promised: GET decides nothing; a
POST to `/u` is in the ledger before the reply, needs no login, sets no cookie, redirects nowhere (RFC 8058);
a click leads only where the mail's own link led; a body is never read, so it cannot be too large.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from livepost.clock import Clock
from livepost.deliver.token import Tokens, Unsubscribe
from livepost.errors import LivepostError, SealError, StoreError
from livepost.ledger.base import Withdrawal
from livepost.measure.click import clicked
from livepost.measure.unsubscribe import unsubscribed
from livepost.model.feedback import OutcomeKind
from livepost.model.record import Record

ECHOES = 500
"""Withdrawals echoed at a time."""

PROOF = "one-click"

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}
_BAD_LINK = "This link is not from one of our mails, or it was cut short. Please use the link in the mail itself.\n"
_NOT_NOW = "Your wish could not be recorded just now. Please try again in a minute.\n"


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


class Clicks(Protocol):
    """The ledger's part that hears of clicks."""

    def note_outcome(self, decision: bytes, outcome: OutcomeKind, at_ms: int) -> bool:
        """Note an outcome of a mail once; return whether it is new."""
        ...


class MailLedger(Withdrawals, Clicks, Protocol):
    """The ledger, as far as the public endpoints go."""


class Append(Protocol):
    """The intake's way in for the house's own records."""

    async def __call__(self, records: Sequence[Record]) -> None:
        """Return once the records are in the log; raise LivepostError if they are not."""
        ...


class MailDesk(msgspec.Struct, frozen=True, kw_only=True):
    """What the endpoints need; `known` says whether a subject names a person for sure (the vault knows)."""

    tokens: Tokens
    ledger: MailLedger
    append: Append
    known: Callable[[bytes], bool]
    clock: Clock
    shop_name: str


def mail_routes(desk: MailDesk) -> list[Route]:
    """Return the routes, for a Starlette app."""

    async def ask(request: Request) -> Response:
        return _ask(desk, request.path_params["token"])

    async def unsubscribe(request: Request) -> Response:
        return await _unsubscribe(desk, request.path_params["token"])

    async def click(request: Request) -> Response:
        return await _click(desk, request.path_params["token"])

    return [
        Route("/u/{token}", ask, methods=["GET"]),
        Route("/u/{token}", unsubscribe, methods=["POST"]),
        Route("/c/{token}", click, methods=["GET"]),
    ]


async def echo(desk: MailDesk) -> int:
    """Bring withdrawals that the log may not have to it; return how many. For the start, and after a POST.

    Raises LivepostError if the log does not take them: they stay for the next time.
    """
    waiting = await asyncio.to_thread(desk.ledger.unechoed, ECHOES)
    if waiting:
        await desk.append([_echo_of(desk, one) for one in waiting])
        await asyncio.to_thread(desk.ledger.echoed, waiting)
    return len(waiting)


def _ask(desk: MailDesk, token: str) -> Response:
    link = _opened(desk, token)
    if link is None:
        return _bad_link()
    question = f"Stop {_purpose(link)} mails from {html.escape(desk.shop_name)}?"
    return _page(question, '<form method="post"><button type="submit">Unsubscribe</button></form>')


async def _unsubscribe(desk: MailDesk, token: str) -> Response:
    link = _opened(desk, token)
    if link is None:
        return _bad_link()
    try:
        # Threads of their own: those that pages and the API share may all wait for an engine that hangs.
        await asyncio.to_thread(
            desk.ledger.withdraw, link.person, link.purpose, desk.clock.now_ms(), f"{PROOF} {link.decision.hex()}"
        )
    except StoreError:
        return PlainTextResponse(_NOT_NOW, 503, {**_HEADERS, "Retry-After": "60"})
    with contextlib.suppress(LivepostError):  # the ledger has it, which is what counts; the echo is made later
        await echo(desk)
    return _page(f"You will get no more {_purpose(link)} mails from {html.escape(desk.shop_name)}.", "")


async def _click(desk: MailDesk, token: str) -> Response:
    try:
        link = desk.tokens.open_click(token)
    except SealError:
        return _bad_link()
    now_ms = desk.clock.now_ms()
    record = clicked(link.decision, link.person, link.link, now_ms, known=_known(desk, link.person))
    with contextlib.suppress(LivepostError):  # a click that cannot be written down still leads on
        await desk.append([record])
    # The courier may hold the ledger for a while: who clicked is led on before the ledger hears of it.
    noting = BackgroundTask(_note_click, desk, link.decision, now_ms)
    return RedirectResponse(link.target, 302, _HEADERS, background=noting)


def _note_click(desk: MailDesk, decision: bytes, at_ms: int) -> None:
    with contextlib.suppress(LivepostError):  # the log has it; one mail less is counted as clicked
        desk.ledger.note_outcome(decision, "clicked", at_ms)


def _opened(desk: MailDesk, token: str) -> Unsubscribe | None:
    try:
        return desk.tokens.open_unsubscribe(token)
    except SealError:
        return None


def _echo_of(desk: MailDesk, one: Withdrawal) -> Record:
    return unsubscribed(one.person, one.purpose, one.at, one.proof, known=_known(desk, one.person))


def _known(desk: MailDesk, person: bytes) -> bool:
    try:
        return desk.known(person)
    except SealError:  # forgotten meanwhile: the engine will make nothing of it
        return False


def _purpose(link: Unsubscribe) -> str:
    return html.escape(link.purpose)


def _bad_link() -> Response:
    return PlainTextResponse(_BAD_LINK, 404, _HEADERS)


def _page(sentence: str, action: str) -> Response:
    return HTMLResponse(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Mail preferences</title>'
        "<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem}"
        "button{font:inherit;padding:.5rem 1rem}</style></head>"
        f"<body><main><h1>{sentence}</h1>{action}</main></body></html>",
        headers=_HEADERS,
    )
