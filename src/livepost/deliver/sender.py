"""What every sender does. Bodies: `keep.py` (mails to disk), `smtp.py` (to a server), `memory.py` (rehearsals).

In: complete mails. Out: a receipt for each. Promised: a receipt is definite or says `unknown`; nothing is
guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from livepost.model.message import Message, Receipt


class Sender(Protocol):
    """Hands mails to whoever carries them on."""

    def send(self, messages: Sequence[Message]) -> list[Receipt]:
        """Send the mails (at most 20); return a receipt for each, in order. Raises nothing.

        A mail whose decision was sent before is not sent again where the sender can know: it gets `sent`.
        """
        ...

    def lookup(self, decisions: Sequence[bytes]) -> list[Receipt]:
        """Return what became of earlier mails, in order; `unknown` where the sender cannot say."""
        ...
