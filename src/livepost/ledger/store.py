"""What the ledger's rules need of a database, and the one way to move a delivery.

In: SQL of this room, in the words that SQLite and PostgreSQL share. Out: rows. Promised: a group is wholly committed or
not at all; each move is checked against the table, written as a row and counted, in the same transaction as the change
itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import cache
from itertools import repeat
from typing import Any, TypeVar

import msgspec

from livepost.clock import HOUR_MS
from livepost.ledger.base import LANES
from livepost.ledger.moves import FINAL, State, check_move
from livepost.model.decision import ASKED_FOR, Decision

CURSOR = "$cursor"
"""The bookmark that is the fence."""

BULK = LANES.index("bulk")
"""The lane of broadcasts: of mails in it the cause may be one."""


class Row(msgspec.Struct, array_like=True):
    """What moving and checking a delivery needs of its row."""

    id: bytes
    campaign: str
    person: bytes
    class_: str
    purpose: str
    at: int
    cap_times: int
    cap_per_ms: int
    state: State
    reason: str
    fence: int
    worker: str
    attempts: int
    first_tried: int
    body: bytes
    sender: str = ""
    queued: int = 0
    pinned: int = 0
    lane: int = 0

    @property
    def cause(self) -> bytes:
        """Return the decision's cause if it may be a broadcast, else b""."""
        return decode_decision(self.body).cause if self.lane == BULK else b""


ROW = (
    "id, campaign, person, class, purpose, at, cap_times, cap_per_ms, state, reason, fence, worker,"
    " attempts, first_tried, body, sender, queued, pinned, lane"
)

decode_decision = msgspec.msgpack.Decoder(Decision).decode
encode_decision = msgspec.msgpack.Encoder().encode


SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500)
"""Lengths of lists that statements are prepared for."""

T = TypeVar("T")


def filled(values: Sequence[T]) -> list[T]:
    """Return values, the last of them again and again up to the next of SIZES: few statements have to be prepared.

    >>> filled([7, 8, 9])
    [7, 8, 9, 9, 9]
    """
    more = next((size for size in SIZES if size >= len(values)), len(values)) - len(values)
    return [*values, *repeat(values[-1], more)] if values else []


def places(values: Sequence[Any]) -> str:
    """Return a placeholder for each of the values."""
    return ", ".join("?" * len(values))


class Store(ABC):
    """Rows in a database; bodies: `sqlite.SqliteStore`, `postgres.PostgresStore`.

    A transaction sees all that was committed before it began and nothing that commits after: writers take turns.
    Placeholders are `?`, or `?1` where one is used twice. A process's threads take turns too.
    """

    def __init__(self) -> None:
        """Begin with nothing noted."""
        self._moves: list[tuple[bytes, str, str, str, str, int, bytes]] = []
        self._tallies: Counter[tuple[str, str, str]] = Counter()
        self._broadcast: Counter[tuple[bytes, str, str]] = Counter()
        self._senders: Counter[tuple[str, str]] = Counter()
        self._sent: Counter[int] = Counter()
        self._waiting: dict[str, list[Sequence[Any]]] = {}
        self._changed: set[bytes] = set()

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """Run a group as one transaction. Raises StoreError if it was rolled back for sure, else
        OutcomeUnknownError.
        """

    @abstractmethod
    def read(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query outside a transaction."""

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a statement inside a transaction."""
        self._write_waiting()
        return self._rows(sql, values)

    def change(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run a statement inside a transaction; return how many rows it changed."""
        self._write_waiting()
        return self._change(sql, values)

    def write(self, sql: str, values: Sequence[Any] = ()) -> None:
        """Run a statement inside a transaction, whose count nobody needs: it may be sent along with the next one."""
        self._write_waiting()
        self._write(sql, values)

    def change_all(self, sql: str, groups: Sequence[Sequence[Any]]) -> None:
        """Run a statement inside a transaction, once for each group of values."""
        self._write_waiting()
        self._change_all(sql, groups)

    @abstractmethod
    def _rows(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """See `rows`."""

    @abstractmethod
    def _change(self, sql: str, values: Sequence[Any]) -> int:
        """See `change`."""

    @abstractmethod
    def _write(self, sql: str, values: Sequence[Any]) -> None:
        """See `write`."""

    @abstractmethod
    def _change_all(self, sql: str, groups: Sequence[Sequence[Any]]) -> None:
        """See `change_all`."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection."""

    def row(self, decision: bytes) -> Row | None:
        """Return a delivery's row inside a transaction."""
        found = self.rows(f"SELECT {ROW} FROM deliveries WHERE id = ?", (decision,))
        return Row(*found[0]) if found else None

    def rows_of(self, decisions: Sequence[bytes]) -> dict[bytes, Row]:
        """Return the rows of deliveries by id, inside a transaction; unknown ones are left out."""
        if not decisions:
            return {}
        ids = filled(decisions)
        found = self.rows(f"SELECT {ROW} FROM deliveries WHERE id IN ({places(ids)})", ids)
        return {values[0]: Row(*values) for values in found}

    def insert(self, decision: Decision, person: bytes, lane: int, at: int, waits_until: int = 0) -> Row:
        """Insert a decision as pending, to be claimed from `waits_until` on; return its row."""
        body = encode_decision(decision)
        self._leave(
            decision.id,
            "INSERT INTO deliveries (id, body, campaign, person, class, purpose, lane, at, position,"
            " cap_times, cap_per_ms, waits_until, state, changed_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,'pending',?)",
            (
                decision.id,
                body,
                decision.campaign,
                person,
                decision.class_,
                decision.purpose,
                lane,
                decision.at,
                decision.position,
                decision.cap_times,
                decision.cap_per_ms,
                waits_until,
                at,
            ),
        )
        row = Row(
            decision.id,
            decision.campaign,
            person,
            decision.class_,
            decision.purpose,
            decision.at,
            decision.cap_times,
            decision.cap_per_ms,
            "pending",
            "",
            0,
            "",
            0,
            0,
            body,
            lane=lane,
        )
        self._note_move((decision.id, "", "pending", "", "", at), row)
        return row

    def move(self, row: Row, after: State, at: int, reason: str = "", detail: str = "", **also: Any) -> None:
        """Move a delivery, setting the columns in `also`; raise MoveError if the table does not have the move.

        What a send says is forgotten with its last move. Moves of a group are written together, before anything else
        is asked or written in the transaction.
        """
        check_move(row.state, after, row.class_)
        self._leave(row.id, _move_setting(*also), (after, reason, detail, at, *also.values(), row.id))
        if after in FINAL and row.campaign in ASKED_FOR:
            self.write("UPDATE sends SET draft = NULL WHERE decision = ?", (row.id,))
        self._note_move((row.id, row.state, after, reason, detail, at), row)
        self._note_sender(row, after, str(also.get("sender", row.sender)))
        if (row.state, after, row.class_) == ("in_flight", "sent", "marketing"):
            self._sent[at // HOUR_MS] += 1
        row.state, row.reason = after, reason

    def _note_move(self, move: tuple[bytes, str, str, str, str, int], row: Row) -> None:
        """Note a move, and in the counts that the row, as it was before, is elsewhere now."""
        _, before, after, reason, _, _ = move
        self._moves.append((*move, move[0]))
        cause = row.cause
        if before:
            self._tallies[row.campaign, before, row.reason] -= 1
        self._tallies[row.campaign, after, reason] += 1
        if cause:
            if before:
                self._broadcast[cause, before, row.reason] -= 1
            self._broadcast[cause, after, reason] += 1

    def _note_sender(self, row: Row, after: State, sender: str) -> None:
        """Note in the counts by sender where a mail is now; one that was given to no named sender is in none."""
        if row.sender:
            self._senders[row.sender, row.state] -= 1
        if sender:
            self._senders[sender, after] += 1
        row.sender = sender

    def _leave(self, delivery: bytes, sql: str, values: Sequence[Any]) -> None:
        """Let a statement about a delivery wait for those of the same words, unless one about it waits already."""
        if delivery in self._changed:
            self._write_waiting()
        self._changed.add(delivery)
        self._waiting.setdefault(sql, []).append(values)

    def _write_waiting(self) -> None:
        """Write what waits, before any other statement of the transaction: it sees it as if it had been written at
        once.
        """
        if not self._changed:
            return
        waiting, self._waiting = self._waiting, {}
        self._changed.clear()
        for sql, groups in waiting.items():
            self._change_all(sql, groups)

    def _flush(self) -> None:
        """Write what was noted, at the end of a transaction."""
        self._write_waiting()
        if self._moves:
            self.change_all(
                "INSERT INTO moves (decision, before, after, reason, detail, at, delivery)"
                " VALUES (?,?,?,?,?,?, (SELECT number FROM deliveries WHERE id = ?))",
                self._moves,
            )
        changed = [(*key, by) for key, by in self._tallies.items() if by]
        if changed:
            self.change_all(
                "INSERT INTO tallies VALUES (?,?,?,?) ON CONFLICT (campaign, state, reason)"
                " DO UPDATE SET count = tallies.count + excluded.count",
                changed,
            )
        of_senders = [(*key, by) for key, by in self._senders.items() if by]
        if of_senders:
            self.change_all(
                "INSERT INTO sender_tallies VALUES (?,?,?) ON CONFLICT (sender, state)"
                " DO UPDATE SET count = sender_tallies.count + excluded.count",
                of_senders,
            )
        of_broadcasts = [(*key[1:], by, key[0]) for key, by in self._broadcast.items() if by]
        if of_broadcasts:
            self.change_all(
                "INSERT INTO broadcast_tallies SELECT id, ?, ?, ? FROM broadcasts WHERE id = ?"
                " ON CONFLICT (broadcast, state, reason)"
                " DO UPDATE SET count = broadcast_tallies.count + excluded.count",
                of_broadcasts,
            )
        for hour, count in self._sent.items():
            self.change(
                "INSERT INTO mail_hours VALUES (?,?,0) ON CONFLICT (hour) DO UPDATE"
                " SET sent = mail_hours.sent + excluded.sent",
                (hour, count),
            )
        self._forget_noted()

    def _forget_noted(self) -> None:
        self._waiting.clear()
        self._changed.clear()
        self._moves.clear()
        self._sent.clear()
        self._tallies.clear()
        self._broadcast.clear()
        self._senders.clear()


@cache
def _move_setting(*columns: str) -> str:
    """Return the statement of a move that sets some columns besides."""
    more = "".join(f", {name} = ?" for name in columns)
    return f"UPDATE deliveries SET state = ?, reason = ?, detail = ?, changed_at = ?{more} WHERE id = ?"
