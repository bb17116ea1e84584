"""A person's word on mails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from livepost.clock import SimulatedClock
from livepost.errors import RejectedError
from livepost.ledger.base import Ledger
from livepost.ledger.sqlite import SqliteLedger
from livepost.ledger.verdicts import VERDICTS
from livepost.ops.by_hand import NOTE_CHARS, OF_STATE, WORDS, said, say
from livepost.testing.contracts.ledger import START_MS, decision
from livepost.testing.contracts.verdicts import unknown_and_held


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with closing(SqliteLedger(":memory:")) as made:
        yield made


def test_every_verdict_has_a_button_for_each_state_of_which_it_may_be_said() -> None:
    offered = {verdict: {state for state, of in OF_STATE.items() if verdict in of} for verdict in WORDS}
    assert offered == {verdict: set(before) for verdict, (before, _, _) in VERDICTS.items()}


def test_who_said_it_and_why_stands_with_the_mail(ledger: Ledger) -> None:
    unknown_and_held(ledger, held=False)
    clock = SimulatedClock(START_MS + 5)
    assert say(ledger, clock, [decision(1).id], "sent", "ada", "in\x00 the\r\nlog") == [decision(1).id]
    last = ledger.history(decision(1).id)[-1]
    assert (last.detail, last.at) == ("said by ada: in  the  log", START_MS + 5)
    assert len(said("ada", "x" * 1_000)) == NOTE_CHARS + len("said by ada: ")


def test_what_cannot_be_said_is_refused_with_what_can(ledger: Ledger) -> None:
    unknown_and_held(ledger, held=False)
    with pytest.raises(RejectedError, match="expected a mail that is held, got one that is unknown") as refused:
        say(ledger, SimulatedClock(START_MS), [decision(1).id], "release", "ada", "")
    assert refused.value.status == 409
