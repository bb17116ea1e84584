"""The house as the console sees it: a consumer's protocol, filled by `runtime`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from livepost.audit.verify import Verdict as AuditVerdict
from livepost.control.approvals import Approval, ApprovalKind
from livepost.control.glass import Glass
from livepost.control.requests import RequestStory, RightsRequest
from livepost.deliver.mail import NotMade
from livepost.govern.policy.finding import Report
from livepost.govern.policy.records import Records
from livepost.govern.rights.holdings import Holdings
from livepost.govern.rights.receipt import CheckedReceipt
from livepost.govern.rights.standing import RetentionStanding
from livepost.ledger.base import (
    AskedBroadcast,
    Delivery,
    Divergence,
    Kill,
    KnownSend,
    Lift,
    SenderStanding,
    Suppression,
    Verdict,
)
from livepost.ledger.moves import State
from livepost.model.choice import Said
from livepost.model.compiled import Compiled
from livepost.model.consent import ConsentEvent, ConsentTally
from livepost.model.consent_record import ConsentExport
from livepost.model.feedback import ComplaintRate
from livepost.model.letter import Letter, LetterDetail, Replay, Replayed
from livepost.model.message import RenderedMail
from livepost.model.person import PersonView
from livepost.model.standing import CampaignStanding, Pace, PersonLine, ProcessStanding, StoreStanding
from livepost.model.story import PersonStory
from livepost.model.told import Member, SegmentCount, SegmentHistory, Standing
from livepost.ops.audit_trail import EntryLine
from livepost.ops.keyed import Keys
from livepost.ops.lift import Comparison
from livepost.ops.mail_story import MailStory
from livepost.ops.mailbox import MailPage, MailShown
from livepost.ops.webhooks import WebhookStanding
from livepost.ops.why import PersonReason
from livepost.settings.load import Shown


class House(Protocol):
    """What pages ask; blocking, from any thread. Everything raises StoreError where nobody answers in time."""

    def standing(self) -> Standing:
        """Return where the house stands."""
        ...

    def pace(self) -> Pace:
        """Return how fast each room goes, now and over the last minute."""
        ...

    def processes(self) -> list[ProcessStanding]:
        """Return the processes that run."""
        ...

    def stores(self) -> list[StoreStanding]:
        """Return the stores of the data folder."""
        ...

    def changed_pages(self) -> list[str]:
        """Return the pages of the author's folder that are not as they were when they were applied, by name."""
        ...

    def relaxed(self) -> list[str]:
        """Return what the folder's policy.toml allows that the one in force does not, in sentences."""
        ...

    def policies(self) -> tuple[Report, Records | None]:
        """Return how the author's folder fares under the rules of its policy, and its records of processing."""
        ...

    def retention(self) -> RetentionStanding:
        """Return how long what is kept, what the last runs took out, and what nothing read."""
        ...

    def divergences(self, limit: int) -> list[Divergence]:
        """Return decisions that an engine took otherwise once more, behind the fence, at most `limit`."""
        ...

    def settings(self) -> list[Shown]:
        """Return every setting with where it came from; secrets are masked."""
        ...

    def project(self) -> Compiled:
        """Return the project that runs."""
        ...

    def people(self, limit: int) -> list[PersonLine]:
        """Return people who entered or left a segment lately, the newest first; `limit` is 1 to 100."""
        ...

    def person(self, name: str, at_least: int) -> PersonView | None:
        """Return a person by userId, declared key, email address, anonymousId or subject id; None for nobody.

        As of log position `at_least` or later; -1 is as of now.
        """
        ...

    def story(self, view: PersonView, limit: int) -> PersonStory:
        """Return what happened to a person, the newest first; `limit` is 1 to 1,000."""
        ...

    def said(self, person: bytes, limit: int) -> list[Said]:
        """Return what a person said about purposes and choices, newest first, each with its proof."""
        ...

    def consent_records(self, person: bytes) -> ConsentExport:
        """Return a person's consent records, with the names of ISO/IEC TS 27560."""
        ...

    def consent_counts(self) -> list[ConsentTally]:
        """Return of how many people each purpose and choice is in which state."""
        ...

    def newest_consents(self, limit: int) -> list[ConsentEvent]:
        """Return what was said about anybody's consents, newest first."""
        ...

    def reasons(self, view: PersonView, *, records: bool = False) -> PersonReason:
        """Return why a person is in each segment or not, and got each campaign's mail or did not; with the `records`
        of the log that are behind it, if asked for: that takes up to a second.
        """
        ...

    def segments(self) -> list[SegmentCount]:
        """Return how many people are in each segment, in the project's order."""
        ...

    def segment_history(self, since_ms: int) -> list[SegmentHistory]:
        """Return how many people were in each segment by the hour, with what held at `since_ms` (UTC ms) first."""
        ...

    def members(self, segment: str, after: int, limit: int) -> list[Member]:
        """Return up to `limit` people of a segment with number > `after`."""
        ...

    def campaigns(self) -> list[CampaignStanding]:
        """Return where each campaign stands, in the project's order, then those that only the ledger remembers."""
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

    def broadcast(self, campaign: str, message_id: str, by: str) -> AskedBroadcast:
        """Broadcast a campaign, or note that it waits for approval; of one message id it is one broadcast.

        Raises RejectedError (404, 409), OverloadedError, StoreError.
        """
        ...

    def approve(self, id_: bytes, by: str) -> AskedBroadcast:
        """Approve a broadcast, and begin it; raises as `broadcast` does."""
        ...

    def webhooks(self) -> list[WebhookStanding]:
        """Return how webhooks stand, in the settings' order."""
        ...

    def audit(self, person: bytes | None, limit: int) -> list[EntryLine]:
        """Return the newest entries of the audit, about one person alone if a subject's id is given."""
        ...

    def audit_verdict(self) -> AuditVerdict:
        """Look through the whole audit; return whether it is whole and its heads say the same."""
        ...

    def keys(self) -> Keys:
        """Return the keys of programs and of the vault, as people see them."""
        ...

    def revoke_key(self, id_: str) -> None:
        """Make a program's key invalid; raise RejectedError (404) if there is none of that id."""
        ...

    def rotate_vault_key(self) -> None:
        """Begin a rotation of the key-encryption key, or go on with one."""
        ...

    def senders(self) -> list[SenderStanding]:
        """Return how each sender stands, the preferred one first."""
        ...

    def suppression_counts(self) -> dict[str, int]:
        """Return how many addresses are suppressed, by reason."""
        ...

    def suppressed(self, address: str) -> tuple[Suppression | None, list[Lift]]:
        """Return why and since when an address is suppressed, None if it is not, and when it was let go."""
        ...

    def say(self, decisions: Sequence[bytes], verdict: Verdict, by: str, note: str) -> list[bytes]:
        """Say of unknown and held mails what became of them or shall; return those it had not been said of before.

        Raises RejectedError (409) for one in another state.
        """
        ...

    def kills(self) -> list[Kill]:
        """Return which campaigns are stopped."""
        ...

    def approvals(self, limit: int) -> list[Approval]:
        """Return what was asked for that a second person has to approve, the newest first."""
        ...

    def glass(self, limit: int) -> list[Glass]:
        """Return when the glass was broken, the newest first."""
        ...

    def break_glass(self, reason: str, minutes: int, by: str) -> None:
        """Let a user see everything for so many minutes; raise RejectedError (403) for who is no user."""
        ...

    def end_glass(self, id: str, by: str) -> None:
        """End what somebody sees by a broken glass; raise RejectedError (404) if it is not broken."""
        ...

    def settle_approval(self, id: str, kind: ApprovalKind, what: Literal["approve", "refuse"], by: str) -> None:
        """Approve or refuse what was asked for; raise RejectedError for who is no second pair of eyes on it (403),
        for what is not there or of another kind (404), or over (409).
        """
        ...

    def rights_requests(self, limit: int) -> tuple[list[RightsRequest], dict[str, int]]:
        """Return rights requests, those that fall due first on top, and how many wait, are due soon, overdue."""
        ...

    def rights_request(self, id: str) -> RequestStory | None:
        """Return a request with what was done about it; None if there is none."""
        ...

    def receipts(self, limit: int) -> list[CheckedReceipt]:
        """Return the receipts of erasures, the newest first."""
        ...

    def receipt(self, id: str) -> CheckedReceipt | None:
        """Return a receipt by its id in hex, None if there is none."""
        ...

    def settle_request(self, id: str, what: Literal["completed", "cancelled", "extend"], told: str) -> bool:
        """Answer a request, or extend its time; say whether it could be."""
        ...

    def holdings(self, view: PersonView) -> Holdings:
        """Return what is held on a person, where it went, who saw it; the log is read as a whole."""
        ...

    def complaints(self) -> ComplaintRate:
        """Return the complaint rate of marketing mails, and what follows of it."""
        ...

    def kill(self, campaign: str, *, on: bool) -> None:
        """Stop a campaign's mails, or let it mail again."""
        ...

    def deliveries(self, person: bytes | None, campaign: str | None, state: State | None, limit: int) -> list[Delivery]:
        """Return deliveries, the newest first."""
        ...

    def preview(self, view: PersonView, campaign: str) -> RenderedMail | NotMade:
        """Return what a campaign would say to a person now, or why it cannot; nothing is sent."""
        ...

    def test_send(self, view: PersonView, campaign: str, to: str, by: str, once: str) -> KnownSend:
        """Send a campaign's mail as a person would get it now to an address; once, of the same `once` by the same.

        Raises RejectedError (422) for an address or a mail that is none.
        """
        ...

    def keeps_mails(self) -> bool:
        """Return whether mails are kept instead of sent."""
        ...

    def mails(
        self, subjects: tuple[bytes, ...] | None, campaign: str | None, before: str | None, limit: int
    ) -> MailPage:
        """Return kept mails, newest first: of a person's subjects, of a campaign, from before a place, if given."""
        ...

    def mail(self, id: str) -> MailShown | None:
        """Return the kept mail of a decision (its id in hex); None if there is none, or its person was forgotten."""
        ...

    def mail_story(self, id: str) -> MailStory | None:
        """Return what the ledger knows of a mail by its decision's id in hex; None if it knows none."""
        ...

    def letters(self, after: int, limit: int) -> list[Letter]:
        """Return dead letters with position > `after`, at most `limit` and LETTERS_MAX of them, by position."""
        ...

    def letter(self, position: int, *, open: bool) -> LetterDetail:
        """Return one dead letter with its call, as it was told or masked."""
        ...

    def replay(self, wish: Replay) -> Replayed:
        """Replay a dead letter, or say why not; nothing is mailed because of it.

        Raises RejectedError for a call that is none, OverloadedError if too many wish.
        """
        ...
