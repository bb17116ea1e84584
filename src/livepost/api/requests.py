"""Rights requests over HTTP, as the shop's server took them: what waits, and enter one.

In: whom, what they ask for, by which law, how it was made sure who they are. Out: the request and its day. Promised: a
restriction, an objection, an opt-out of sale and a rectification with its values hold before the reply; nothing is ever
erased or handed out by such a call: somebody does that, and answers.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType
from starlette.concurrency import run_in_threadpool

from livepost.api.action import Action, Done
from livepost.api.house import House
from livepost.api.operation import Operation
from livepost.api.people import NOBODY, Id, found_person
from livepost.audit.deed import Deed, by_key, people_of
from livepost.control.requests import Regulation, RequestKind, RequestState, RightsRequest
from livepost.errors import RejectedError
from livepost.govern.access.permission import Permission
from livepost.govern.rights.correction import Correction
from livepost.govern.rights.entry import Entry
from livepost.ledger.base import EVERY_PURPOSE

Purpose = Annotated[str, Meta(pattern=r"^[a-z0-9 ._:/+-]{1,64}$")]


class RequestsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """`waiting` for those alone that wait for an answer; they come first, as they fall due."""

    waiting: bool = True
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 100


class RequestTold(msgspec.Struct, frozen=True, kw_only=True):
    """A request; `people` are ids of subjects in hex, times UTC ms of the host's clock (0: not yet)."""

    id: str
    kind: RequestKind
    regulation: Regulation
    way: str
    people: list[str]
    received_at: int
    due_at: int
    extended: str
    verified: str
    state: RequestState
    answered_at: int
    answer: str


class RequestsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Requests, and how many wait, are due within a week, and are overdue."""

    requests: list[RequestTold]
    open: int
    due_soon: int
    overdue: int


class RequestWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose request, and what is asked for; `verified` says how it was made sure that they ask, without a personal
    value, since it stays. `purpose` is for an objection alone: without it, it is to all direct marketing. `traits` are
    the right values of a rectification, which is done and answered then.
    """

    person: Id
    kind: RequestKind
    verified: Annotated[str, Meta(min_length=1, max_length=1_000)]
    regulation: Regulation = "gdpr"
    purpose: Purpose | UnsetType = UNSET
    traits: Annotated[dict[str, Any], Meta(min_length=1, max_length=100)] | UnsetType = UNSET


def _requests(house: House, asked: RequestsAsked) -> RequestsAnswer:
    found, standing = house.rights_requests(asked.limit)
    shown = [_told(one) for one in found if one.is_open or not asked.waiting]
    return RequestsAnswer(requests=shown, **standing)


async def _enter(house: House, source: str, key: str, wish: RequestWish) -> Done:
    answer, first = await run_in_threadpool(_entered, house, source, key, wish)
    if wish.traits is not UNSET and answer.state in ("pending", "in_progress"):
        correction = Correction(request=answer.id, values=wish.traits, by=by_key(source))
        answer = _told(await house.rectify(correction))
    if answer.kind == "opt_out_of_sale":
        await house.echo()
    return Done(answer, first)


def _entered(house: House, source: str, key: str, wish: RequestWish) -> tuple[RequestTold, bool]:
    if wish.purpose is not UNSET and wish.kind != "objection":
        raise RejectedError(
            "expected `purpose` with an objection alone, got it with another kind", code="body", status=409
        )
    if wish.traits is not UNSET and wish.kind != "rectification":
        raise RejectedError(
            "expected `traits` with a rectification alone, got them with another kind", code="body", status=409
        )
    view = found_person(house, wish.person)
    entry = Entry(
        kind=wish.kind,
        regulation=wish.regulation,
        way="api",
        verified=wish.verified,
        by=by_key(source),
        purpose=EVERY_PURPOSE if wish.purpose is UNSET else wish.purpose,
        outside=key,
    )
    entered, first = house.enter_request(view, entry)
    return _told(entered), first


def _told(one: RightsRequest) -> RequestTold:
    same = {name: getattr(one, name) for name in RequestTold.__struct_fields__ if name != "people"}
    return RequestTold(**same, people=[subject.hex() for subject in one.subjects])


REQUESTS = Operation(
    path="/api/requests",
    needs=Permission("read", "requests"),
    name="requests",
    summary="Which rights requests wait, and when each is due",
    asked=RequestsAsked,
    answers=RequestsAnswer,
    run=_requests,
    shows=lambda asked, answer: Deed("requests.read", people_of(id_ for one in answer.requests for id_ in one.people)),
)

ENTER_REQUEST = Action(
    path="/api/requests",
    needs=Permission("send", "requests"),
    name="enter_request",
    summary="Enter what a person asks for by right; restriction, objection and opt-out of sale hold at once",
    wish=RequestWish,
    answers=RequestTold,
    run=_enter,
    does=lambda wish: Deed("request.entered", (), wish.kind),
    refusals={404: NOBODY, 409: "the key came with another request before"},
)
