"""A mail's Message-ID.

In: a decision's id. Out: the same Message-ID at each try, and when a provider is asked for the mail. Promised: it tells
nobody which decision it was made of.
"""

from __future__ import annotations

from collections.abc import Callable

from livepost.ids import digest


class MessageIds:
    """The Message-IDs of a workspace: keyed hashes of decisions, at its sender's domain."""

    def __init__(self, secret: Callable[[str], bytes], sender: str) -> None:
        """Take what gives the workspace's 32-byte secret for a purpose (`vault.secret`), and the sender's address."""
        self._key = secret("message ids")
        self._domain = sender.rpartition("@")[2]

    def of(self, decision: bytes) -> str:
        """Return a mail's Message-ID, in its angle brackets."""
        return f"<{digest(decision, key=self._key).hex()}@{self._domain}>"
