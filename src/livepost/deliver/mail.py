"""From a claim to a mail: open what is sealed, ask the author, render, rewrite links, make the bytes.

In: a claim and the person's view. Out: a `Message`, or `NotMade` with a reason of REASONS. Promised: nothing
here sends or writes; a mail that cannot be made stops no other. A preview is made the same way, for eyes only: no link
of it is tracked or unsubscribes anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from livepost.deliver.links import rewrite_links, with_picture
from livepost.deliver.message import From, Parts, Skeleton, is_address
from livepost.deliver.message_id import MessageIds
from livepost.deliver.token import Bounces, Click, Open, Preferences, Tokens, Unsubscribe
from livepost.errors import LivepostError, SealError
from livepost.ledger.base import Claimed, Permit
from livepost.model.compiled import ADDRESS_FEATURE
from livepost.model.decision import SEND, TEST, Decision
from livepost.model.message import AskedMail, AskedTest, EmailDraft, Message, RenderedMail
from livepost.model.person import PersonView
from livepost.model.record import SealedValue

Shown = Callable[[str, Any], Any]
"""Returns the value of a personal feature as somebody may see it."""

Made = TypeVar("Made", Message, RenderedMail)


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


class Drafts(Protocol):
    """What programs asked to say, by decision."""

    def draft(self, decision: bytes) -> SealedValue | None:
        """Return the sealed `AskedMail` of a decision; None if it is forgotten or never was."""
        ...


class Shop(msgspec.Struct, frozen=True, kw_only=True):
    """Who sends. `public_url` is where links of mails lead, without a slash at its end; `bounces` is the address that
    mails bounce to, "" for the sender's; `opens` the purpose for which somebody's opening of mails may be seen, "" for
    none.
    """

    sender: From
    name: str
    address: str
    public_url: str
    bounces: str = ""
    opens: str = ""


class NotMade(msgspec.Struct, frozen=True):
    """Why there is no mail: a reason of REASONS, and words for people without personal values."""

    reason: str
    detail: str = ""


FORGOTTEN = "what the mail was to say is not there any more"
NOWHERE = "#"
"""Where the links of a preview lead that would act for the person: unsubscribe, preferences."""


class Maker:
    """Makes mails for one shop."""

    def __init__(
        self,
        shop: Shop,
        author: Author,
        renderer: Renderer,
        seals: Seals,
        secret: Callable[[str], bytes],
        drafts: Drafts | None = None,
        refusals: Callable[[Sequence[Permit]], list[str]] | None = None,
        sees: Callable[[Decision, PersonView], PersonView] | None = None,
    ) -> None:
        """Take the parts; `secret` gives the workspace's 32-byte secret for a purpose (`vault.secret`).

        Without `drafts` mails that programs ask for cannot be made; without `refusals` no opening is seen; without
        `sees`, which leaves of a person what a mail may speak of, it may speak of everything.
        """
        self._sees = sees or (lambda decision, view: view)
        self._refusals = refusals
        self._drafts = drafts
        self._shop = shop
        self._author = author
        self._renderer = renderer
        self._seals = seals
        self._tokens = Tokens(secret("tokens"))
        self._message_ids = MessageIds(secret, shop.sender.address)
        self._bounces = Bounces(shop.bounces, secret("bounces")) if shop.bounces else None
        self._skeletons = {one_click: Skeleton(shop.sender, one_click=one_click) for one_click in (True, False)}

    def make(self, claim: Claimed, view: PersonView | None, now_ms: int) -> Message | NotMade:
        """Return the mail, or why there is none."""
        if view is None:
            return NotMade("no_address", "the engine knows no such person")
        if claim.decision.campaign == TEST:
            return self._tested(claim, now_ms)
        view = self._sees(claim.decision, view)
        sources = self._opened(claim.decision, view)
        if isinstance(sources, NotMade):
            return sources
        opened, asked = sources
        address = opened.pop(ADDRESS_FEATURE, None)
        recipient = asked.to if asked else address
        if not isinstance(recipient, str) or not is_address(recipient := recipient.strip()):
            return NotMade("no_address", "" if recipient is None else "the address cannot be written to")
        return _made(claim.decision.campaign, lambda: self._message(claim, view, opened, recipient, asked, now_ms))

    def preview(self, decision: Decision, view: PersonView, shown: Shown | None = None) -> RenderedMail | NotMade:
        """Return what the decision's campaign would say to a person now, or why it cannot; nobody needs an address.

        Whatever would act for the person leads to NOWHERE, other links lead where the author wrote. The mail is made of
        personal values as they are `shown`, if that is given.
        """
        view = self._sees(decision, view)
        sources = self._opened(decision, view)
        if isinstance(sources, NotMade):
            return sources
        opened, asked = sources
        opened.pop(ADDRESS_FEATURE, None)
        if shown is not None:
            opened = {name: shown(name, value) for name, value in opened.items()}
        return _made(
            decision.campaign,
            lambda: self._untracked(self._rendered(decision, view, opened, asked, (NOWHERE, NOWHERE))),
        )

    def _tested(self, claim: Claimed, now_ms: int) -> Message | NotMade:
        """Return a test send: what was made when it was asked for, in an envelope of its own."""
        try:
            draft = self._drafts.draft(claim.decision.id) if self._drafts else None
            if draft is None:
                return NotMade("render", FORGOTTEN)
            test = msgspec.convert(self._seals.open(draft), AskedTest)
        except SealError:
            return NotMade("erased")
        rendered = RenderedMail(subject=test.subject, html=test.html, text=test.text)
        return _made(TEST, lambda: self._enveloped(claim, test.to, rendered, now_ms))

    def message_id(self, decision: bytes) -> str:
        """Return the mail's Message-ID, the same at each try."""
        return self._message_ids.of(decision)

    def _opened(self, decision: Decision, view: PersonView) -> tuple[dict[str, Any], AskedMail | None] | NotMade:
        """Return the personal values by feature name and, for a send, what was asked to be said; or why not.

        What retention took out of the log (an empty seal) is no value.
        """
        try:
            opened = {name: self._seals.open(value) for name, value in view.sealed.items() if value.seal}
            if decision.campaign != SEND:
                return opened, None
            draft = self._drafts.draft(decision.id) if self._drafts else None
            if draft is None:
                return NotMade("render", FORGOTTEN)
            return opened, msgspec.convert(self._seals.open(draft), AskedMail)
        except SealError:
            return NotMade("erased")

    def _rendered(
        self,
        decision: Decision,
        view: PersonView,
        opened: Mapping[str, Any],
        asked: AskedMail | None,
        own: tuple[str, str],
    ) -> RenderedMail:
        draft = asked or self._author.draft(decision, view, opened)
        values = {
            **{name: value for name, value in view.features.items() if not name.startswith("$")},
            **{name: value for name, value in opened.items() if not name.startswith("$")},
            **draft.variables,
            "unsubscribe_url": own[0],
            "preferences_url": own[1],
            "shop_name": self._shop.name,
            "shop_address": self._shop.address,
        }
        return self._renderer.render(draft, values)

    def _untracked(self, rendered: RenderedMail) -> RenderedMail:
        html = rewrite_links(rendered.html, self._shop.public_url, lambda link, target: None)
        return msgspec.structs.replace(rendered, html=html)

    def _message(
        self,
        claim: Claimed,
        view: PersonView,
        opened: Mapping[str, Any],
        recipient: str,
        asked: AskedMail | None,
        now_ms: int,
    ) -> Message:
        decision = claim.decision
        own = self._own_urls(decision, claim.person)
        rendered = self._rendered(decision, view, opened, asked, own)
        html = self._with_picture(self._with_links(rendered.html, decision.id, claim.person), claim, view)
        tracked = msgspec.structs.replace(rendered, html=html)
        return self._enveloped(claim, recipient, tracked, now_ms, own[0] if decision.class_ == "marketing" else "")

    def _enveloped(
        self, claim: Claimed, recipient: str, rendered: RenderedMail, now_ms: int, unsubscribe_url: str = ""
    ) -> Message:
        """Return a mail as bytes, with one-click unsubscribe if there is an address for it."""
        decision = claim.decision
        message_id = self.message_id(decision.id)
        parts = Parts(
            recipient=recipient,
            subject=rendered.subject,
            at_ms=now_ms,
            message_id=message_id,
            boundary=f"=_{decision.id.hex()}",
            text=rendered.text,
            html=rendered.html,
            unsubscribe_url=unsubscribe_url,
        )
        return Message(
            decision=decision.id,
            person=claim.person,
            sender=self._bounces.address(decision.id) if self._bounces else self._shop.sender.address,
            recipient=recipient,
            message_id=message_id,
            raw=self._skeletons[bool(unsubscribe_url)].fill(parts),
        )

    def _own_urls(self, decision: Decision, person: bytes) -> tuple[str, str]:
        """Return where the mail's reader unsubscribes, and where they choose what they get."""
        unsubscribe = self._tokens.unsubscribe(Unsubscribe(decision.id, person, decision.purpose))
        preferences = self._tokens.preferences(Preferences(decision.id, person, decision.purpose))
        return f"{self._shop.public_url}/u/{unsubscribe}", f"{self._shop.public_url}/preferences/{preferences}"

    def _with_links(self, html: str, decision: bytes, person: bytes) -> str:
        own = self._shop.public_url

        def tracked(link: int, target: str) -> str | None:
            token = self._tokens.click(Click(decision, person, link, target))
            return f"{own}/c/{token}" if token else None

        return rewrite_links(html, own, tracked)

    def _with_picture(self, html: str, claim: Claimed, view: PersonView) -> str:
        """Return the page with the picture by which its opening is seen, if engine and ledger say it may be."""
        purpose = self._shop.opens
        if not purpose or self._refusals is None or view.consents.get(purpose) is not True:
            return html
        if self._refusals([Permit(person=claim.person, purpose=purpose)]) != [""]:
            return html
        token = self._tokens.picture(Open(claim.decision.id, claim.person))
        return with_picture(html, f"{self._shop.public_url}/o/{token}.gif")


def _made(campaign: str, work: Callable[[], Made]) -> Made | NotMade:
    """Return what `work` makes, or why it cannot."""
    try:
        return work()
    except LivepostError as error:
        return NotMade("render", str(error))
    except Exception as error:  # an author's function may raise anything, and must not stop the line
        return NotMade("render", f"{campaign} raised {type(error).__name__}")
