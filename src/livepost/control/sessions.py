"""The console's sessions: who has which, since when, until when.

Reads and writes: the table `sessions`. Promised: of a session's word only a hash is kept; one that was ended, or whose
user is disabled or gone, is not found again by any process.
"""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import Any

import msgspec

from livepost.control.sqlite import ControlStore
from livepost.model.principal import Role

_COLUMNS = (
    "sessions.id, users.id, users.role, begun_ms, seen_ms, ends_ms, coalesce((SELECT glass.id FROM glass "
    "WHERE glass.user_id = users.id AND glass.until > ? AND glass.ended_at = 0 LIMIT 1), '')"
)
_HOLDING = "ends_ms > ? AND seen_ms > ? AND coalesce(users.disabled, 0) = 0"


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A session; `user` and `role` are None for that of a one-time link; `glass` is the glass that its user broke."""

    id: str
    user: str | None
    role: Role | None
    begun_ms: int
    seen_ms: int
    ends_ms: int
    glass: str = ""


class SessionTable:
    """The sessions of a workspace; one that was not used for `idle_ms` has ended."""

    def __init__(self, store: ControlStore, idle_ms: int) -> None:
        self._store = store
        self._idle_ms = idle_ms

    def begin(self, user: str | None, now_ms: int, ends_ms: int) -> str:
        """Return the word of a new session; those that ended by themselves are forgotten by the way."""
        word = secrets.token_urlsafe(32)
        with self._store.transaction():
            sql = "DELETE FROM sessions WHERE ends_ms <= ? OR seen_ms <= ?"
            self._store.write(sql, (now_ms, now_ms - self._idle_ms))
            values = (_hash(word), secrets.token_hex(8), user, now_ms, now_ms, ends_ms)
            self._store.write("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?)", values)
        return word

    def find(self, word: str, now_ms: int) -> Session | None:
        """Return the session of a word, None if it ended or never was."""
        sql = (
            f"SELECT {_COLUMNS} FROM sessions LEFT JOIN users ON users.id = sessions.user_id "
            f"WHERE hash = ? AND {_HOLDING}"
        )
        rows = self._store.read(sql, (now_ms, _hash(word), now_ms, now_ms - self._idle_ms))
        return _session(rows[0]) if rows else None

    def of(self, user: str, now_ms: int) -> list[Session]:
        """Return a user's sessions, the newest first."""
        sql = (
            f"SELECT {_COLUMNS} FROM sessions LEFT JOIN users ON users.id = sessions.user_id "
            f"WHERE user_id = ? AND {_HOLDING} ORDER BY begun_ms DESC"
        )
        return [_session(row) for row in self._store.read(sql, (now_ms, user, now_ms, now_ms - self._idle_ms))]

    def touch(self, id: str, now_ms: int) -> None:
        """Note that a session is used; one that ended does not come back by it."""
        with self._store.transaction():
            self._store.write("UPDATE sessions SET seen_ms = ? WHERE id = ? AND seen_ms < ?", (now_ms, id, now_ms))

    def end(self, id: str) -> None:
        """End a session."""
        with self._store.transaction():
            self._store.write("DELETE FROM sessions WHERE id = ?", (id,))

    def end_of(self, user: str, id: str) -> bool:
        """End a user's session; return False if they have none of that id."""
        with self._store.transaction():
            return self._store.write("DELETE FROM sessions WHERE user_id = ? AND id = ?", (user, id)) == 1


def _session(row: tuple[Any, ...]) -> Session:
    return Session(**dict(zip(Session.__struct_fields__, row, strict=True)))


def _hash(word: str) -> bytes:
    return sha256(word.encode("utf-8", "surrogatepass")).digest()
