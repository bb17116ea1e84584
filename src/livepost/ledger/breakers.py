"""A circuit breaker for each sender, in rows that all couriers share: closed, open until a time, then half-open.

In: what senders answered. Out: which may be given mails. Promised: what is said of one mail (a recipient that is
refused) opens nothing; while a breaker is open its sender gets no mail; then one mail at a time tries whether it is
well again. Times are the host's; one longer than any can be is of a clock that was set back, and over.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from livepost.clock import HOUR_MS, MINUTE_MS, SECOND_MS
from livepost.ledger.store import Store
from livepost.model.message import Receipt

FAILURES = 3
"""Troubles in a row that open a breaker."""

OPEN_MS = 30 * SECOND_MS
"""How long it is open the first time; twice as long each time that the try fails."""

LONGEST_OPEN_MS = 10 * MINUTE_MS
"""How long it is open at most, unless the sender itself asks for more."""

LONGEST_WAIT_MS = HOUR_MS
"""The longest wait that a sender may ask for."""

PROBE_MS = 3 * MINUTE_MS
"""How long is waited for the answer to a try: longer than any sender waits."""

_COLUMNS = "sender, failures, opened, open_until, probe_until"


class Breaker(msgspec.Struct, array_like=True):
    """A row: troubles in a row, how often it opened in a row, until when it is open, until when a mail tries."""

    sender: str
    failures: int = 0
    opened: int = 0
    open_until: int = 0
    probe_until: int = 0

    @property
    def closed(self) -> bool:
        """Whether any number of mails may go."""
        return self.open_until == 0

    def waits(self, host_ms: int) -> bool:
        """Return whether no mail may go."""
        return host_ms < self.open_until <= host_ms + LONGEST_WAIT_MS

    def tries(self, host_ms: int) -> bool:
        """Return whether one mail may go, to try: it was open long enough, and no other mail is trying."""
        trying = host_ms < self.probe_until <= host_ms + PROBE_MS
        return not self.closed and not self.waits(host_ms) and not trying


def read(store: Store) -> dict[str, Breaker]:
    """Return the breakers by sender, inside a transaction; one that is not there is closed."""
    return {values[0]: Breaker(*values) for values in store.rows(f"SELECT {_COLUMNS} FROM breakers")}


def probe(store: Store, breaker: Breaker, host_ms: int) -> None:
    """Note that a mail tries."""
    breaker.probe_until = host_ms + PROBE_MS
    store.write("UPDATE breakers SET probe_until = ? WHERE sender = ?", (breaker.probe_until, breaker.sender))


def note(store: Store, sender: str, receipts: Sequence[Receipt], host_ms: int) -> None:
    """Note what a sender answered to mails that were given to it together.

    If most of what was tried failed for a reason of the sender's own, or it asked to wait, these count as troubles;
    else it is well, whatever it said of the mails.
    """
    tried = [receipt for receipt in receipts if receipt.trouble or not receipt.untried]
    troubles = [receipt for receipt in tried if receipt.trouble]
    if not tried:
        return
    if 2 * len(troubles) > len(tried) or any(receipt.wait_ms for receipt in troubles):
        _trouble(store, sender, tried, troubles, host_ms)
    else:
        store.write(
            "INSERT INTO breakers (sender, answered, troubled) VALUES (?,?,?) ON CONFLICT (sender) DO UPDATE SET"
            " failures = 0, opened = 0, open_until = 0, probe_until = 0,"
            " answered = breakers.answered + excluded.answered, troubled = breakers.troubled + excluded.troubled",
            (sender, len(tried) - len(troubles), len(troubles)),
        )


def _trouble(store: Store, sender: str, tried: Sequence[Receipt], troubles: Sequence[Receipt], host_ms: int) -> None:
    breaker = read(store).get(sender, Breaker(sender))
    breaker.failures += len(troubles)
    asked_ms = min(max(receipt.wait_ms for receipt in troubles), LONGEST_WAIT_MS)
    due = asked_ms or breaker.failures >= FAILURES if breaker.closed else not breaker.waits(host_ms)
    if due:
        _open(breaker, asked_ms, host_ms)
    breaker.probe_until = 0
    store.write(
        "INSERT INTO breakers (sender, failures, opened, open_until, probe_until, answered, troubled, trouble,"
        " trouble_at) VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (sender) DO UPDATE SET failures = excluded.failures,"
        " opened = excluded.opened, open_until = excluded.open_until, probe_until = excluded.probe_until,"
        " answered = breakers.answered + excluded.answered, troubled = breakers.troubled + excluded.troubled,"
        " trouble = excluded.trouble, trouble_at = excluded.trouble_at",
        (
            sender,
            breaker.failures,
            breaker.opened,
            breaker.open_until,
            breaker.probe_until,
            len(tried) - len(troubles),
            len(troubles),
            troubles[-1].text,
            host_ms,
        ),
    )


def _open(breaker: Breaker, asked_ms: int, host_ms: int) -> None:
    longer_ms = min(OPEN_MS << min(breaker.opened, 10), LONGEST_OPEN_MS)
    breaker.open_until = host_ms + max(longer_ms, asked_ms)
    breaker.opened += 1
