"""A person's word on a purpose or choice over HTTP, as the shop's server heard it: "do not sell", "no mails", "yes".

In: whom, what, the words that were shown. Out: what of it is news. Promised: a refusal is in the ledger before the
reply; a yes counts once the engine has it back from the log; the same said again is no news.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.concurrency import run_in_threadpool

from livepost.api.action import Action, Done
from livepost.api.house import House
from livepost.api.people import NOBODY, Id, found_person
from livepost.audit.deed import Deed, named
from livepost.errors import RejectedError
from livepost.govern.access.permission import Permission
from livepost.model.consent import is_signal

HOW = "api"
Key = Annotated[str, Meta(pattern=r"^[a-z0-9 ._:/+-]{1,64}$")]


class ConsentWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose word, about which purpose or choice, yes or no; `shown` is what they were shown, word for word."""

    person: Id
    purpose: Key
    allowed: bool
    shown: Annotated[str, Meta(max_length=10_000)] = ""


class ConsentAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What stands: whose word, on what, and whether it is news."""

    person: str
    purpose: str
    allowed: bool
    news: bool


async def _set(house: House, source: str, key: str, wish: ConsentWish) -> Done:
    answer = await run_in_threadpool(_chosen, house, source, wish)
    await house.echo()
    return Done(answer, answer.news)


def _chosen(house: House, source: str, wish: ConsentWish) -> ConsentAnswer:
    if is_signal(wish.purpose):
        raise RejectedError("expected a purpose, got the name of a browser's signal; name the purpose", code="body")
    view = found_person(house, wish.person)
    shown = msgspec.json.encode({"language": "", "text": wish.shown}).decode() if wish.shown else ""
    news = house.choose(view.person, {wish.purpose: wish.allowed}, source, shown)
    return ConsentAnswer(person=view.person.hex(), purpose=wish.purpose, allowed=wish.allowed, news=bool(news))


SET_CONSENT = Action(
    path="/api/consents",
    needs=Permission("change", "consents"),
    name="set_consent",
    summary="Write down what a person allows or refuses, such as the sale of their data",
    wish=ConsentWish,
    answers=ConsentAnswer,
    run=_set,
    does=lambda wish: Deed("consent.given" if wish.allowed else "consent.withdrawn", (), named(wish.purpose)),
    refusals={404: NOBODY},
)
