"""Double opt-in: a form asks for mails, the address itself confirms.

In: `POST /v1/subscribe` with either key; GET and POST of a confirmation's link. Out: pages, or JSON for who sent JSON.
Promised: asking makes no address sendable and gives no consent; only the POST behind the mail's link does, in the
ledger before its reply; the answer to asking is the same whoever the address belongs to.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import parse_qs

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from livepost.api.allowance import asker_of
from livepost.api.body import BODY_S, body_of
from livepost.api.mail import MailDesk, echo, is_forgotten
from livepost.api.wording import Words
from livepost.collect.token import Keys, authenticate
from livepost.deliver.message import is_address
from livepost.deliver.token import Confirm
from livepost.errors import LivepostError, OverloadedError, RejectedError, SealError
from livepost.ledger.base import Confirmation
from livepost.model.choice import TOPIC
from livepost.model.record import KeyKind

MAX_BODY_BYTES = 8_192
MAX_FIELDS = 60
MAX_ADDRESS_CHARS = 254
DEFAULT_PURPOSE = "marketing"

_PURPOSE = re.compile(r"[a-z0-9 ._:/+-]{1,64}")
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
}


class SubscribeWish(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What is asked for. `user_id` says whose address it is, which only a secret key may; `topics` are those wanted:
    where there are any, the others are not.
    """

    email: str
    purpose: str = DEFAULT_PURPOSE
    topics: tuple[str, ...] = ()
    user_id: str = ""
    write_key: str = ""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks for what: the key's source and kind, the asker's address, the words of the mail to come."""

    source: str
    key: KeyKind
    asker: str
    wish: SubscribeWish
    words: Words


class Subscriptions(Protocol):
    """Who asks addresses, and takes their answers."""

    async def ask(self, asked: Asked) -> None:
        """Have the address asked, durably; of one that was asked often enough, or is suppressed, nothing happens.

        Raises RejectedError if the project cannot ask, OverloadedError for too many wishes of an asker, StoreError if
        it is not taken.
        """
        ...

    async def confirm(self, one: Confirmation, shown: str) -> None:
        """Make the address sendable and note what was allowed, durably; doing it twice changes nothing.

        Raises SealError if the person was forgotten, LivepostError if it is not taken.
        """
        ...

    def purpose(self, one: Confirmation) -> str:
        """Return what the address is asked to be used for; raise SealError if the person was forgotten."""
        ...


class SubscribeDesk(msgspec.Struct, frozen=True, kw_only=True):
    """What the endpoints need."""

    desk: MailDesk
    keys: Keys
    subscriptions: Subscriptions
    confirmation: Callable[[bytes], Confirmation | None]


def subscribe_routes(desk: SubscribeDesk) -> list[Route]:
    """Return the routes, for a Starlette app."""

    async def ask(request: Request) -> Response:
        return await _ask(desk, request)

    async def preflight(request: Request) -> Response:
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=_CORS)

    async def show(request: Request) -> Response:
        return await _answer(desk, request, _show)

    async def confirm(request: Request) -> Response:
        return await _answer(desk, request, _confirm)

    return [
        Route("/v1/subscribe", ask, methods=["POST"]),
        Route("/v1/subscribe", preflight, methods=["OPTIONS"]),
        Route("/confirm/{token}", show, methods=["GET"]),
        Route("/confirm/{token}", confirm, methods=["POST"]),
    ]


async def _ask(desk: SubscribeDesk, request: Request) -> Response:
    words, is_form = desk.desk.look.words_for(request), "urlencoded" in request.headers.get("content-type", "")
    try:
        wish = _read(await _body(request), is_form)
        authorization = request.headers.get("authorization")
        source, key = authenticate(desk.keys, authorization.encode() if authorization else None, wish.write_key)
        _check(desk, wish, key)
        asker = asker_of(request.client.host if request.client else "")
        await desk.subscriptions.ask(Asked(source=source, key=key, asker=asker, wish=wish, words=words))
    except LivepostError as error:
        return _refused(desk.desk, words, error, is_form)
    if is_form:
        return desk.desk.look.notice(words, desk.desk.shop_name, "asked")
    return JSONResponse({"success": True}, headers=_CORS)


def _check(desk: SubscribeDesk, wish: SubscribeWish, key: KeyKind) -> None:
    offer = desk.desk.offer()
    unknown = [topic for topic in wish.topics if topic not in offer.topics]
    if len(wish.email) > MAX_ADDRESS_CHARS or not is_address(wish.email):
        raise _unfit("`email` to be a bare ASCII address such as ada@example.com", "correct it", "bad_address")
    if wish.purpose not in (DEFAULT_PURPOSE, *offer.purposes) or not _PURPOSE.fullmatch(wish.purpose):
        raise _unfit(f"`purpose` to be one of {', '.join(offer.purposes) or DEFAULT_PURPOSE}", "choose one")
    if unknown:
        raise _unfit(f"`topics` to be of {', '.join(offer.topics) or 'none'}", "leave the others out")
    if wish.user_id and key is not KeyKind.SECRET:
        raise _unfit("no `userId` with a write key: anybody can say whose address it is", "send it with a secret key")


def _unfit(expected: str, next_: str, code: str = "unfit") -> RejectedError:
    return RejectedError(f"expected {expected}, got something else; {next_}", code=code)


async def _body(request: Request) -> bytes:
    body = await body_of(request, MAX_BODY_BYTES)
    if body is None:
        raise RejectedError(
            f"expected at most {MAX_BODY_BYTES} bytes within {BODY_S:g} s, got more; send address and purpose alone",
            code="too_large",
            status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        )
    return body


def _read(body: bytes, is_form: bool) -> SubscribeWish:
    try:
        if not is_form:
            return msgspec.json.decode(body, type=SubscribeWish)
        told: dict[str, Any] = dict(parse_qs(body.decode(), max_num_fields=MAX_FIELDS))
        many = told.pop("topics", [])
        return msgspec.convert({**{key: one[0] for key, one in told.items()}, "topics": many}, SubscribeWish)
    except (ValueError, RecursionError):
        raise RejectedError(
            "expected `email`, and perhaps `purpose`, `topics`, `userId` and `writeKey`, got something else; "
            "send them as a form or as JSON",
            code="unreadable",
        ) from None


def _refused(desk: MailDesk, words: Words, error: LivepostError, is_form: bool) -> Response:
    """Say why an address is not asked: as a page to a form, as JSON to a program."""
    status, code, retry = _fault(error)
    headers = {"Retry-After": str(retry)} if retry else {}
    if not is_form:
        return JSONResponse({"code": code, "message": str(error)}, status, {**_CORS, **headers})
    page = {"bad_address": "bad_address", "overloaded": "too_many", "unavailable": "not_now"}.get(code)
    if page is None:
        text = f"<p>{html.escape(str(error))}</p>"  # for the author of the form, who is the one to mend it
        return desk.look.page(words, desk.shop_name, words.say("bad_form"), text, status)
    reply = desk.look.notice(words, desk.shop_name, page, status)
    reply.headers.update(headers)
    return reply


def _fault(error: LivepostError) -> tuple[int, str, int]:
    if isinstance(error, RejectedError):
        return error.status, error.code, 0
    if isinstance(error, OverloadedError):
        return HTTPStatus.TOO_MANY_REQUESTS, "overloaded", error.retry_after_s
    return HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", 60


async def _answer(
    desk: SubscribeDesk,
    request: Request,
    work: Callable[[SubscribeDesk, Words, Confirmation], Awaitable[Response]],
) -> Response:
    mail, words = desk.desk, desk.desk.look.words_for(request)
    try:
        link = mail.tokens.open_confirm(request.path_params["token"])
        if is_forgotten(mail, link.person):
            return mail.look.notice(words, mail.shop_name, "forgotten", HTTPStatus.GONE)
        one = await asyncio.to_thread(desk.confirmation, link.decision)
        if not _is_open(one, link, mail.clock.now_ms()):
            return mail.look.notice(words, mail.shop_name, "expired", HTTPStatus.GONE)
        assert one is not None
        return await work(desk, words, one)
    except SealError:
        return mail.look.notice(words, mail.shop_name, "bad_link", HTTPStatus.NOT_FOUND)
    except LivepostError:
        return mail.not_now(words)


def _is_open(one: Confirmation | None, link: Confirm, now_ms: int) -> bool:
    return one is not None and one.person == link.person and (one.confirmed_at > 0 or now_ms < one.expires_at)


async def _show(desk: SubscribeDesk, words: Words, one: Confirmation) -> Response:
    title, text, button = _asking(desk, words, one)
    inside = (
        f'<p>{html.escape(text)}</p><form method="post"><button type="submit">{html.escape(button)}</button></form>'
    )
    return desk.desk.look.page(words, desk.desk.shop_name, title, inside)


async def _confirm(desk: SubscribeDesk, words: Words, one: Confirmation) -> Response:
    shown = msgspec.json.encode({"language": words.language, "page": _asking(desk, words, one)}).decode()
    await desk.subscriptions.confirm(one, shown)
    with contextlib.suppress(LivepostError):  # the ledger has it, which is what counts; the echo is made later
        await echo(desk.desk)
    return desk.desk.look.notice(words, desk.desk.shop_name, "confirmed")


def _asking(desk: SubscribeDesk, words: Words, one: Confirmation) -> tuple[str, str, str]:
    """Return the words of the page that asks: title, text, button."""
    purpose = words.purpose(desk.subscriptions.purpose(one))
    text = words.say("confirm_text", purpose=purpose, shop=desk.desk.shop_name)
    return words.say("confirm", shop=desk.desk.shop_name), text, words.say("confirm_button")


def wishes_in(purpose: str, wanted: tuple[str, ...], offered: tuple[str, ...]) -> dict[str, bool]:
    """Return what a confirmed wish says, by purpose and choice."""
    topics = {TOPIC + name: name in wanted for name in offered} if wanted else {}
    return {purpose: True, **topics}
