"""What every ledger makes of clicks and orders; mixed into a `LedgerContract`, which gives `bench` and `ledger`.

`lives` draws what happens; `earned_wrongly` holds a ledger to a naive account of it, to be run against a weakened body
too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from livepost.clock import DAY_MS, SimulatedClock
from livepost.ids import digest
from livepost.ledger.base import AskedBroadcast, Ledger, OutcomeTally
from livepost.model.decision import Merge
from livepost.model.earning import Bought, Earned, Exposed, Hit, HitKind, Measured, Order
from livepost.testing.contracts.ledger import ADA, BOB, START_MS, LedgerBench, decision, page, parting

CLEO = digest("cleo")
PEOPLE = (ADA, BOB, CLEO)
WITHIN_MS = 100

Happened: TypeAlias = tuple[str, int, int, int]
"""What, who or which mail, when, and a number that tells it from others."""

CAMPAIGNS = ("browse_reminder", "welcome")
LETTER = digest("cause", 5)
"""The broadcast that the fifth decision is of."""


def hit(number: int, at: int, kind: HitKind = "clicked", id: int = 0) -> Hit:
    """Return a hit on the `number`-th decision's mail, `at` ms after START_MS."""
    told = digest("hit", number, at, kind, id)
    return Hit(id=told, decision=decision(number).id, kind=kind, at=START_MS + at)


def order(number: int, at: int, person: bytes = ADA, **also: Any) -> Order:
    """Return the `number`-th order, of 10.00 dollars and as many cents as its number."""
    told: dict[str, Any] = {"amount": 1_000 + number, "currency": "USD"}
    return Order(
        id=digest("order", number),
        event=digest("event", number, at),
        subject=person,
        at=START_MS + at,
        **told | also,
    )


def earned(campaign: str = "browse_reminder", broadcast: bytes = b"", **also: Any) -> Earned:
    """Return what one order of ten dollars earned."""
    told: dict[str, Any] = {"currency": "USD", "orders": 1, "mails": 1, "amount": 1_001}
    return Earned(campaign=campaign, broadcast=broadcast, **told | also)


def mails(ledger: Ledger) -> None:
    """Let there be two mails to each of three people, of two campaigns; the fifth is of a broadcast."""
    asked = AskedBroadcast(
        id=LETTER, campaign=CAMPAIGNS[0], message_id="m", asked_at=START_MS, asked_by="ada", people=3
    )
    ledger.ask_broadcast(asked)
    told = [decision(n, person=PEOPLE[n % 3], campaign=CAMPAIGNS[n % 2]) for n in range(6)]
    ledger.take_over(page(*told), START_MS)


class EarningsContract:
    """The part of the contract that is about what mails earn."""

    def test_an_order_goes_to_the_last_click_before_it(self, ledger: Ledger) -> None:
        ledger.take_over(page(decision(1), decision(2, campaign="welcome")), START_MS)
        ledger.measure(Measured(upto=4, hits=[hit(1, 10), hit(2, 20), hit(1, 41)], orders=[order(1, 40)]))
        assert ledger.earned(WITHIN_MS) == [earned("welcome")]
        assert ledger.measured() == 4

    def test_an_order_long_after_the_click_or_of_somebody_else_goes_to_nobody(self, ledger: Ledger) -> None:
        ledger.take_over(page(decision(1)), START_MS)
        ledger.measure(Measured(upto=0, hits=[hit(1, 0)], orders=[order(1, WITHIN_MS), order(2, 5, BOB)]))
        assert ledger.earned(WITHIN_MS) == []
        ledger.measure(Measured(upto=1, orders=[order(3, WITHIN_MS - 1)]))
        assert ledger.earned(WITHIN_MS) == [earned(amount=1_003)]

    def test_a_stretch_of_the_log_counts_once_and_an_order_once_by_its_own_id(self, ledger: Ledger) -> None:
        ledger.take_over(page(decision(1)), START_MS)
        told = Measured(upto=3, hits=[hit(1, 10)], orders=[order(1, 40), order(1, 50, amount=7)])
        for _ in range(3):
            ledger.measure(told)
        assert ledger.earned(WITHIN_MS) == [earned()]
        ledger.measure(Measured(upto=1))
        assert ledger.measured() == 3

    def test_currencies_and_broadcasts_stand_by_themselves(self, ledger: Ledger) -> None:
        mails(ledger)
        ledger.measure(
            Measured(
                upto=9,
                hits=[hit(5, 10), hit(3, 10)],
                orders=[
                    order(1, 20, CLEO),
                    order(2, 20, ADA, currency="EUR"),
                    order(3, 21, ADA, amount=0, currency=""),
                ],
            )
        )
        assert ledger.earned(WITHIN_MS) == [
            earned("welcome", currency="", amount=0),
            earned("welcome", currency="EUR", amount=1_002),
            earned("welcome", LETTER),
        ]

    def test_a_machines_hit_is_an_outcome_and_earns_nothing(self, ledger: Ledger) -> None:
        ledger.take_over(page(decision(1)), START_MS)
        kinds: list[HitKind] = ["machine_clicked", "machine_opened", "opened"]
        ledger.measure(Measured(upto=3, hits=[hit(1, 10, kind) for kind in kinds], orders=[order(1, 40)]))
        assert ledger.earned(WITHIN_MS) == []
        assert ledger.outcome_counts() == [
            OutcomeTally(campaign="browse_reminder", outcome=kind, count=1) for kind in sorted(kinds)
        ]

    def test_what_is_told_of_a_mail_that_the_ledger_does_not_know_changes_nothing(self, ledger: Ledger) -> None:
        ledger.measure(Measured(upto=0, hits=[hit(1, 10)], orders=[order(1, 40)]))
        ledger.take_over(page(decision(1)), START_MS)
        assert (ledger.earned(WITHIN_MS), ledger.outcome_counts()) == ([], [])

    def test_orders_follow_their_person_through_a_merge_and_back(self, ledger: Ledger) -> None:
        ledger.take_over(page(decision(1, person=BOB)), START_MS)
        ledger.measure(Measured(upto=0, hits=[hit(1, 10)], orders=[order(1, 40, ADA), order(2, 50, BOB)]))
        both = earned(orders=2, amount=2_003)
        assert ledger.earned(WITHIN_MS) == [earned(amount=1_002)]
        ledger.take_over(page(Merge(old=ADA, new=BOB, position=2)), START_MS)
        assert ledger.earned(WITHIN_MS) == [both]
        ledger.take_over(page(parting(3)), START_MS)
        assert ledger.earned(WITHIN_MS) == [earned(amount=1_002)]
        ledger.measure(Measured(upto=1, orders=[order(3, 60, ADA)]))
        assert ledger.earned(WITHIN_MS) == [earned(amount=1_002)]

    def test_the_treated_stand_beside_the_held_out_as_they_were_drawn(self, ledger: Ledger) -> None:
        told = [
            decision(1, person=ADA, skip="holdout"),
            decision(2, person=ADA, skip="holdout"),
            decision(3, person=BOB),
            decision(4, person=BOB, skip="cap"),
            decision(5, person=CLEO, skip="consent", detail="marketing: never given"),
            decision(6, person=digest("dora"), skip="topic", detail="tea"),
            decision(7, person=digest("emil"), campaign="welcome", skip="holdout"),
            decision(8, person=digest("fred"), skip="stale"),
        ]
        ledger.take_over(page(*told), START_MS)
        ledger.measure(
            Measured(
                upto=0,
                orders=[
                    order(1, 0),  # before the draw
                    order(2, 1),
                    order(3, WITHIN_MS),
                    order(4, 1 + WITHIN_MS),  # too late
                    order(5, 10, BOB, currency="EUR"),
                    order(6, 10, CLEO),
                ],
            )
        )
        assert ledger.exposed("browse_reminder", WITHIN_MS) == Exposed(
            treated=2,
            held_out=1,
            bought=sorted(
                [
                    Bought(person=ADA, held_out=True, currency="USD", orders=2, amount=2_005),
                    Bought(person=BOB, held_out=False, currency="EUR", orders=1, amount=1_005),
                ],
                key=lambda one: one.person,
            ),
        )
        assert ledger.exposed("nobody", WITHIN_MS) == Exposed(treated=0, held_out=0, bought=[])
        found = ledger.exposed("browse_reminder", WITHIN_MS)
        assert ledger.drop_aged(START_MS + 4_000 * DAY_MS)["answers of servers"] == 0
        assert ledger.exposed("browse_reminder", WITHIN_MS) == found, "who was drawn is known when addresses are not"

    def test_whom_a_campaign_decided_on_before_it_held_anybody_out_is_in_neither_group(self, ledger: Ledger) -> None:
        dora, emil = digest("dora"), digest("emil")
        told = [
            decision(1, person=ADA),  # nobody is held out yet
            decision(2, person=BOB),
            decision(3, person=ADA, skip="holdout"),  # a holdout came: of ADA it is known that she was not drawn before
            decision(4, person=CLEO, skip="holdout"),
            decision(5, person=dora),
            decision(6, person=emil, campaign="welcome"),
        ]
        ledger.take_over(page(*told), START_MS)
        ledger.measure(Measured(upto=0, orders=[order(n, 10, who) for n, who in enumerate((ADA, BOB, CLEO, dora))]))
        found = ledger.exposed("browse_reminder", WITHIN_MS)
        assert (found.treated, found.held_out) == (1, 1)
        assert {one.person for one in found.bought} == {CLEO, dora}
        assert ledger.exposed("welcome", WITHIN_MS).treated == 1

    def test_whom_a_claim_left_out_for_want_of_consent_was_treated(self, ledger: Ledger) -> None:
        ledger.take_over(page(decision(1)), START_MS)
        ledger.withdraw(ADA, "marketing", START_MS + 1, "page")
        assert ledger.claim(START_MS + 2, 10, "w") == []
        assert ledger.exposed("browse_reminder", WITHIN_MS).treated == 1

    def test_of_two_who_are_one_person_the_earlier_draw_counts(self, ledger: Ledger) -> None:
        ledger.take_over(page(decision(1, person=ADA, skip="holdout"), decision(2, person=BOB)), START_MS)
        ledger.take_over(page(Merge(old=ADA, new=BOB, position=3)), START_MS)
        told = ledger.exposed("browse_reminder", WITHIN_MS)
        assert (told.treated, told.held_out) == (0, 1)

    def test_what_is_earned_is_as_a_naive_account_has_it(self, bench: LedgerBench, host: SimulatedClock) -> None:
        @settings(max_examples=40, deadline=None)
        @given(lives())
        def check(life: list[Happened]) -> None:
            ledger = bench.new(host)
            assert earned_wrongly(ledger, life) == []
            ledger.close()

        check()


def lives() -> st.SearchStrategy[list[Happened]]:
    """Return what may happen: clicks on six mails, orders of three people, merges, all in any order, some twice."""
    moments = st.integers(0, 2 * WITHIN_MS)
    happened = st.one_of(
        st.tuples(st.just("click"), st.integers(0, 5), moments, st.integers(0, 2)),
        st.tuples(st.just("machine"), st.integers(0, 5), moments, st.just(0)),
        st.tuples(st.just("order"), st.integers(0, 2), moments, st.integers(0, 8)),
        st.tuples(st.just("merge"), st.integers(0, 2), st.integers(0, 2), st.just(0)),
        st.tuples(st.just("again"), st.just(0), st.just(0), st.just(0)),
    )
    return st.lists(happened, max_size=30)


def earned_wrongly(ledger: Ledger, life: Sequence[Happened]) -> list[Earned]:
    """Let a life happen to a ledger; return what it says was earned and a naive account does not, or the other way."""
    mails(ledger)
    told: list[Measured] = []
    for place, (what, one, other, number) in enumerate(life):
        if what == "merge":
            merging = Merge(old=PEOPLE[one], new=PEOPLE[other], position=100 + place)
            ledger.take_over(page(merging), START_MS)
        elif what == "again":
            for stretch in told:
                ledger.measure(stretch)
        else:
            told.append(_stretch(place, what, one, other, number))
            ledger.measure(told[-1])
    found, right = ledger.earned(WITHIN_MS), naively(life)
    return [one for one in (*found, *right) if (one in found) != (one in right)]


def naively(life: Sequence[Happened]) -> list[Earned]:
    """Return what was earned: each order beside each click, one after the other."""
    names = _names(life)
    clicks = {(START_MS + at, hit(mail, at, id=number).id, mail) for what, mail, at, number in life if what == "click"}
    sums: defaultdict[tuple[str, bytes], list[tuple[int, int]]] = defaultdict(list)
    seen: set[int] = set()
    for what, person, at, number in life:
        if what != "order" or number in seen:
            continue
        seen.add(number)
        before = [
            (clicked, id, mail)
            for clicked, id, mail in clicks
            if names[mail % 3] == names[person] and clicked <= START_MS + at < clicked + WITHIN_MS
        ]
        if before:
            mail = max(before)[2]
            sums[CAMPAIGNS[mail % 2], LETTER if mail == 5 else b""].append((mail, 1_000 + number))
    return [
        earned(
            campaign,
            broadcast,
            orders=len(several),
            mails=len({mail for mail, _ in several}),
            amount=sum(amount for _, amount in several),
        )
        for (campaign, broadcast), several in sorted(sums.items())
    ]


def _stretch(place: int, what: str, one: int, at: int, number: int) -> Measured:
    if what == "order":
        return Measured(upto=place, orders=[order(number, at, PEOPLE[one])])
    return Measured(upto=place, hits=[hit(one, at, "clicked" if what == "click" else "machine_clicked", number)])


def _names(life: Sequence[Happened]) -> list[int]:
    """Return what each of three people is called in the end."""
    names = [0, 1, 2]
    for what, old, new, _ in life:
        if what == "merge":
            source, target = names[old], names[new]
            names = [target if name == source else name for name in names]
    return names
