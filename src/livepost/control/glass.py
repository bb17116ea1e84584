"""Break glass: who sees people unmasked for a while, why, and until when.

Reads and writes: the table `glass`. Promised: it ends by itself, after GLASS_MINUTES_MAX at most, and in every process
as soon as it was ended; what was broken stays listed.
"""

from __future__ import annotations

import secrets
from typing import Any

import msgspec

from livepost.clock import MINUTE_MS
from livepost.control.sqlite import ControlStore
from livepost.errors import RejectedError
from livepost.model.principal import USER

GLASS_MINUTES_MAX = 60
LISTED_MAX = 1_000


class Glass(msgspec.Struct, frozen=True, kw_only=True):
    """A glass that a user broke; times are the host's ms; `ended_at` is 0 where nobody ended it before `until`."""

    id: str
    user: str
    reason: str
    begun_at: int
    until: int
    ended_at: int = 0
    ended_by: str = ""

    def holds(self, now_ms: int) -> bool:
        """Return whether the user sees everything at a time (ms of the host)."""
        return not self.ended_at and self.begun_at <= now_ms < self.until


class Glasses:
    """What was broken in a workspace."""

    def __init__(self, store: ControlStore) -> None:
        """Take the control tables."""
        self._store = store

    def break_(self, by: str, reason: str, now_ms: int, minutes: int) -> Glass:
        """Let a user, named as the audit does, see everything for so many minutes from now.

        What they broke before ends. Raises RejectedError: 403 for who is no user, 400 without a reason, or for too
        long a time.
        """
        if not by.startswith(USER):
            raise RejectedError(
                "expected a user who logged in, got a one-time link or a command, whose name says nothing; log in",
                code="glass",
                status=403,
            )
        if not reason.strip() or not 1 <= minutes <= GLASS_MINUTES_MAX:
            raise RejectedError(f"expected a reason, and 1 to {GLASS_MINUTES_MAX} minutes; say both", code="glass")
        new = Glass(
            id=secrets.token_hex(8),
            user=by.removeprefix(USER),
            reason=reason.strip(),
            begun_at=now_ms,
            until=now_ms + minutes * MINUTE_MS,
        )
        with self._store.transaction():
            self._store.write(
                "UPDATE glass SET ended_at = ?, ended_by = ? WHERE user_id = ? AND ended_at = 0 AND until > ?",
                (now_ms, by, new.user, now_ms),
            )
            self._store.write("INSERT INTO glass VALUES (?, ?, ?, ?, ?, ?, ?)", msgspec.structs.astuple(new))
        return new

    def end(self, id: str, by: str, now_ms: int) -> None:
        """End it before its time; raise RejectedError (404) if it is not broken any more."""
        with self._store.transaction():
            sql = "UPDATE glass SET ended_at = ?, ended_by = ? WHERE id = ? AND ended_at = 0 AND until > ?"
            if not self._store.write(sql, (now_ms, by, id, now_ms)):
                raise RejectedError(
                    "expected the id of a glass that is broken, got another; the list shows them",
                    code="glass",
                    status=404,
                )

    def listed(self, limit: int = 100) -> list[Glass]:
        """Return what was broken, the newest first."""
        found = self._store.read("SELECT * FROM glass ORDER BY begun_at DESC, id LIMIT ?", (min(limit, LISTED_MAX),))
        return [_glass(row) for row in found]


def _glass(row: tuple[Any, ...]) -> Glass:
    return Glass(**dict(zip(Glass.__struct_fields__, row, strict=True)))
