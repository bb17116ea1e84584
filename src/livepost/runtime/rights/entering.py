"""Rights requests as they come in: entered, and where nobody has to look anything up, done.

In: a person, what they ask for, by which law. Out: the request. Promised: it is entered before anything is done about
it; what takes effect at once is done in the ledger, so the next claim sees it, and can be done twice: a request that a
crash left between is entered again under its outside id and finished then.
"""

from __future__ import annotations

from collections.abc import Sequence

from livepost.clock import Clock
from livepost.control.requests import RequestKind, Requests, RightsRequest
from livepost.errors import RejectedError
from livepost.govern.consent.rules import sales_of
from livepost.govern.rights.deadline import due_at
from livepost.govern.rights.entry import Entry
from livepost.ids import new_subject_id
from livepost.ledger.base import EVERY_PURPOSE, Ledger, Limit, LimitKind
from livepost.model.person import PersonView
from livepost.settings.policy import Policy

HOW = "request"
"""How the proof says that an opt-out came; its source is the request's id."""

LIMITS: dict[RequestKind, LimitKind] = {"restriction": "restricted", "objection": "objected"}
"""What takes effect as it is entered, besides an opt-out of sale; the others wait for somebody."""


class Entering:
    """Enters requests of one workspace; `host` is the host's clock, `clock` the workspace's."""

    def __init__(self, requests: Requests, ledger: Ledger, policy: Policy | None, *, clock: Clock, host: Clock) -> None:
        """Take where they are kept and take effect, and what the project calls a sale."""
        self._requests = requests
        self._ledger = ledger
        self._policy = policy
        self._clock = clock
        self._host = host

    def enter(self, view: PersonView, entry: Entry) -> RightsRequest:
        """Enter a person's request, do it if it can be done at once, and return it as it stands then.

        Raises RejectedError: 409 where another request came under the outside id, 404 for a purpose that nobody has.
        """
        self._require_purpose(entry)
        request = _request(entry, view.subjects, self._host.now_ms())
        entered = self._requests.enter(request)
        if (
            entered.kind != entry.kind
            or not {*entered.subjects} & {*view.subjects}
            or self._other(entered, view, entry)
        ):
            raise RejectedError(
                "expected the request that this idempotency key came with first, got another; send a new key with it",
                code="key_used",
                status=409,
            )
        if entered.is_open and (told := self._done(entered.id, view.person, entry)):
            self._requests.move(entered.id, "completed", now_ms=self._host.now_ms(), by=entry.by, told=told)
        return self._requests.get(entered.id) or entered

    def _require_purpose(self, entry: Entry) -> None:
        known = None if self._policy is None else {*self._policy.purposes, EVERY_PURPOSE}
        if entry.kind == "objection" and known is not None and entry.purpose not in known:
            raise RejectedError(
                f"expected one of the purposes of policy.toml ({', '.join(sorted(known))}), got another name",
                code="no_purpose",
                status=404,
            )

    def _other(self, entered: RightsRequest, view: PersonView, entry: Entry) -> bool:
        """Whether an objection that took effect before was about another purpose."""
        if entry.kind != "objection" or entered.is_open:
            return False
        limits = [one for one in self._ledger.limits(view.person) if one.kind == "objected"]
        return not any(one.purpose == entry.purpose for one in limits)

    def _done(self, id_: str, person: bytes, entry: Entry) -> str:
        """Do what can be done at once; return what was done, "" if somebody has to do it."""
        if limit := LIMITS.get(entry.kind):
            purpose = entry.purpose if limit == "objected" else EVERY_PURPOSE
            at = self._clock.now_ms()
            self._ledger.limit(Limit(person=person, kind=limit, purpose=purpose, at=at, request=id_))
            return "it takes effect from now on"
        if entry.kind == "opt_out_of_sale" and self._policy is not None:
            return self._opted_out(id_, person, sales_of(self._policy))
        return ""

    def _opted_out(self, id_: str, person: bytes, sales: Sequence[str]) -> str:
        if not sales:
            return "policy.toml calls nothing a sale or sharing, so there is nothing to opt out of"
        self._ledger.choose(person, dict.fromkeys(sales, False), self._clock.now_ms(), HOW, id_, "")
        return f"opted out from now on: {', '.join(sales)}"


def _request(entry: Entry, subjects: Sequence[bytes], now_ms: int) -> RightsRequest:
    return RightsRequest(
        id=new_subject_id().hex(),
        kind=entry.kind,
        regulation=entry.regulation,
        way=entry.way,
        outside=entry.outside,
        subjects=tuple(subjects),
        submitted_at=now_ms,
        received_at=now_ms,
        due_at=due_at(entry.regulation, now_ms, kind=entry.kind),
        verified=entry.verified,
        entered_by=entry.by,
    )
