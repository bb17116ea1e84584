"""What a person says of unknown and held mails, in words for its moves; see `ledger.verdicts`.

In: decisions, a verdict, who says it, a note. Out: which moved. Promised: a note is one line without control
characters; what cannot be said is refused with what can.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Protocol

from livepost.clock import Clock
from livepost.errors import RejectedError
from livepost.ledger.base import Verdict
from livepost.ledger.moves import MoveError

NOTE_CHARS = 200

WORDS: dict[Verdict, str] = {
    "sent": "It was sent",
    "not_sent": "It was not sent",
    "release": "Let it go out",
    "drop": "Drop it",
}
"""What can be said, as buttons say it."""

OF_STATE: dict[str, tuple[Verdict, ...]] = {"unknown": ("sent", "not_sent"), "held": ("release", "sent", "drop")}
"""What can be said of a mail in a state; nothing of the others."""


class Says(Protocol):
    """The ledger, as far as a person's word goes."""

    def say(self, decisions: Sequence[bytes], verdict: Verdict, detail: str, now_ms: int) -> list[bytes]:
        """Move deliveries; see `ledger.base.Ledger`."""
        ...


def say(ledger: Says, clock: Clock, decisions: Sequence[bytes], verdict: Verdict, by: str, note: str) -> list[bytes]:
    """Say what became of mails, or shall; return those that it had not been said of before.

    Raises RejectedError (409) where a mail is not in a state of which that can be said, StoreError for an unknown id.
    """
    try:
        return ledger.say(decisions, verdict, said(by, note), clock.now_ms())
    except MoveError as error:
        raise RejectedError(
            f"expected a mail that is {states_of(verdict)}, got one that is {error.before}; nothing was changed",
            code="state",
            status=HTTPStatus.CONFLICT,
        ) from None


def said(by: str, note: str) -> str:
    """Return the words of a move.

    >>> said("console", " asked the\\nprovider ")
    'said by console: asked the provider'
    """
    words = "".join(c if c.isprintable() else " " for c in note)[:NOTE_CHARS].strip()
    return f"said by {by}: {words}" if words else f"said by {by}"


def states_of(verdict: Verdict) -> str:
    """Return the states of which something can be said.

    >>> states_of("sent")
    'unknown or held'
    """
    return " or ".join(state for state, verdicts in OF_STATE.items() if verdict in verdicts)
