"""The contract of a ledger as to the history of consents: what claims see can be derived from it.

In: a fixture `bench` that opens the body under test. Out: pass or fail. Promises: `Spoken` runs drawn words, merges and
partings beside an oracle of its own, to be run against a weakened body too.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livepost.clock import DAY_MS, SimulatedClock
from livepost.ids import digest
from livepost.ledger.base import Ledger, Permit
from livepost.model.choice import EXPIRED
from livepost.model.decision import ConsentChange, Merge, Parting
from livepost.testing.contracts.ledger import ADA, ADDRESS, START_MS, LedgerBench, consent, decision, page, state_of

PEOPLE = tuple(digest("person", number) for number in range(3))
PURPOSES = ("marketing", "ads")
TERM_MS = 10

Step = tuple[str, int, int, int]
"""What happens (one of WORDS), to whom (and with whom), about which purpose."""

WORDS = ("yes", "no", "late", "withdraw", "choose", "refuse", "complain", "expire", "merge", "part")
STEPS = st.lists(
    st.tuples(st.sampled_from(WORDS), st.integers(0, 2), st.integers(0, 2), st.integers(0, 1)), min_size=1, max_size=25
)


class Spoken:
    """Words said to a ledger, and what a naive reader makes of them: may the purpose be used?

    The oracle keeps of each person the engine's last word and the last withdrawal, as FORMATS ("Consent") says.
    """

    def __init__(self, ledger: Ledger) -> None:
        """Begin with nothing said."""
        self.ledger = ledger
        self.at = START_MS
        self.said: dict[tuple[bytes, str], tuple[bool, int]] = {}
        self.taken: dict[tuple[bytes, str], int] = {}
        self.names = {person: person for person in PEOPLE}
        self._position = 0
        ledger.set_consent_terms({"ads": TERM_MS})

    def run(self, steps: Sequence[Step]) -> None:
        """Take steps, a ms each."""
        for word, who, other, which in steps:
            self.at += 1
            self._position += 1
            self._take(word, self.names[PEOPLE[who]], self.names[PEOPLE[other]], PURPOSES[which])

    def _take(self, word: str, person: bytes, other: bytes, purpose: str) -> None:
        match word:
            case "yes" | "no" | "late":
                self._tell(person, purpose, word != "no", self.at - 5 * (word == "late"))
            case "withdraw" | "complain":
                told = self.ledger.withdraw(person, purpose, self.at, f"{word} server")
                self.taken[person, purpose] = told.at
            case "choose" | "refuse":
                wishes = {purpose: word == "choose"}
                for proof in self.ledger.choose(person, wishes, self.at, "preferences", "", "{}"):
                    if proof.allowed:
                        self._tell(person, purpose, True, proof.at)
                    else:
                        self.taken[person, purpose] = proof.at
            case "expire":
                for one in self.ledger.expire_consents(self.at):
                    self.taken[one.person, one.purpose] = one.at
            case "merge" if person != other:
                self._merge(person, other)
            case "part" if person != PEOPLE[0] and self.names[PEOPLE[0]] == person:
                self._part(person)

    def _tell(self, person: bytes, purpose: str, allowed: bool, at: int) -> None:
        told = ConsentChange(
            person=person,
            purpose=purpose,
            allowed=allowed,
            at=at,
            position=self._position,
            source="web",
            message_id=f"m{self._position}",
        )
        self.ledger.take_over(page(told), self.at)
        self.said[person, purpose] = (allowed, at)

    def _merge(self, old: bytes, new: bytes) -> None:
        self.ledger.take_over(page(Merge(old=old, new=new, position=self._position)), self.at)
        self.names = {person: new if name == old else name for person, name in self.names.items()}
        for purpose in PURPOSES:
            words = [self.said.pop((name, purpose)) for name in (old, new) if (name, purpose) in self.said]
            if words:
                self.said[new, purpose] = max(words, key=lambda one: (one[1], not one[0]))
            times = [self.taken.pop((name, purpose)) for name in (old, new) if (name, purpose) in self.taken]
            if times:
                self.taken[new, purpose] = max(times)

    def _part(self, person: bytes) -> None:
        """Let the first person be one of their own again; whose the permissions were nobody knows."""
        other, lost = PEOPLE[0], tuple(one for one in PURPOSES if self.said.get((person, one), (False, 0))[0])
        parting = Parting(person=person, other=other, subjects=(other,), lost=lost, at=self.at, position=self._position)
        for purpose in PURPOSES:
            if not self.allows(person, purpose) and (person, purpose) in self.taken:
                at = max(self.taken[person, purpose], self.at)
                self.taken[other, purpose] = max(at, self.taken.get((other, purpose), 0))
            if purpose in lost:
                del self.said[person, purpose]
        self.ledger.take_over(page(parting), self.at)
        self.names[PEOPLE[0]] = other

    def allows(self, person: bytes, purpose: str) -> bool:
        """Return what the oracle says, as if nothing ever expired by itself."""
        allowed, at = self.said.get((person, purpose), (False, 0))
        return allowed and self.taken.get((person, purpose), -1) < at

    def wrong(self) -> list[str]:
        """Return what history, claims and oracle do not agree on."""
        found = [fault.why for fault in self.ledger.consent_faults()]
        for person, purpose in product(sorted({*self.names.values()}), PURPOSES):
            permits = self.ledger.refusals([Permit(person=person, purpose=purpose)]) == [""]
            if permits is not self.allows(person, purpose):
                found.append(f"claims say {permits} of {purpose}")
            events = [one for one in self.ledger.consent_history(person, 1_000) if one.person == person]
            states = [one.state for one in events if one.purpose == purpose and one.layer != "page"]
            if states and (states[0] == "given") is not permits:
                found.append(f"the history says {states[0]} of {purpose}, claims say {permits}")
        return found


class ConsentsContract:
    """What every ledger does about the history of consents. A subclass gives the fixture `bench`."""

    @pytest.fixture
    def bench(self) -> LedgerBench:
        """Return the bench of the body under test."""
        raise NotImplementedError(f"{type(self).__name__} gives no fixture `bench`; return a LedgerBench from it")

    @pytest.fixture
    def ledger(self, bench: LedgerBench) -> Ledger:
        """Return a new ledger."""
        return bench.new(SimulatedClock(START_MS))

    def test_what_claims_see_is_what_the_history_says(self, bench: LedgerBench) -> None:
        @settings(max_examples=60, deadline=None)
        @given(steps=STEPS)
        def check(steps: list[Step]) -> None:
            spoken = Spoken(bench.new(SimulatedClock(START_MS)))
            spoken.run(steps)
            assert spoken.wrong() == []

        check()

    def test_a_withdrawal_is_in_the_history_with_its_way(self, ledger: Ledger) -> None:
        ledger.take_over(page(consent(0)), START_MS)
        ledger.withdraw(ADA, "marketing", START_MS + 5, "one-click 00ff")
        last, first = ledger.consent_history(ADA)
        assert (first.state, first.how, first.source, first.message_id, first.position) == (
            "given",
            "event",
            "web",
            "m0",
            0,
        )
        assert (last.state, last.how, last.source, last.at, last.step) == (
            "withdrawn",
            "one-click",
            "00ff",
            START_MS + 5,
            2,
        )

    def test_a_refusal_of_who_never_allowed_is_no_withdrawal(self, ledger: Ledger) -> None:
        ledger.take_over(page(consent(0, allowed=False)), START_MS)
        assert [one.state for one in ledger.consent_history(ADA)] == ["refused"]

    def test_a_grant_of_a_page_stands_beside_the_words_shown(self, ledger: Ledger) -> None:
        [proof] = ledger.choose(ADA, {"marketing": True}, START_MS, "preferences", "00ff", '{"form": "words"}')
        [event] = ledger.consent_history(ADA)
        assert (event.layer, event.how, event.words) == ("page", "preferences", proof.words)
        assert ledger.shown_words(event.words) == '{"form": "words"}'
        assert ledger.refusals([Permit(person=ADA, purpose="marketing")]) == ["consent"]

    def test_signals_and_tc_strings_are_told_apart_from_events(self, ledger: Ledger) -> None:
        words = [consent(number, allowed=bool(number)) for number in range(2)]
        told = [_from(one, source) for one, source in zip(words, ("gpc:web", "tcf:web"), strict=True)]
        ledger.take_over(page(*told), START_MS)
        assert [(one.how, one.source) for one in ledger.consent_history(ADA)] == [("tcf", "web"), ("gpc", "web")]

    def test_an_expired_consent_is_none_at_the_claim_and_at_the_confirm(self, ledger: Ledger) -> None:
        ledger.set_consent_terms({"marketing": DAY_MS})
        ledger.take_over(page(consent(0), decision(1), decision(2)), START_MS)
        [first] = ledger.claim(START_MS + DAY_MS - 1, 1, "w")
        [answer] = ledger.confirm([first], [ADDRESS], START_MS + DAY_MS)
        assert answer.reason == "consent"
        assert ledger.claim(START_MS + DAY_MS, 1, "w") == []
        assert state_of(ledger, decision(2)) == ("skipped", "consent")
        asked = [Permit(person=ADA, purpose="marketing")]
        assert ledger.refusals(asked, START_MS + DAY_MS - 1) == [""]
        assert ledger.refusals(asked, START_MS + DAY_MS) == ["consent"]

    def test_what_expired_is_withdrawn_once_and_told_to_who_reads_changes(self, ledger: Ledger) -> None:
        ledger.set_consent_terms({"marketing": DAY_MS})
        ledger.take_over(page(consent(0)), START_MS)
        before = ledger.permit_changes(0, 100).last
        assert ledger.expire_consents(START_MS + DAY_MS - 1) == []
        [one] = ledger.expire_consents(START_MS + DAY_MS)
        assert (one.proof, ledger.expire_consents(START_MS + DAY_MS)) == (EXPIRED, [])
        assert ledger.permit_changes(before, 100).items[0].person == ADA
        assert ledger.consent_history(ADA)[0].state == "expired"
        assert ledger.refusals([Permit(person=ADA, purpose="marketing")]) == ["consent"]
        assert ledger.unechoed(10) == [one]
        ledger.take_over(page(consent(1, at=START_MS + 2 * DAY_MS)), START_MS)
        assert ledger.refusals([Permit(person=ADA, purpose="marketing")], START_MS + 2 * DAY_MS) == [""]

    def test_people_are_counted_by_what_stands_and_once(self, ledger: Ledger) -> None:
        one, other, third = PEOPLE
        ledger.take_over(page(*(consent(number, person=person) for number, person in enumerate(PEOPLE))), START_MS)
        ledger.withdraw(third, "marketing", START_MS + 1, "page")
        ledger.take_over(page(Merge(old=one, new=other, position=9)), START_MS)
        counted = {(tally.purpose, tally.state): tally.people for tally in ledger.consent_counts()}
        assert counted == {("marketing", "given"): 1, ("marketing", "withdrawn"): 1}

    def test_a_persons_history_goes_with_them_through_a_merge(self, ledger: Ledger) -> None:
        one, other, _ = PEOPLE
        ledger.take_over(page(consent(0, person=one), Merge(old=one, new=other, position=1)), START_MS)
        told = ledger.consent_history(other)
        assert (told[-1].person, told[-1].state, told[-1].how) == (one, "given", "event")
        merged = {(event.person, event.state, event.how) for event in told[:-1]}
        assert merged == {(other, "given", "merge"), (one, "moved", "merge")}
        assert ledger.consent_history(one) == told


def _from(one: ConsentChange, source: str) -> ConsentChange:
    return ConsentChange(
        person=one.person,
        purpose=one.purpose,
        allowed=one.allowed,
        at=one.at + one.position,
        position=one.position,
        source=source,
        message_id=one.message_id,
    )
