"""What happens to mails later: noted once for each mail, and counted by campaign in the same transaction.

In: decisions by id. Out: outcomes, counts. Promised: the first time stays, however often and by whatever process an
outcome is told; a mail that the ledger does not know has none.
"""

from __future__ import annotations

from livepost.ledger.base import Outcome, OutcomeTally
from livepost.ledger.store import Store
from livepost.model.feedback import OutcomeKind


def note(store: Store, decision: bytes, outcome: OutcomeKind, at_ms: int) -> bool:
    """Note an outcome inside a transaction; return whether it is new."""
    row = store.row(decision)
    told = "INSERT INTO outcomes VALUES (?,?,?) ON CONFLICT DO NOTHING"
    if row is None or not store.change(told, (decision, outcome, at_ms)):
        return False
    store.change(
        "INSERT INTO outcome_tallies VALUES (?,?,1) ON CONFLICT (campaign, outcome)"
        " DO UPDATE SET count = outcome_tallies.count + 1",
        (row.campaign, outcome),
    )
    if cause := row.cause:
        store.change(
            "INSERT INTO broadcast_outcomes SELECT id, ?, 1 FROM broadcasts WHERE id = ?"
            " ON CONFLICT (broadcast, outcome) DO UPDATE SET count = broadcast_outcomes.count + 1",
            (outcome, cause),
        )
    return True


def of(store: Store, decision: bytes) -> list[Outcome]:
    """Return a mail's outcomes, in order of time."""
    found = store.read("SELECT outcome, at FROM outcomes WHERE decision = ? ORDER BY at", (decision,))
    return [Outcome(decision=decision, outcome=outcome, at=at) for outcome, at in found]


def counts(store: Store) -> list[OutcomeTally]:
    """Return the counts kept with each outcome."""
    found = store.read("SELECT campaign, outcome, count FROM outcome_tallies ORDER BY campaign, outcome")
    return [OutcomeTally(campaign=campaign, outcome=outcome, count=count) for campaign, outcome, count in found]
