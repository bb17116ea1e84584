"""The negative control of "nothing told lets a mail go": the same check against ledgers with the fault put in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pytest

from livepost.clock import SimulatedClock
from livepost.ledger.sqlite import SqliteLedger
from livepost.model.feedback import Feedback, Heard
from livepost.testing.contracts.feedback import taken_away
from livepost.testing.contracts.ledger import ADDRESS, START_MS


class Forgiving(SqliteLedger):
    """Takes an address off the list of suppressions when a mail was delivered to it."""

    def hear(self, told: Sequence[Feedback], now_ms: int) -> list[Heard]:
        heard = super().hear(told, now_ms)
        with self._store.transaction():
            for one in told:
                if one.outcome == "delivered":
                    self._store.change("DELETE FROM suppressions WHERE address = ?", (one.address,))
        return heard


class MakingRoom(SqliteLedger):
    """Lets a mail that its provider rejected count for no cap."""

    def hear(self, told: Sequence[Feedback], now_ms: int) -> list[Heard]:
        heard = super().hear(told, now_ms)
        with self._store.transaction():
            self._store.change("UPDATE deliveries SET reason = '' WHERE reason = 'rejected'")
        return heard


class Trusting(SqliteLedger):
    """Takes an open for consent."""

    def hear(self, told: Sequence[Feedback], now_ms: int) -> list[Heard]:
        heard = super().hear(told, now_ms)
        with self._store.transaction():
            if any(one.outcome == "opened" for one in told):
                self._store.change("DELETE FROM withdrawals")
        return heard


CASES: dict[type[SqliteLedger], tuple[list[tuple[str, int]], list[tuple[int, str, bytes]]]] = {
    Forgiving: ([("decide", 2), ("send", 0), ("suppress", 2), ("decide", 2)], [(1, "delivered", ADDRESS)]),
    MakingRoom: ([("decide", 6), ("send", 1), ("decide", 6)], [(1, "rejected", ADDRESS)]),
    Trusting: ([("decide", 2), ("send", 0), ("withdraw", 2), ("decide", 2)], [(1, "opened", ADDRESS)]),
}
"""A life and what is told in it, in which each fault shows."""


@pytest.mark.parametrize("weakened", CASES)
def test_a_ledger_that_lets_a_mail_go_for_what_it_is_told_is_found(weakened: type[SqliteLedger]) -> None:
    counts = []
    for body in (weakened, SqliteLedger):
        new = partial(body, ":memory:", SimulatedClock(START_MS))
        counts.append(len(taken_away(new, *CASES[weakened])))
    assert counts == [1, 0]
