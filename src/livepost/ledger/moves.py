"""The states of a delivery and the moves between them (FORMATS, "Ledger states"), as one table.

In: a state and where it shall go. Out: nothing, or MoveError. Promised: no body of the ledger moves
otherwise.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from livepost.errors import LivepostError

State: TypeAlias = Literal["pending", "claimed", "in_flight", "sent", "failed", "unknown", "skipped", "held"]

STATES: tuple[State, ...] = (
    "pending",
    "claimed",
    "in_flight",
    "sent",
    "failed",
    "unknown",
    "skipped",
    "held",
)

MOVES: tuple[tuple[str, State, str], ...] = (
    ("", "pending", "decision copied"),
    ("pending", "skipped", "a reason of REASONS"),
    ("claimed", "skipped", "a reason of REASONS"),
    ("pending", "claimed", "the courier takes it; checks repeated in this transaction"),
    ("claimed", "pending", "lease expired or its courier began anew, nothing was written to a socket"),
    ("claimed", "in_flight", "committed before the first byte is written"),
    ("in_flight", "sent", "a definite answer"),
    ("in_flight", "failed", "a definite answer"),
    ("in_flight", "pending", "a definite temporary refusal, with back-off"),
    ("in_flight", "unknown", "crash, time-out or reset after the first byte"),
    ("unknown", "sent", "the provider's event or API says so, or a person"),
    ("unknown", "failed", "the provider's event or API says so, or a person"),
    ("unknown", "pending", "transactional only: same Message-ID, until 24 h"),
    ("pending", "held", "after a restore"),
    ("claimed", "held", "after a restore"),
    ("in_flight", "held", "after a restore"),
    ("unknown", "held", "after a restore"),
    ("held", "pending", "released by a person"),
    ("held", "sent", "the provider says so, or a person"),
    ("held", "skipped", "a reason of REASONS"),
)
"""(from, to, when); "" is before the ledger knew the decision."""

ALLOWED = frozenset((before, after) for before, after, _ in MOVES)
COUNTS_FOR_CAP: tuple[State, ...] = ("claimed", "in_flight", "unknown", "sent")
REJECTED = "rejected"
"""The reason of a mail that failed since its provider, who had taken it, said later that it did not send it."""
CANCELLABLE: tuple[State, ...] = ("pending", "claimed", "held")
OPEN: tuple[State, ...] = ("pending", "claimed", "in_flight", "unknown")
FINAL: tuple[State, ...] = ("sent", "failed", "skipped")


class MoveError(LivepostError):
    """A delivery may not go from `before` to `after`."""

    def __init__(self, before: str, after: str, class_: str = "") -> None:
        about = f" for a {class_} mail" if class_ else ""
        super().__init__(
            f"a delivery cannot go from {before or 'nothing'} to {after}{about}; see docs/reference/ledger.md"
        )
        self.before = before
        self.after = after


def check_move(before: str, after: str, class_: str) -> None:
    """Raise MoveError unless the table has the move; marketing never leaves `unknown` by sending again."""
    if (before, after) not in ALLOWED:
        raise MoveError(before, after)
    if (before, after) == ("unknown", "pending") and class_ != "transactional":
        raise MoveError(before, after, class_)
