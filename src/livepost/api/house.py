"""The house as the API sees it: a consumer's protocol, filled by `runtime`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from livepost.control.approvals import Approval
from livepost.control.requests import RightsRequest
from livepost.deliver.mail import NotMade
from livepost.govern.rights.correction import Correction
from livepost.govern.rights.entry import Entry
from livepost.govern.rights.holdings import Holdings
from livepost.govern.rights.receipt import CheckedReceipt
from livepost.ledger.base import AskedBroadcast, Delivery, Kill, KnownSend, Proof, SenderStanding, Verdict
from livepost.ledger.moves import State
from livepost.model.choice import Said
from livepost.model.consent_record import ConsentExport
from livepost.model.message import RenderedMail
from livepost.model.person import PersonView
from livepost.model.standing import CampaignStanding
from livepost.model.told import Member, SegmentCount, Standing
from livepost.ops.audit_trail import EntryLine
from livepost.ops.lift import Comparison
from livepost.ops.why import PersonReason


class House(Protocol):
    """What the API asks; blocking, from any thread, but for `read`. Everything raises StoreError where nobody answers
    in time.
    """

    def person(self, name: str, at_least: int) -> PersonView | None:
        """Return a person by userId, email address, anonymousId or subject id in hex; None if nobody is known by it.

        As of log position `at_least` or later: raises StoreError if the engine does not get there in time,
        RejectedError (409) if the log does not reach that far.
        """
        ...

    async def read(self, name: str, at_least: int) -> PersonView | None:
        """Do what `person` does, in the server's event loop."""
        ...

    def purposed(self, view: PersonView, purpose: str) -> PersonView:
        """Return what of a person may be used for a purpose of the policy, nothing where they do not allow it; raise
        RejectedError for a purpose of which nothing is promised.
        """
        ...

    def said(self, person: bytes, limit: int) -> list[Said]:
        """Return what a person said about purposes and choices, newest first, each with its proof."""
        ...

    def consent_records(self, person: bytes) -> ConsentExport:
        """Return a person's consent records, with the names of ISO/IEC TS 27560."""
        ...

    def choose(self, person: bytes, wishes: Mapping[str, bool], source: str, shown: str) -> list[Proof]:
        """Record what a person wishes, as the server of `source` tells it; return what of it is news."""
        ...

    def holdings(self, view: PersonView) -> Holdings:
        """Return what is held on a person, where it went, who saw it; the log is read as a whole."""
        ...

    def receipts(self, limit: int) -> list[CheckedReceipt]:
        """Return the receipts of erasures, the newest first."""
        ...

    def receipt(self, id: str) -> CheckedReceipt | None:
        """Return a receipt by its id in hex, None if there is none."""
        ...

    def rights_requests(self, limit: int) -> tuple[list[RightsRequest], dict[str, int]]:
        """Return rights requests, those that fall due first on top, and how many wait, are due soon, overdue."""
        ...

    def enter_request(self, view: PersonView, entry: Entry) -> tuple[RightsRequest, bool]:
        """Enter a person's request, as a server of the shop took it, once by the key that `outside` is; return it, and
        whether it is new.
        """
        ...

    async def rectify(self, told: Correction) -> RightsRequest:
        """Set right what a person is known by, and answer their request; raises RejectedError, StoreError."""
        ...

    async def echo(self) -> None:
        """Bring what was recorded to the log; where that fails it is brought later."""
        ...

    def reasons(self, view: PersonView, *, records: bool = False) -> PersonReason:
        """Return why a person is in each segment or not, and got each campaign's mail or did not; with the `records`
        of the log that are behind it, if asked for: that takes up to a second.
        """
        ...

    def preview(self, view: PersonView, campaign: str) -> RenderedMail | NotMade:
        """Return what a campaign would say to a person now, or why it cannot; nothing is sent."""
        ...

    def audit(self, person: bytes | None, limit: int) -> list[EntryLine]:
        """Return the newest entries of the audit, about one person alone if a subject's id is given."""
        ...

    def senders(self) -> list[SenderStanding]:
        """Return how each sender stands, the preferred one first."""
        ...

    def segments(self) -> list[SegmentCount]:
        """Return how many people are in each segment, in the project's order."""
        ...

    def members(self, segment: str, after: int, limit: int) -> list[Member]:
        """Return up to `limit` people of a segment with number > `after`."""
        ...

    def deliveries(self, person: bytes | None, campaign: str | None, state: State | None, limit: int) -> list[Delivery]:
        """Return deliveries, newest first."""
        ...

    def comparison(self, campaign: str) -> Comparison | None:
        """Return what a campaign's treated people bought beside those held out; None where nobody is held out."""
        ...

    def broadcasts(self, limit: int) -> list[AskedBroadcast]:
        """Return broadcasts, newest first."""
        ...

    def broadcast_standings(self) -> dict[bytes, CampaignStanding]:
        """Return what became of each broadcast by its id, those that anything was decided of."""
        ...

    def test_send(self, view: PersonView, campaign: str, to: str, by: str, once: str) -> KnownSend:
        """Send a campaign's mail as a person would get it now to an address; once, of the same `once` by the same."""
        ...

    def campaigns(self) -> list[CampaignStanding]:
        """Return where each campaign stands."""
        ...

    def delivery(self, decision: bytes) -> Delivery | None:
        """Return one delivery, None if the ledger does not know it."""
        ...

    def say(self, decisions: Sequence[bytes], verdict: Verdict, by: str, note: str) -> list[bytes]:
        """Say of unknown and held mails what became of them or shall; return those it had not been said of before.

        Raises RejectedError (409) for one in another state.
        """
        ...

    def approvals(self, limit: int) -> list[Approval]:
        """Return what was asked for that a second person has to approve, the newest first."""
        ...

    def kills(self) -> list[Kill]:
        """Return which campaigns are stopped."""
        ...

    def kill(self, campaign: str, *, on: bool) -> None:
        """Stop a campaign's mails, or all marketing (`ALL_MARKETING`), or let them go on."""
        ...

    def standing(self) -> Standing:
        """Return where the house stands."""
        ...
