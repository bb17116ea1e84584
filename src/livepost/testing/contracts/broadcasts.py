"""What every ledger counts of a broadcast by itself; mixed into a `LedgerContract`, which gives `ledger`."""

from __future__ import annotations

from collections import Counter
from typing import Any

from livepost.clock import HOUR_MS
from livepost.ids import digest
from livepost.ledger.base import AskedBroadcast, Ledger
from livepost.model.decision import Decision
from livepost.testing.contracts.ledger import (
    ADA,
    BOB,
    START_MS,
    cancellation,
    clicked,
    consent,
    decision,
    flown,
    page,
    settled,
)

LETTER, NEXT_LETTER = digest("letter"), digest("next letter")


def mail_of(broadcast: bytes, number: int, after: int = 0, **also: Any) -> Decision:
    """Return the `number`-th decision, which a broadcast of "letter" caused, the next one a place later."""
    place = after + (1 if broadcast == LETTER else 2)
    return decision(number, place, cause=broadcast, campaign="letter", lane="bulk", **also)


def letter_to_three(ledger: Ledger) -> None:
    """Let a letter go to two people, of whom one clicks, and not to a third; the next one waits."""
    after = max(0, ledger.cursor())
    for number, id_ in enumerate((LETTER, NEXT_LETTER), 1):
        asked = AskedBroadcast(
            id=id_, campaign="letter", message_id=f"m{number}", asked_at=START_MS + number, asked_by="ada", people=3
        )
        ledger.ask_broadcast(asked)
        ledger.begin_broadcast(id_, after + number, START_MS)
    letter = [mail_of(LETTER, number, after) for number in (1, 2)]
    held_out = mail_of(LETTER, 3, after, person=BOB, skip="holdout")
    ledger.take_over(page(consent(after + 1), *letter, held_out), START_MS)
    settled(ledger, flown(ledger, ledger.claim(START_MS, 10, "w")), "sent")
    others = (decision(5, after + 3), decision(6, after + 3, lane="bulk"))
    ledger.take_over(page(mail_of(NEXT_LETTER, 4, after), *others), START_MS)
    for _ in range(2):
        clicked(ledger, decision(1).id, START_MS)
    clicked(ledger, decision(5).id, START_MS)


def counted(ledger: Ledger) -> dict[tuple[bytes, str, str], int]:
    """Return what a ledger counts, by broadcast, by state or outcome, and by reason."""
    return {(one.broadcast, one.what, one.reason): one.count for one in ledger.broadcast_counts()}


class BroadcastsContract:
    """The part of the contract that is about what became of broadcasts."""

    def test_each_broadcast_is_counted_by_itself_from_decided_to_clicked(self, ledger: Ledger) -> None:
        letter_to_three(ledger)
        assert counted(ledger) == {
            (LETTER, "sent", ""): 2,
            (LETTER, "skipped", "holdout"): 1,
            (LETTER, "clicked", ""): 1,
            (NEXT_LETTER, "pending", ""): 1,
        }
        ledger.take_over(page(cancellation(mail_of(NEXT_LETTER, 4), 9)), START_MS)
        assert (counted(ledger)[NEXT_LETTER, "skipped", "until"], len(counted(ledger))) == (1, 4)

    def test_what_is_counted_of_broadcasts_is_what_the_deliveries_say(self, ledger: Ledger) -> None:
        letter_to_three(ledger)
        ledger.claim(START_MS + HOUR_MS, 10, "w")
        letters = ledger.deliveries(campaign="letter")
        said = Counter((one.decision.cause, one.state, one.reason) for one in letters)
        assert {key: count for key, count in counted(ledger).items() if key[1] != "clicked"} == said
        assert sum(one.count for one in ledger.counts() if one.campaign == "letter") == said.total() == 4

    def test_deliveries_of_a_state_are_all_found_newest_first(self, ledger: Ledger) -> None:
        letter_to_three(ledger)
        ledger.take_over(page(*[decision(n, n, person=ADA) for n in range(10, 16)]), START_MS)
        everything = ledger.deliveries()
        for state in ("pending", "claimed", "sent", "skipped", "failed"):
            for campaign in (None, "letter", "browse_reminder"):
                wanted = [one for one in everything if one.state == state and campaign in (None, one.decision.campaign)]
                assert ledger.deliveries(campaign=campaign, state=state) == wanted
                assert ledger.deliveries(campaign=campaign, state=state, limit=1) == wanted[:1]
