"""The audit of a workspace: its file, its signer, and where its heads are kept.

In: entries. Out: entries that are durable, heads. Promised: a head is kept only for entries that are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from livepost.audit.entry import Entry
from livepost.audit.head import Head, Signer
from livepost.audit.outside import keep_head
from livepost.audit.sqlite import SqliteAudit

PURPOSE = "audit"
"""The purpose for which the vault derives the secret that signs heads."""


class Audits:
    """The audit as those use it who write to it; opened with the first entry, for one thread."""

    def __init__(self, path: Path, workspace: str, secret: bytes, heads: Path) -> None:
        """Take where it lies, whose it is, what signs, and where heads are kept."""
        self._path = path
        self._workspace = workspace
        self._signer = Signer(secret)
        self._heads = heads
        self._open: SqliteAudit | None = None
        self._kept = -1

    @property
    def public(self) -> bytes:
        """The public key that checks heads."""
        return self._signer.public

    def append(self, entries: Sequence[Entry]) -> int:
        """Append entries, durably; return the number of the last. Raises StoreError if none was."""
        return self._opened().append(entries)

    def head(self, now_ms: int) -> Head:
        """Return a signed head of the chain as it is."""
        number, link = self._opened().last()
        return self._signer.signed(Head(workspace=self._workspace, number=number, link=link.hex(), at=now_ms))

    def keep_head(self, now_ms: int) -> Head | None:
        """Keep a head, if there are entries since the last; raise StoreError if it cannot be kept."""
        head = self.head(now_ms)
        if head.number == max(self._kept, 0):
            return None
        keep_head(self._heads, head)
        self._kept = head.number
        return head

    def close(self) -> None:
        """Release the file."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _opened(self) -> SqliteAudit:
        if self._open is None:
            self._open = SqliteAudit(self._path, self._workspace)
        return self._open
