"""Preview as a person: the mail that a campaign would send them now, or why there is none.

Nothing is sent, unless a form asks for a test: that mail, to the address typed into it.
"""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import Annotated

import msgspec

from livepost.audit.deed import Deed, named, people_of
from livepost.console.house import House
from livepost.console.mailbox import FRAME_HEADERS, HTML, Width, Word
from livepost.console.page import ANY, Form, Given, Page, Paper
from livepost.console.people import found_person
from livepost.deliver.mail import NotMade
from livepost.errors import RejectedError
from livepost.govern.access.permission import Permission
from livepost.model.decision import reason_words
from livepost.model.message import RenderedMail
from livepost.model.person import PersonView
from livepost.ops.why import CampaignReason

CONSOLE = "console"
"""Who asks for a test on this page: sessions have no names yet."""


class PreviewAsked(msgspec.Struct, frozen=True):
    """For whom (any id), which campaign's mail, how wide."""

    person: Word | None = None
    campaign: Word | None = None
    width: Width = "desktop"


class FrameAsked(msgspec.Struct, frozen=True):
    """For whom and which campaign's mail."""

    person: Word
    campaign: Word


class TrialTold(msgspec.Struct, frozen=True):
    """The form of a test send. `once` is drawn with the page: a form that is sent twice sends one mail."""

    to: Annotated[str, msgspec.Meta(max_length=254)] = ""
    once: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")] = ""


class PreviewView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows: the campaigns with where the person (subject id in hex) stands in each, and the chosen mail.

    `standing` has the campaign's sentence, None while none is chosen; `problem` why the mail cannot be made.
    `once` is the next test's; `to` an address that was typed; `sent` the test's delivery (hex), `refused` why there is
    none.
    """

    person: str | None
    as_of: int
    campaigns: list[str]
    reasons: list[CampaignReason]
    standing: CampaignReason | None
    mail: RenderedMail | None
    problem: str
    once: str = ""
    to: str = ""
    sent: str = ""
    refused: str = ""


def _preview(house: House, asked: PreviewAsked) -> PreviewView:
    declared = [one.campaign for one in house.campaigns() if one.declared]
    if asked.campaign:
        _require_declared(asked.campaign, declared)
    person = found_person(house, asked.person) if asked.person else None
    reasons = [one for one in house.reasons(person).campaigns if one.campaign in declared] if person else []
    made = house.preview(person, asked.campaign) if person and asked.campaign else None
    return PreviewView(
        person=person.person.hex() if person else None,
        as_of=person.as_of if person else 0,
        campaigns=declared,
        reasons=reasons,
        standing=next((one for one in reasons if one.campaign == asked.campaign), None),
        mail=None if isinstance(made, NotMade) else made,
        problem=reason_words(made.reason, made.detail) if isinstance(made, NotMade) else "",
        once=secrets.token_hex(8),
    )


def _test(house: House, asked: PreviewAsked, told: TrialTold) -> PreviewView:
    view = _preview(house, asked)
    if not asked.person or not asked.campaign or not told.once:
        return msgspec.structs.replace(view, refused="Choose a person and a campaign first.")
    person = found_person(house, asked.person)
    try:
        once = f"{told.once} {told.to}"  # the same form with another address is another test
        known = house.test_send(person, asked.campaign, told.to, CONSOLE, once)
    except RejectedError as error:
        return msgspec.structs.replace(view, to=told.to, refused=f"Nothing was sent: {error}.")
    return msgspec.structs.replace(view, to=told.to, sent=known.delivery.decision.id.hex())


def _frame(house: House, asked: FrameAsked) -> Given:
    _require_declared(asked.campaign, [one.campaign for one in house.campaigns() if one.declared])
    return Given(body=_html(house, found_person(house, asked.person), asked), kind=HTML, headers=FRAME_HEADERS)


def _html(house: House, person: PersonView, asked: FrameAsked) -> bytes:
    made = house.preview(person, asked.campaign)
    return b"" if isinstance(made, NotMade) else made.html.encode()


def _require_declared(campaign: str, declared: list[str]) -> None:
    if campaign not in declared:
        known = ", ".join(declared) or "none"
        raise RejectedError(
            f"expected a campaign of this project ({known}), got {campaign}; was it renamed?",
            code="no_campaign",
            status=HTTPStatus.NOT_FOUND,
        )


def _seen(asked: PreviewAsked, view: PreviewView) -> Deed:
    return Deed("preview.read", people_of([view.person] if view.person else []), named(asked.campaign or ""))


def _tried(asked: PreviewAsked, told: TrialTold) -> Deed:
    return Deed("test_mail.asked", about=named(asked.campaign or ""))


def _opened(asked: FrameAsked) -> Deed:
    return Deed("preview.opened", about=named(asked.campaign))


PREVIEW = Page(
    path="/preview",
    needs=Permission("read", "people"),
    name="preview",
    title="Preview as a person",
    asked=PreviewAsked,
    show=_preview,
    sees=_seen,
    rail="mailbox",
    live=False,
    form=Form(told=TrialTold, needs={ANY: Permission("send", "campaigns")}, does=_tried, take=_test),
)
PREVIEW_HTML = Paper(
    path="/preview/html",
    needs=Permission("read", "people"),
    asked=FrameAsked,
    give=_frame,
    sees=_opened,
    framed=True,
)
