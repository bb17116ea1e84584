"""A person's word on mails over HTTP: whether an unknown one was sent, and whether a held one goes.

In: a delivery, a verdict, a note. Out: the delivery as it is by then. Promised: the same said again changes nothing.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.concurrency import run_in_threadpool

from livepost.api.action import Action, Done
from livepost.api.deliveries import DeliveryAnswer, answer_of
from livepost.api.house import House
from livepost.audit.deed import Deed
from livepost.errors import RejectedError
from livepost.govern.access.permission import Permission
from livepost.ledger.base import Verdict
from livepost.ops.by_hand import NOTE_CHARS

HEX = "^[0-9a-f]{32}$"


class VerdictWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A delivery by its decision's id in hex, what is said of it, and why: it is kept, so it names nobody."""

    delivery: Annotated[str, Meta(pattern=HEX)]
    verdict: Verdict
    note: Annotated[str, Meta(max_length=NOTE_CHARS)] = ""


async def _say(house: House, source: str, key: str, wish: VerdictWish) -> Done:
    return await run_in_threadpool(_said, house, source, wish)


def _said(house: House, source: str, wish: VerdictWish) -> Done:
    decision = bytes.fromhex(wish.delivery)
    if house.delivery(decision) is None:
        raise RejectedError(
            "expected the decision of a mail that the ledger knows, got another; `GET /api/deliveries` lists them",
            code="no_delivery",
            status=HTTPStatus.NOT_FOUND,
        )
    moved = house.say([decision], wish.verdict, source, wish.note)
    found = house.delivery(decision)
    assert found is not None
    return Done(answer_of(found), bool(moved))


SAY = Action(
    path="/api/verdicts",
    needs=Permission("change", "mails"),
    name="say",
    summary="Say of an unknown mail whether it was sent; let a held one go out, or drop it",
    wish=VerdictWish,
    answers=DeliveryAnswer,
    run=_say,
    does=lambda wish: Deed(f"mail.{wish.verdict}", about=wish.delivery),
    refusals={
        HTTPStatus.NOT_FOUND: "the ledger knows no mail of this id",
        HTTPStatus.CONFLICT: "the mail is not in a state of which that can be said",
    },
)
