"""Mails kept in memory, for rehearsals: in and out as any sender, gone with its process.

In: mails. Out: receipts; the mails, in the order of sending. Promised: `sent` means it is in `mails`, once.
"""

from __future__ import annotations

from collections.abc import Sequence

from livepost.clock import Clock
from livepost.model.message import Message, Receipt, ReceiptState

MAX_MAILS = 100_000
"""Mails one rehearsal may send; above it, mails are refused for now (`temporary`)."""

_PROVIDER = "memory"


class MemoryKeep:
    """A sender for one thread; receipts carry the time of `clock`."""

    def __init__(self, clock: Clock, max_mails: int = MAX_MAILS) -> None:
        """Start with no mails."""
        self.mails: list[Message] = []
        self._clock = clock
        self._max_mails = max_mails
        self._kept: set[bytes] = set()

    def send(self, messages: Sequence[Message]) -> list[Receipt]:
        """Keep the mails; return a receipt for each."""
        return [self._keep(message) for message in messages]

    def lookup(self, decisions: Sequence[bytes]) -> list[Receipt]:
        """Return `sent` for kept mails, `failed` for others."""
        return [
            self._receipt("sent") if decision in self._kept else self._receipt("failed", "never kept")
            for decision in decisions
        ]

    def _keep(self, message: Message) -> Receipt:
        if message.decision in self._kept:
            return self._receipt("sent", "kept before")
        if len(self.mails) >= self._max_mails:
            return self._receipt("temporary", f"expected at most {self._max_mails} mails in memory")
        self._kept.add(message.decision)
        self.mails.append(message)
        return self._receipt("sent")

    def _receipt(self, state: ReceiptState, text: str = "") -> Receipt:
        return Receipt(state=state, text=text, provider=_PROVIDER, at_ms=self._clock.now_ms())
