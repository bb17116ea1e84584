"""Test sends: a campaign's mail as a person would get it now, to an address that somebody types.

In: a person's view, a campaign, an address. Out: a delivery of the campaign `$test`, sealed with that person's key.
Promised: it is asked for once however often the same wish comes under a key, and a key stands for one wish; it counts
in no campaign, cap or feature; suppression and erasure hold for it; no link of it acts for the person.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Protocol

from livepost.clock import Clock
from livepost.deliver.mail import NotMade
from livepost.deliver.message import is_address
from livepost.errors import RejectedError
from livepost.govern.access.sight import EVERYTHING, Sight
from livepost.ids import decision_id, event_id
from livepost.intake.seal import Sealer
from livepost.ledger.base import KnownSend, Ledger, Send
from livepost.model.decision import TEST, Decision, reason_words
from livepost.model.message import AskedTest, RenderedMail
from livepost.model.person import PersonView
from livepost.model.record import SealedValue
from livepost.vault.base import Vault

DRAFT = "$draft"
MARK = "[Test] "
"""What its subject begins with."""


class Previews(Protocol):
    """Makes mails as they would read now."""

    def of(self, campaign: str, view: PersonView, sight: Sight = EVERYTHING) -> RenderedMail | NotMade:
        """Return what a campaign would say to a person, or why it cannot."""
        ...


class Trying:
    """Takes wishes for test sends, in the front and in a command."""

    def __init__(self, *, previews: Previews, ledger: Ledger, workspace: str, clock: Clock) -> None:
        """Take what makes mails, the ledger that has them, and the workspace's clock."""
        self._clock = clock
        self._previews = previews
        self._ledger = ledger
        self._workspace = workspace

    def send(
        self,
        vault: Vault,
        view: PersonView,
        campaign: str,
        to: str,
        by: str,
        once: str,
        sight: Sight = EVERYTHING,
    ) -> KnownSend:
        """Return the delivery; `once` is drawn by who asks (`by`): the same again is the same test. It says no more of
        the person than `sight` lets whoever asks see.

        Raises RejectedError (409) if `once` came with another wish, (422) for an address that cannot be written to or a
        mail that cannot be made, StoreError where nobody answers.
        """
        to = to.strip()
        if not is_address(to):
            raise _unfit("expected a bare ASCII address such as ada@example.com, got something else; correct it")
        wish = "\0".join((by, once, view.person.hex(), campaign, to.casefold()))
        name, body = vault.blind("test key", "\0".join((by, once))), vault.blind("test send", wish)
        known = self._ledger.known_send(name) or self._taken(
            vault, self._previews.of(campaign, view, sight), view, campaign, to, by, name, body
        )
        if known.body != body:
            raise RejectedError(
                "expected the test that this idempotency key came with first, got another; send a new key with it",
                code="key_used",
                status=HTTPStatus.CONFLICT,
            )
        return known

    def _taken(
        self,
        vault: Vault,
        made: RenderedMail | NotMade,
        view: PersonView,
        campaign: str,
        to: str,
        by: str,
        name: bytes,
        body: bytes,
    ) -> KnownSend:
        if isinstance(made, NotMade):
            raise _unfit(f"there is no mail to send: {reason_words(made.reason, made.detail)}")
        test = AskedTest(to=to, subject=MARK + made.subject, html=made.html, text=made.text)
        message_id = f"test-{body.hex()}"
        decision = self._decision(view, campaign, by, message_id)
        seal = Sealer(self._workspace, by).seal(vault.keys(view.person), message_id, {DRAFT: test})[DRAFT]
        draft = SealedValue(by, view.person, message_id, DRAFT, seal)
        return self._ledger.send(Send(key=name, body=body, decision=decision, draft=draft), decision.at)

    def _decision(self, view: PersonView, campaign: str, by: str, message_id: str) -> Decision:
        cause = event_id(by, message_id)
        return Decision(
            id=decision_id(self._workspace, TEST, 0, view.person, cause),
            campaign=TEST,
            version="",
            step=0,
            person=view.person,
            cause=cause,
            cause_text=f"a test of {campaign}, asked for by {by}",
            at=self._clock.now_ms(),
            position=view.position,
            purpose=TEST,
            class_="transactional",
            lane="transactional",
        )


def _unfit(words: str) -> RejectedError:
    return RejectedError(words, code="unfit", status=HTTPStatus.UNPROCESSABLE_ENTITY)
