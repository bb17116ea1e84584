"""The contract of a ledger about people who limited the use of their data."""

from __future__ import annotations

import msgspec

from livepost.ledger.base import EVERY_PURPOSE, Ledger, Limit, LimitKind, Permit
from livepost.model.decision import SEND, ConsentChange, Merge, Parting
from livepost.testing.contracts.ledger import ADA, BOB, START_MS, consent, decision, page, state_of


def limit(kind: LimitKind, purpose: str = EVERY_PURPOSE, person: bytes = ADA) -> Limit:
    """Return a limit of Ada's."""
    return Limit(person=person, kind=kind, purpose=purpose, at=START_MS, request="ab" * 16)


def _news() -> ConsentChange:
    return msgspec.structs.replace(consent(1), purpose="news")


class LimitsContract:
    """The part of the contract that is about limits."""

    def test_restricted_people_get_no_campaigns_mail_of_any_class_and_others_do(self, ledger: Ledger) -> None:
        ledger.take_over(page(consent(0), consent(0, person=BOB)), START_MS)
        ledger.limit(limit("restricted"))
        receipt = decision(2, class_="transactional")
        asked_for = decision(3, class_="transactional", campaign=SEND)
        ledger.take_over(page(decision(1), receipt, asked_for, decision(4, person=BOB)), START_MS)
        assert len(ledger.claim(START_MS, 10, "w")) == 2
        assert [state_of(ledger, one) for one in (decision(1), receipt)] == [("skipped", "restricted")] * 2
        assert state_of(ledger, asked_for)[0] == "claimed"

    def test_a_mail_that_was_claimed_is_looked_at_again_before_it_goes(self, ledger: Ledger) -> None:
        ledger.take_over(page(consent(0), decision(1)), START_MS)
        claims = ledger.claim(START_MS, 1, "w")
        ledger.limit(limit("restricted"))
        [one] = ledger.confirm(claims, [bytes(16)], START_MS)
        assert one.reason == "restricted"

    def test_an_objection_holds_for_its_purpose_whatever_is_allowed_later(self, ledger: Ledger) -> None:
        ledger.limit(limit("objected", "marketing"))
        ledger.take_over(page(consent(0, at=START_MS + 9)), START_MS)
        other, receipt = decision(2, purpose="news"), decision(3, class_="transactional")
        ledger.take_over(page(_news(), decision(1), other, receipt), START_MS)
        ledger.claim(START_MS, 10, "w")
        assert state_of(ledger, decision(1)) == ("skipped", "objected")
        assert [state_of(ledger, one)[0] for one in (other, receipt)] == ["claimed", "claimed"]
        assert not ledger.unlimit(ADA)

    def test_an_objection_to_direct_marketing_holds_for_all_purposes(self, ledger: Ledger) -> None:
        ledger.limit(limit("objected"))
        ledger.take_over(page(_news(), decision(2, purpose="news")), START_MS)
        ledger.claim(START_MS, 10, "w")
        assert state_of(ledger, decision(2, purpose="news")) == ("skipped", "objected")

    def test_nothing_of_them_leaves_and_whoever_keeps_copies_is_told(self, ledger: Ledger) -> None:
        ledger.take_over(page(consent(0), consent(0, person=BOB)), START_MS)
        asked = [Permit(person=one, purpose="marketing") for one in (ADA, BOB)]
        assert ledger.refusals(asked) == ["", ""]
        last = ledger.permit_changes(0, 10).last
        ledger.limit(limit("restricted"))
        ledger.limit(limit("objected", "marketing", BOB))
        assert ledger.refusals(asked) == ["restricted", "objected"]
        assert [one.person for one in ledger.permit_changes(last, 10).items] == [ADA, BOB]

    def test_a_restriction_is_lifted(self, ledger: Ledger) -> None:
        ledger.take_over(page(consent(0)), START_MS)
        ledger.limit(limit("restricted"))
        assert (ledger.restricted([ADA, BOB]), [one.kind for one in ledger.limits(ADA)]) == ({ADA}, ["restricted"])
        assert (ledger.unlimit(ADA), ledger.unlimit(ADA)) == (True, False)
        ledger.take_over(page(decision(1)), START_MS)
        assert len(ledger.claim(START_MS, 10, "w")) == 1

    def test_a_merge_keeps_what_either_limited_and_an_undone_one_leaves_it_with_both(self, ledger: Ledger) -> None:
        ledger.limit(limit("restricted", person=BOB))
        ledger.limit(limit("restricted"))
        ledger.limit(limit("objected", "news", BOB))
        ledger.take_over(page(Merge(old=BOB, new=ADA, position=1)), START_MS)
        kinds = [("objected", "news"), ("restricted", "*")]
        assert [sorted((one.kind, one.purpose) for one in ledger.limits(name)) for name in (ADA, BOB)] == [kinds, kinds]
        parting = Parting(person=ADA, other=BOB, subjects=(BOB,), lost=(), at=START_MS, position=2)
        ledger.take_over(page(parting), START_MS)
        assert [sorted((one.kind, one.purpose) for one in ledger.limits(name)) for name in (ADA, BOB)] == [kinds, kinds]
