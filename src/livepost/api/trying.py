"""Test sends over HTTP: a campaign's mail as a person would get it now, to another address."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.concurrency import run_in_threadpool

from livepost.api.action import Action, Done
from livepost.api.house import House
from livepost.api.people import NOBODY, Id, Name, found_person, require_found
from livepost.api.send import ADDRESS, MAX_ADDRESS_CHARS, SendAnswer, answer_of
from livepost.audit.deed import Deed, named
from livepost.govern.access.permission import Permission


class TrialWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which campaign's mail, as whom, to which address."""

    campaign: Name
    person: Id
    to: Annotated[str, Meta(max_length=MAX_ADDRESS_CHARS, extra_json_schema={"pattern": ADDRESS})]


async def _test_send(house: House, source: str, key: str, wish: TrialWish) -> Done:
    return await run_in_threadpool(_sent, house, source, key, wish)


def _sent(house: House, source: str, key: str, wish: TrialWish) -> Done:
    view = found_person(house, wish.person, -1)
    declared = [one.campaign for one in house.campaigns() if one.declared]
    require_found(wish.campaign, tuple(one for one in declared if one == wish.campaign), "campaign", declared)
    known = house.test_send(view, wish.campaign, wish.to, source, key)
    return Done(answer_of(known), known.new)


TEST_SEND = Action(
    path="/api/test-send",
    needs=Permission("send", "campaigns"),
    name="test_send",
    summary="Send a campaign's mail as a person would get it, as a test to an address",
    wish=TrialWish,
    answers=SendAnswer,
    run=_test_send,
    does=lambda wish: Deed("test_mail.asked", about=named(wish.campaign)),
    refusals={
        HTTPStatus.NOT_FOUND: f"{NOBODY}, or no campaign is called so",
        HTTPStatus.CONFLICT: "the key came with another body before",
        HTTPStatus.UNPROCESSABLE_ENTITY: "the address cannot be written to, or the mail cannot be made",
    },
)
