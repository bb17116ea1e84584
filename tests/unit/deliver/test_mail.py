"""The picture by which a mail's opening is seen: in the mail only where engine and ledger both say it may be."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest

from livepost.deliver.mail import Maker, NotMade, Shop
from livepost.deliver.message import From
from livepost.deliver.token import Open, Tokens
from livepost.errors import SealError
from livepost.ids import digest
from livepost.ledger.base import Claimed, Permit
from livepost.model.compiled import ADDRESS_FEATURE
from livepost.model.decision import Decision
from livepost.model.message import EmailDraft, Message, RenderedMail
from livepost.model.person import PersonView
from livepost.model.record import SealedValue
from livepost.testing.contracts.ledger import ADA, START_MS, decision

SHOP = Shop(
    sender=From("Shop", "shop@example.com"), name="Shop", address="", public_url="https://m.example", opens="seen"
)
PICTURE = re.compile(r'<img src="https://m\.example/o/([\w-]+)\.gif" width="1" height="1" alt="">')
ADDRESS = SealedValue("web", ADA, "m1", "email", b"sealed")


class Parts:
    """Author, templates and seals of a shop whose mails say one sentence."""

    def draft(self, decision: Decision, person: PersonView, opened: Mapping[str, Any]) -> EmailDraft:
        return EmailDraft(template="note", subject="Hello")

    def render(self, draft: EmailDraft, values: Mapping[str, Any]) -> RenderedMail:
        return RenderedMail(subject="Hello", html="<html><body><p>Hello</p></body></html>", text="Hello")

    def open(self, value: SealedValue) -> Any:
        if not value.seal:
            raise SealError("no key opens it")
        return "ada@example.com"


def made(shop: Shop = SHOP, refused: str | None = "", **consents: bool) -> str:
    """Return the HTML of a mail to who consents to this; `refused` is the ledger's word, None: it is not asked."""
    message = answered(_view(consents), shop, refused)
    assert isinstance(message, Message)
    body = email.message_from_bytes(message.raw, policy=email.policy.SMTP).get_body(["html"])
    assert body is not None
    return str(body.get_content())


def answered(view: PersonView, shop: Shop = SHOP, refused: str | None = "") -> Message | NotMade:
    """Return a person's mail, or why there is none."""
    asked: list[Permit] = []

    def refusals(permits: Sequence[Permit]) -> list[str]:
        asked.extend(permits)
        return [refused or ""]

    parts = Parts()
    maker = Maker(
        shop, parts, parts, parts, lambda name: digest(name, size=32), None, None if refused is None else refusals
    )
    claim = Claimed(decision=decision(1), person=ADA, fence=1, worker="w", attempt=1)
    answer = maker.make(claim, view, START_MS)
    assert all(one == Permit(person=ADA, purpose="seen") for one in asked)
    return answer


def _view(consents: dict[str, bool], **sealed: SealedValue) -> PersonView:
    return PersonView(
        person=ADA,
        subjects=(ADA,),
        position=0,
        as_of=START_MS,
        features={},
        sealed={ADDRESS_FEATURE: ADDRESS, **sealed},
        memberships=(),
        journeys=(),
        consents=consents,
        next_due=None,
    )


def test_the_picture_is_the_last_thing_in_the_mail_and_names_it_to_nobody_but_us() -> None:
    html = made(seen=True)
    found = PICTURE.search(html)
    assert found is not None and html[found.end() :].startswith("</body>")
    assert Tokens(digest("tokens", size=32)).open_picture(found[1]) == Open(decision(1).id, ADA)


@pytest.mark.parametrize(
    "html",
    [made(), made(seen=False), made(marketing=True), made(seen=True, refused="consent"), made(seen=True, refused=None)],
)
def test_without_anybodys_word_there_is_none(html: str) -> None:
    assert "/o/" not in html and "<img" not in html


def test_without_a_purpose_there_is_none() -> None:
    shop = Shop(sender=SHOP.sender, name="Shop", address="", public_url="https://m.example")
    assert "/o/" not in made(shop, seen=True)


def test_a_value_that_retention_took_out_stops_no_mail_and_one_that_nobody_can_open_does() -> None:
    gone = msgspec.structs.replace(ADDRESS, field="first_name", seal=b"")
    assert isinstance(answered(_view({}, first_name=gone)), Message)
    assert answered(_view({ADDRESS_FEATURE: True}, **{ADDRESS_FEATURE: gone})) == NotMade("no_address")
