"""Kept mails: the list, and each one as its person gets it. A look at a mail is no open, and its links lead nowhere."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from livepost.audit.deed import Deed, named, people_of
from livepost.console.house import House
from livepost.console.live import SELDOM_S
from livepost.console.page import Given, Page, Paper
from livepost.console.people import found_person
from livepost.errors import RejectedError
from livepost.govern.access.permission import Permission
from livepost.ops.mailbox import MailPage, MailShown

MAILS = 50
"""Mails of a page."""

SHOWN_CHARS = 100_000
"""Of a mail's text or source, on the page; the file has all of it."""

READ_HEADERS = ("From", "To", "Subject", "Date")
"""The headers that people read."""

FRAME_HEADERS = {
    "Content-Security-Policy": (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data: cid:; form-action 'none'; "
        "base-uri 'none'; frame-ancestors 'self'"
    )
}
"""What a mail's own HTML is sent with: nothing is fetched for it and no script runs."""

HTML = "text/html; charset=utf-8"

Word = Annotated[str, Meta(max_length=320)]
Width = Literal["desktop", "phone"]


class MailboxAsked(msgspec.Struct, frozen=True):
    """Which mails: of a campaign, of a person by any id, from before a place."""

    campaign: Word | None = None
    person: Word | None = None
    before: Word | None = None


class MailboxView(msgspec.Struct, frozen=True, kw_only=True):
    """What the list shows; `campaigns` can be chosen from, `person` is the subject's id in hex."""

    page: MailPage
    keeps: bool
    campaigns: list[str]
    person: str | None


class MailAsked(msgspec.Struct, frozen=True):
    """Which mail, and how wide it is shown."""

    id: Word
    width: Width = "desktop"


class MailView(msgspec.Struct, frozen=True, kw_only=True):
    """What a mail's page shows; `cut` says that text or source is longer than what is shown of it."""

    mail: MailShown
    read: list[tuple[str, str]]
    text: str
    source: str
    cut: bool


def _mailbox(house: House, asked: MailboxAsked) -> MailboxView:
    person = found_person(house, asked.person) if asked.person else None
    known = dict.fromkeys(one.campaign for one in house.campaigns())
    return MailboxView(
        page=house.mails(person.subjects if person else None, asked.campaign, asked.before, MAILS),
        keeps=house.keeps_mails(),
        campaigns=list(known | dict.fromkeys([asked.campaign] if asked.campaign else [])),
        person=person.person.hex() if person else None,
    )


def _mail(house: House, asked: MailAsked) -> MailView:
    mail = _found_mail(house, asked)
    source = mail.raw[: SHOWN_CHARS + 1].decode("utf-8", "replace")
    return MailView(
        mail=mail,
        read=[(name, value) for name, value in mail.headers if name in READ_HEADERS],
        text=mail.text[:SHOWN_CHARS],
        source=source[:SHOWN_CHARS],
        cut=max(len(mail.text), len(mail.raw)) > SHOWN_CHARS,
    )


def _html(house: House, asked: MailAsked) -> Given:
    return Given(body=_found_mail(house, asked).html.encode(), kind=HTML, headers=FRAME_HEADERS)


def _file(house: House, asked: MailAsked) -> Given:
    mail = _found_mail(house, asked)
    return Given(
        body=mail.raw,
        kind="message/rfc822",
        headers={"Content-Disposition": f'attachment; filename="{mail.id}.eml"'},
    )


def _found_mail(house: House, asked: MailAsked) -> MailShown:
    mail = house.mail(asked.id)
    if mail is None:
        raise RejectedError(
            "no mail of this id is kept: it was never written, was removed, or its person was forgotten; "
            "/mailbox lists those that are kept",
            code="no_mail",
            status=HTTPStatus.NOT_FOUND,
        )
    return mail


def _listed(asked: MailboxAsked, view: MailboxView) -> Deed:
    return Deed("mailbox.listed", people_of(one.person for one in view.page.mails), named(asked.campaign or ""))


def _seen(asked: MailAsked, view: MailView) -> Deed:
    return Deed("mail.opened", people_of([view.mail.person]), named(view.mail.id))


def _opened(asked: MailAsked) -> Deed:
    return Deed("mail.opened", about=named(asked.id))


MAILBOX = Page(
    path="/mailbox",
    needs=Permission("read", "mailbox"),
    name="mailbox",
    title="Mailbox",
    asked=MailboxAsked,
    show=_mailbox,
    sees=_listed,
    every_s=SELDOM_S,
)
MAIL = Page(
    path="/mailbox/{id}",
    needs=Permission("read", "mailbox"),
    name="mail",
    title="Mail",
    asked=MailAsked,
    show=_mail,
    sees=_seen,
    rail="mailbox",
    live=False,
)
MAIL_HTML = Paper(
    path="/mailbox/{id}/html",
    needs=Permission("read", "mailbox"),
    asked=MailAsked,
    give=_html,
    sees=_opened,
    framed=True,
)
MAIL_FILE = Paper(
    path="/mailbox/{id}/mail.eml", needs=Permission("open", "mailbox"), asked=MailAsked, give=_file, sees=_opened
)
