"""Rights requests: which wait, when each is due, what was done about one; a form that answers or extends it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from livepost.audit.deed import Deed, named
from livepost.clock import WallClock
from livepost.console.house import House
from livepost.console.live import SELDOM_S
from livepost.console.page import ANY, Form, NothingAsked, Page
from livepost.control.requests import Callback, RequestStep, RightsRequest
from livepost.errors import RejectedError
from livepost.govern.access.permission import Permission
from livepost.govern.rights.deadline import SOON_MS

SHOWN = 200


class RequestsView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows; `now_ms` is the host's time, as the requests' times are."""

    requests: list[RightsRequest]
    standing: dict[str, int]
    now_ms: int
    soon_ms: int = SOON_MS


class RequestAsked(msgspec.Struct, frozen=True, kw_only=True):
    """The request's id."""

    id: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]


class RequestTold(msgspec.Struct, frozen=True, kw_only=True):
    """The form: what to do with it, and the sentence that stays."""

    what: Literal["completed", "cancelled", "extend"]
    told: Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]


class RequestView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of one request shows."""

    one: RightsRequest
    person: str
    steps: Sequence[RequestStep]
    callbacks: Sequence[Callback]
    receipts: Sequence[str]
    now_ms: int
    soon_ms: int = SOON_MS


def _requests(house: House, asked: NothingAsked) -> RequestsView:
    found, standing = house.rights_requests(SHOWN)
    return RequestsView(requests=found, standing=standing, now_ms=WallClock().now_ms())


def _request(house: House, asked: RequestAsked) -> RequestView:
    found = house.rights_request(asked.id)
    if found is None:
        raise RejectedError("no rights request has this id; the list shows all", code="request", status=404)
    one = found.request
    person = one.subjects[0].hex() if one.subjects else ""
    return RequestView(
        one=one,
        person=person,
        steps=found.steps,
        callbacks=found.callbacks,
        receipts=found.receipts,
        now_ms=WallClock().now_ms(),
    )


def _take(house: House, asked: RequestAsked, told: RequestTold) -> RequestView:
    if not house.settle_request(asked.id, told.what, told.told):
        raise RejectedError(
            "expected a request that waits, got one that is answered, acted on or was extended; look at it anew",
            code="request",
            status=409,
        )
    return _request(house, asked)


REQUESTS = Page(
    path="/requests",
    needs=Permission("read", "requests"),
    name="requests",
    title="Rights requests",
    asked=NothingAsked,
    show=_requests,
    sees=None,
    rail="people",
    every_s=SELDOM_S,
)

REQUEST = Page(
    path="/requests/{id}",
    needs=Permission("read", "requests"),
    name="request",
    title="Rights request",
    asked=RequestAsked,
    show=_request,
    sees=lambda asked, view: Deed("request.read", view.one.subjects, view.one.id),
    rail="people",
    every_s=SELDOM_S,
    form=Form(
        told=RequestTold,
        needs={ANY: Permission("change", "requests")},
        does=lambda asked, told: Deed(f"request.{told.what}", about=named(asked.id)),
        take=_take,
    ),
)
