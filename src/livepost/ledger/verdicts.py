"""What a person says of a mail of which nobody knows whether it went, or that a restore holds.

In: deliveries by id, what was decided of them. Out: which of them moved. Promised: an unknown mail is never let go
again, whoever says so; what was said stands among its moves, with who said it; the same said again moves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from livepost.errors import StoreError
from livepost.ledger.base import Verdict
from livepost.ledger.moves import MoveError, State
from livepost.ledger.store import Row, Store

VERDICTS: dict[Verdict, tuple[tuple[State, ...], State, str]] = {
    "sent": (("unknown", "held"), "sent", ""),
    "not_sent": (("unknown",), "failed", ""),
    "release": (("held",), "pending", ""),
    "drop": (("held",), "skipped", "dropped"),
}
"""Of what states it may be said, where a mail goes then, for what reason."""


def say(store: Store, decisions: Sequence[bytes], verdict: Verdict, detail: str, now_ms: int) -> list[bytes]:
    """Move deliveries, all of them or none, inside a transaction; return those that had not been moved so before.

    Raises StoreError for an unknown id, MoveError where the state is not one of which that may be said.
    """
    rows = store.rows_of(decisions)
    moved = []
    for decision in dict.fromkeys(decisions):
        if decision not in rows:
            raise StoreError(f"the ledger knows no delivery of decision {decision.hex()}")
        if _move(store, rows[decision], verdict, detail, now_ms):
            moved.append(decision)
    return moved


def _move(store: Store, row: Row, verdict: Verdict, detail: str, now_ms: int) -> bool:
    before, after, reason = VERDICTS[verdict]
    if row.state in before:
        also = {"not_before": 0} if after == "pending" else {}
        store.move(row, after, now_ms, reason, detail, **also)
        return True
    said = store.rows(
        "SELECT 1 FROM moves WHERE decision = ? AND after = ? AND detail = ? LIMIT 1", (row.id, after, detail)
    )
    if not said:
        raise MoveError(row.state, after)
    return False
