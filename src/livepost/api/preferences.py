"""The preference centre: what a person who gets mails allows, which topics they want, how often.

In: requests with a mail's token. Out: one page with a form. Promised: GET reads and changes nothing; a POST is in the
ledger before its reply, needs no login and no script, and changes only what its form showed; transactional mails are no
matter of choice.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
from collections.abc import Awaitable, Callable, Mapping, Sequence
from urllib.parse import parse_qs

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from livepost.api.body import body_of
from livepost.api.mail import MailDesk, echo, is_forgotten
from livepost.api.wording import Words
from livepost.clock import DAY_MS
from livepost.deliver.token import Preferences
from livepost.errors import LivepostError, SealError, StoreError
from livepost.model.choice import FREQUENCY, TOPIC, cap_of, is_choice

HOW = "preferences"
"""How the proof says that a word came."""

MAX_FORM_BYTES = 16_384
MAX_FIELDS = 200


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What a form shows: purposes, topics and frequencies by their keys, with the words beside them."""

    purposes: Mapping[str, str]
    topics: Mapping[str, str]
    frequencies: Mapping[str, str]


class Form(msgspec.Struct, frozen=True):
    """What a form says: the keys it showed, those that are ticked, the frequency chosen ("": any), and "stop"."""

    shown: frozenset[str]
    ticked: frozenset[str]
    frequency: str
    stop: bool


def preference_routes(desk: MailDesk) -> list[Route]:
    """Return the routes, for a Starlette app."""

    async def show(request: Request) -> Response:
        return await _answer(desk, request, _show)

    async def save(request: Request) -> Response:
        return await _answer(desk, request, _save)

    return [
        Route("/preferences/{token}", show, methods=["GET"]),
        Route("/preferences/{token}", save, methods=["POST"]),
    ]


def shown_to(desk: MailDesk, words: Words, link: Preferences, standing: Mapping[str, bool]) -> Shown:
    """Return what there is to choose: what the shop offers, and what the person chose of what it offered before."""
    offer = desk.offer()
    purposes = dict.fromkeys((*offer.purposes, link.purpose))
    frequencies = [FREQUENCY + frequency for frequency in offer.frequencies]
    frequencies += [key for key, allowed in standing.items() if cap_of(key) and not allowed and key not in frequencies]
    return Shown(
        purposes={
            name: offer.labels.get(name) or words.say("purpose_label", purpose=words.purpose(name)) for name in purposes
        },
        topics={TOPIC + name: words.topic_names.get(name, said) for name, said in offer.topics.items()},
        frequencies={key: _often(words, key) for key in frequencies},
    )


def wishes_of(form: Form, shown: Shown) -> dict[str, bool]:
    """Return what a form says by purpose and choice; of what it did not show, nothing."""
    if form.stop:
        return dict.fromkeys(shown.purposes, False)
    boxes = {key: key in form.ticked for key in (*shown.purposes, *shown.topics) if key in form.shown}
    often = {key: key != form.frequency for key in shown.frequencies if key in form.shown}
    return boxes | often


def frequency_in(standing: Mapping[str, bool]) -> str:
    """Return the key of the fewest mails that a person asked for; "" for any number."""
    asked = {key: cap for key, allowed in standing.items() if not allowed and (cap := cap_of(key)) is not None}
    return max(asked, key=lambda key: (asked[key][1] / asked[key][0], key), default="")


async def _answer(
    desk: MailDesk, request: Request, work: Callable[[MailDesk, Request, Words, Preferences], Awaitable[Response]]
) -> Response:
    words = desk.look.words_for(request)
    try:
        link = desk.tokens.open_preferences(request.path_params["token"])
        if is_forgotten(desk, link.person):
            return desk.look.notice(words, desk.shop_name, "forgotten", 410)
        return await work(desk, request, words, link)
    except SealError:
        return desk.look.notice(words, desk.shop_name, "bad_link", 404)
    except StoreError:
        return desk.not_now(words)


async def _show(desk: MailDesk, request: Request, words: Words, link: Preferences) -> Response:
    standing = await asyncio.to_thread(desk.ledger.standing, link.person)
    return _page(desk, words, shown_to(desk, words, link, standing), standing, saved=False)


async def _save(desk: MailDesk, request: Request, words: Words, link: Preferences) -> Response:
    form = await read_form(request)
    if form is None:
        return desk.look.notice(words, desk.shop_name, "bad_form", 400)
    standing = await asyncio.to_thread(desk.ledger.standing, link.person)
    shown = shown_to(desk, words, link, standing)
    wishes = wishes_of(form, shown)
    await asyncio.to_thread(
        desk.ledger.choose, link.person, wishes, desk.clock.now_ms(), HOW, link.decision.hex(), _told(words, shown)
    )
    with contextlib.suppress(LivepostError):  # the ledger has it, which is what counts; the echo is made later
        await echo(desk)
    return _page(desk, words, shown, {**standing, **wishes}, saved=True)


async def read_form(request: Request) -> Form | None:
    """Return what a form says; None if it is not whole, or larger than any of ours."""
    body = await body_of(request, MAX_FORM_BYTES)
    if body is None:
        return None
    try:
        told = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        return None
    if told.get("whole") != ["yes"] or not told.get("shown"):
        return None
    frequency = told.get("frequency", [""])[0]
    return Form(frozenset(told["shown"]), frozenset(told.get("yes", ())), frequency, "stop" in told)


def _page(desk: MailDesk, words: Words, shown: Shown, standing: Mapping[str, bool], *, saved: bool) -> Response:
    chosen = frequency_in({key: standing.get(key, True) for key in shown.frequencies})
    boxes = {key: standing.get(key, is_choice(key)) for key in (*shown.purposes, *shown.topics)}
    keys = (*shown.purposes, *shown.topics, *shown.frequencies)
    hidden = '<input type="hidden" name="whole" value="yes">' + "".join(
        f'<input type="hidden" name="shown" value="{html.escape(key)}">' for key in keys
    )
    often = {"": words.say("frequency_any"), **shown.frequencies}
    radios = [_field("radio", "frequency", key, text, key == chosen) for key, text in often.items()]
    parts = [
        f'<p role="status">{html.escape(words.say("saved_text"))}</p>'
        if saved
        else f"<p>{html.escape(words.say('preferences_text', shop=desk.shop_name))}</p>",
        f'<form method="post">{hidden}',
        _group(words.say("purposes"), _ticks(shown.purposes, boxes)),
        _group(words.say("topics"), _ticks(shown.topics, boxes)),
        _group(words.say("frequency"), radios if shown.frequencies else []),
        f'<div class="row"><button type="submit">{html.escape(words.say("save"))}</button>',
        f'<button class="quiet" type="submit" name="stop" value="all">{html.escape(words.say("stop"))}</button>',
        "</div></form>",
    ]
    title = words.say("saved" if saved else "preferences", shop=desk.shop_name)
    return desk.look.page(words, desk.shop_name, title, "".join(parts))


def _ticks(labels: Mapping[str, str], boxes: Mapping[str, bool]) -> list[str]:
    return [_field("checkbox", "yes", key, text, boxes[key]) for key, text in labels.items()]


def _field(kind: str, name: str, value: str, text: str, on: bool) -> str:
    checked = " checked" if on else ""
    return (
        f'<label><input type="{kind}" name="{name}" value="{html.escape(value)}"{checked}>'
        f"<span>{html.escape(text)}</span></label>"
    )


def _group(legend: str, fields: Sequence[str]) -> str:
    return f"<fieldset><legend>{html.escape(legend)}</legend>{''.join(fields)}</fieldset>" if fields else ""


def _often(words: Words, key: str) -> str:
    told = "frequency_" + key.removeprefix(FREQUENCY).replace(" ", "_")
    if told in words.said:
        return words.say(told)
    times, per_ms = cap_of(key) or (0, 0)
    return words.say("frequency_other", times=times, days=per_ms // DAY_MS)


def _told(words: Words, shown: Shown) -> str:
    """Return the words that the form showed, for the proof."""
    return msgspec.json.encode({"language": words.language, "form": shown}).decode()
