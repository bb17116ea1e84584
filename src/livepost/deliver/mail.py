"""From a claim to a mail: open what is sealed, ask the author, render, rewrite links, make the bytes.

In: a claim and the person's view. Out: a `Message`, or `NotMade` with a reason of REASONS. Promised: nothing
here sends or writes; a mail that cannot be made stops no other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from livepost.deliver.links import rewrite_links
from livepost.deliver.message import From, Parts, Skeleton, is_address
from livepost.deliver.token import Click, Tokens, Unsubscribe
from livepost.errors import LivepostError, SealError
from livepost.ids import digest
from livepost.ledger.base import Claimed
from livepost.model.compiled import ADDRESS_FEATURE
from livepost.model.decision import Decision
from livepost.model.message import EmailDraft, Message, RenderedMail
from livepost.model.person import PersonView
from livepost.model.record import SealedValue


class Author(Protocol):
    """The project's campaign functions."""

    def draft(self, decision: Decision, person: PersonView, opened: Mapping[str, Any]) -> EmailDraft:
        """Return what the campaign's function wants to say; `opened` are the personal values by feature name."""
        ...


class Renderer(Protocol):
    """The project's templates."""

    def render(self, draft: EmailDraft, values: Mapping[str, Any]) -> RenderedMail:
        """Return the mail for one person; raise LivepostError if it cannot be made."""
        ...


class Seals(Protocol):
    """Opens personal values."""

    def open(self, value: SealedValue) -> Any:
        """Return the plain value; raise SealError if its person was forgotten."""
        ...


class Shop(msgspec.Struct, frozen=True, kw_only=True):
    """Who sends. `public_url` is where links of mails lead, without a slash at its end."""

    sender: From
    name: str
    address: str
    public_url: str


class NotMade(msgspec.Struct, frozen=True):
    """Why there is no mail: a reason of REASONS, and words for people without personal values."""

    reason: str
    detail: str = ""


class Maker:
    """Makes mails for one shop."""

    def __init__(
        self, shop: Shop, author: Author, renderer: Renderer, seals: Seals, secret: Callable[[str], bytes]
    ) -> None:
        """Take the parts; `secret` gives the workspace's 32-byte secret for a purpose (`vault.secret`)."""
        self._shop = shop
        self._author = author
        self._renderer = renderer
        self._seals = seals
        self._tokens = Tokens(secret("tokens"))
        self._message_key = secret("message ids")
        self._domain = shop.sender.address.rpartition("@")[2]
        self._skeletons = {one_click: Skeleton(shop.sender, one_click=one_click) for one_click in (True, False)}

    def make(self, claim: Claimed, view: PersonView | None, now_ms: int) -> Message | NotMade:
        """Return the mail, or why there is none."""
        if view is None:
            return NotMade("no_address", "the engine knows no such person")
        try:
            opened = {name: self._seals.open(value) for name, value in view.sealed.items()}
        except SealError:
            return NotMade("erased")
        recipient = opened.pop(ADDRESS_FEATURE, None)
        if not isinstance(recipient, str) or not is_address(recipient := recipient.strip()):
            return NotMade("no_address", "" if recipient is None else "the address cannot be written to")
        try:
            return self._message(claim, view, opened, recipient, now_ms)
        except LivepostError as error:
            return NotMade("render", str(error))
        except Exception as error:  # an author's function may raise anything, and must not stop the line
            return NotMade("render", f"{claim.decision.campaign} raised {type(error).__name__}")

    def message_id(self, decision: bytes) -> str:
        """Return the mail's Message-ID: a keyed hash of the decision, so the same at each try."""
        return f"<{digest(decision, key=self._message_key).hex()}@{self._domain}>"

    def _message(
        self, claim: Claimed, view: PersonView, opened: Mapping[str, Any], recipient: str, now_ms: int
    ) -> Message:
        decision = claim.decision
        unsubscribe = self._unsubscribe_url(decision, claim.person)
        draft = self._author.draft(decision, view, opened)
        values = {
            **{name: value for name, value in view.features.items() if not name.startswith("$")},
            **{name: value for name, value in opened.items() if not name.startswith("$")},
            **draft.variables,
            "unsubscribe_url": unsubscribe,
            "preferences_url": unsubscribe,
            "shop_name": self._shop.name,
            "shop_address": self._shop.address,
        }
        rendered = self._renderer.render(draft, values)
        marketing = decision.class_ == "marketing"
        message_id = self.message_id(decision.id)
        parts = Parts(
            recipient=recipient,
            subject=rendered.subject,
            at_ms=now_ms,
            message_id=message_id,
            boundary=f"=_{decision.id.hex()}",
            text=rendered.text,
            html=self._with_links(rendered.html, decision.id, claim.person),
            unsubscribe_url=unsubscribe if marketing else "",
        )
        return Message(
            decision=decision.id,
            person=claim.person,
            sender=self._shop.sender.address,
            recipient=recipient,
            message_id=message_id,
            raw=self._skeletons[marketing].fill(parts),
        )

    def _unsubscribe_url(self, decision: Decision, person: bytes) -> str:
        token = self._tokens.unsubscribe(Unsubscribe(decision.id, person, decision.purpose))
        return f"{self._shop.public_url}/u/{token}"

    def _with_links(self, html: str, decision: bytes, person: bytes) -> str:
        own = self._shop.public_url

        def tracked(link: int, target: str) -> str | None:
            token = self._tokens.click(Click(decision, person, link, target))
            return f"{own}/c/{token}" if token else None

        return rewrite_links(html, own, tracked)
