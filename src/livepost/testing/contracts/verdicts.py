"""What every ledger does with a person's word on unknown and held mails; mixed into a `LedgerContract`."""

from __future__ import annotations

import pytest

from livepost.errors import StoreError
from livepost.ledger.base import Ledger
from livepost.ledger.moves import MoveError
from livepost.testing.contracts.ledger import START_MS, consent, decision, flown, page, settled, state_of

DETAIL = "said by ada: asked the provider"


def unknown_and_held(ledger: Ledger, *, held: bool) -> None:
    """Let the first two mails be unknown and the third wait; with `held` after a restore."""
    ledger.take_over(page(consent(0), *(decision(n) for n in (1, 2, 3))), START_MS)
    settled(ledger, flown(ledger, ledger.claim(START_MS, 2, "w")), "unknown")
    if held:
        assert ledger.hold(START_MS) == 3


class VerdictsContract:
    """The part of the contract that is about what people say of mails."""

    def test_an_unknown_mail_was_sent_or_not_and_the_word_stands_among_its_moves(self, ledger: Ledger) -> None:
        unknown_and_held(ledger, held=False)
        first, second = decision(1).id, decision(2).id
        assert ledger.say([first], "sent", DETAIL, START_MS) == [first]
        assert ledger.say([second], "not_sent", DETAIL, START_MS) == [second]
        assert (state_of(ledger, decision(1))[0], state_of(ledger, decision(2))[0]) == ("sent", "failed")
        assert [(one.after, one.detail) for one in ledger.history(first)][-1] == ("sent", DETAIL)

    def test_the_same_word_again_moves_nothing_and_another_is_refused(self, ledger: Ledger) -> None:
        unknown_and_held(ledger, held=False)
        ledger.say([decision(1).id], "sent", DETAIL, START_MS)
        moves = ledger.last_move()
        assert ledger.say([decision(1).id], "sent", DETAIL, START_MS) == []
        with pytest.raises(MoveError):
            ledger.say([decision(1).id], "not_sent", DETAIL, START_MS)
        assert ledger.last_move() == moves

    def test_an_unknown_mail_is_never_let_go_again(self, ledger: Ledger) -> None:
        unknown_and_held(ledger, held=False)
        for verdict in ("release", "drop"):
            with pytest.raises(MoveError):
                ledger.say([decision(1).id], verdict, DETAIL, START_MS)
        assert [one.decision for one in ledger.claim(START_MS, 10, "w")] == [decision(3)]

    def test_a_held_mail_goes_out_is_dropped_or_was_sent(self, ledger: Ledger) -> None:
        unknown_and_held(ledger, held=True)
        assert ledger.claim(START_MS, 10, "w") == []
        for number, verdict in ((1, "sent"), (2, "drop"), (3, "release")):
            assert ledger.say([decision(number).id], verdict, DETAIL, START_MS) == [decision(number).id]  # type: ignore[arg-type]
        assert [state_of(ledger, decision(n)) for n in (1, 2)] == [("sent", ""), ("skipped", "dropped")]
        assert [one.decision for one in ledger.claim(START_MS, 10, "w")] == [decision(3)]

    def test_several_are_all_moved_or_none(self, ledger: Ledger) -> None:
        unknown_and_held(ledger, held=True)
        ledger.say([decision(1).id], "sent", DETAIL, START_MS)
        with pytest.raises(MoveError):
            ledger.say([decision(2).id, decision(1).id], "drop", DETAIL, START_MS)
        with pytest.raises(StoreError, match="knows no delivery"):
            ledger.say([decision(2).id, b"x" * 16], "drop", DETAIL, START_MS)
        assert state_of(ledger, decision(2))[0] == "held"
        both = [decision(2).id, decision(3).id]
        assert ledger.say([*both, both[0]], "release", DETAIL, START_MS) == both
