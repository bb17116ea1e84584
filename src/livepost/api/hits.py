"""Hits on mails: `/c` leads a click on, `/o` answers with a picture; each becomes a record, a person's or a machine's.

In: requests by anyone who holds a mail, scanners included. Out: a redirect, a picture. Promised: a click leads only
where the mail's own link led, whoever makes it; the picture is the same whatever the token is; an open is written down
only while its person allows it; of a person who was erased nothing is; nobody waits for what is written down.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable

import msgspec
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from livepost.api.look import HEADERS
from livepost.api.mail import MailDesk, bad_link
from livepost.deliver.token import Click, Open
from livepost.errors import LivepostError, SealError
from livepost.ledger.base import Permit
from livepost.measure import machine
from livepost.measure.click import clicked
from livepost.measure.open import opened
from livepost.model.record import Record

GIF = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00"
    b"\x01\x00\x00\x02\x02D\x01\x00;"
)
"""One transparent pixel."""

PICTURE = -1
"""The picture's number among the links of a mail."""


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A hit on a link of a mail, or on its picture (PICTURE); `machine` says what the request alone tells."""

    decision: bytes
    person: bytes
    link: int
    at: int
    machine: str


class Bursts:
    """Which links of a mail were followed within the last moments."""

    def __init__(self) -> None:
        """Begin with none."""
        self._under_way: defaultdict[bytes, list[int]] = defaultdict(list)

    async def other_links(self, decision: bytes, link: int, rest: Callable[[float], Awaitable[object]]) -> bool:
        """Say, once BURST_S have passed, whether another link of the mail was followed within it, before or after."""
        links = self._under_way[decision]
        links.append(link)
        seen = set(links)
        try:
            await rest(machine.BURST_S)
            return len(seen | set(links)) > 1
        finally:
            links.remove(link)
            if not links:
                self._under_way.pop(decision, None)


def hit_routes(desk: MailDesk) -> list[Route]:
    """Return the routes, for a Starlette app."""
    bursts = Bursts()

    async def click(request: Request) -> Response:
        return _click(desk, bursts, request)

    async def picture(request: Request) -> Response:
        return _picture(desk, bursts, request)

    return [Route("/c/{token}", click, methods=["GET"]), Route("/o/{token}.gif", picture, methods=["GET"])]


def _click(desk: MailDesk, bursts: Bursts, request: Request) -> Response:
    try:
        link = desk.tokens.open_click(request.path_params["token"])
    except SealError:
        return bad_link(desk, desk.look.words_for(request))
    hit = _hit(desk, request, link, link.link)
    return RedirectResponse(link.target, 302, HEADERS, background=BackgroundTask(_write_down, desk, bursts, hit))


def _picture(desk: MailDesk, bursts: Bursts, request: Request) -> Response:
    noting = None
    with contextlib.suppress(SealError):
        link = desk.tokens.open_picture(request.path_params["token"])
        noting = BackgroundTask(_write_down, desk, bursts, _hit(desk, request, link, PICTURE))
    return Response(GIF, media_type="image/gif", headers=HEADERS, background=noting)


def _hit(desk: MailDesk, request: Request, link: Click | Open, number: int) -> Hit:
    headers = request.headers
    facts = machine.Request(
        method=request.method,
        agent=headers.get("user-agent", ""),
        purpose=headers.get("sec-purpose", "") or headers.get("purpose", "") or headers.get("x-moz", ""),
    )
    told = machine.machine(facts, picture=number == PICTURE)
    return Hit(decision=link.decision, person=link.person, link=number, at=desk.clock.now_ms(), machine=told)


async def _write_down(desk: MailDesk, bursts: Bursts, hit: Hit) -> None:
    """Bring a hit to the log once it is known whether it is one of many; what cannot be written down is lost."""
    with contextlib.suppress(LivepostError):
        known = desk.known(hit.person)  # SealError: erased meanwhile, so nothing is written down
        if hit.link == PICTURE and not await asyncio.to_thread(_may_be_seen, desk, hit.person):
            return
        reason = hit.machine or await _by_its_time(desk, bursts, hit)
        await desk.append([_record(hit, reason, known=known)])


def _may_be_seen(desk: MailDesk, person: bytes) -> bool:
    asked = [Permit(person=person, purpose=desk.opens)]
    return bool(desk.opens) and desk.ledger.refusals(asked, desk.clock.now_ms()) == [""]


async def _by_its_time(desk: MailDesk, bursts: Bursts, hit: Hit) -> str:
    """Return why a hit is a machine's by when it came, after the mail and beside others, or ""."""
    if hit.link != PICTURE and await bursts.other_links(hit.decision, hit.link, desk.rest):
        return machine.BURST
    mail = await asyncio.to_thread(desk.ledger.delivery, hit.decision)
    return machine.early(mail.changed_at if mail is not None and mail.state == "sent" else None, hit.at)


def _record(hit: Hit, reason: str, *, known: bool) -> Record:
    if hit.link == PICTURE:
        return opened(hit.decision, hit.person, hit.at, known=known, machine=reason)
    return clicked(hit.decision, hit.person, hit.link, hit.at, known=known, machine=reason)
