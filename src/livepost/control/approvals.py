"""Approvals: what one asks for, bound to a hash of exactly that, and who approved it.

Reads and writes: the tables `approvals` and `approval_eyes`. Promised: an approval is used once, by whichever process
is first; one that was refused, used or has expired is not used, whatever the hash; each user's approval counts once.

It is used up before what it is for is done: a crash between the two leaves it used and the thing undone, and the
thing has to be asked for again. Nothing is done twice by it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from livepost.control.sqlite import ControlStore
from livepost.errors import RejectedError

ApprovalKind: TypeAlias = Literal["export", "destroy-key", "policy"]
ApprovalState: TypeAlias = Literal["waiting", "approved", "refused", "used", "expired"]

LISTED_MAX = 1_000
REASON_MAX = 1_000


class Eye(msgspec.Struct, frozen=True):
    """Who approved, and when (UTC ms of the host)."""

    who: str
    at: int


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was asked for; times are the host's ms, 0 where that has not happened.

    hash      SHA-256 of exactly what is asked for
    told      the same in sentences, without personal values
    people    whom it is about: ids of subjects
    asked_by  who asks, as the audit names them
    until     when it ends, approved or not
    approved  who approved it so far; `approved_at` is when these were enough
    """

    id: str
    kind: ApprovalKind
    hash: bytes
    told: tuple[str, ...]
    people: tuple[bytes, ...] = ()
    asked_by: str
    reason: str
    asked_at: int
    until: int
    approved_at: int = 0
    refused_by: str = ""
    refused_at: int = 0
    used_at: int = 0
    approved: tuple[Eye, ...] = ()

    def state(self, now_ms: int) -> ApprovalState:
        """Return where it stands at a time (ms of the host)."""
        if self.used_at:
            return "used"
        if self.refused_at:
            return "refused"
        if now_ms >= self.until:
            return "expired"
        return "approved" if self.approved_at else "waiting"


class Approvals:
    """The approvals of a workspace."""

    def __init__(self, store: ControlStore) -> None:
        """Take the control tables."""
        self._store = store

    def ask(self, wanted: Approval) -> Approval:
        """Ask for something; return it, or what the same asker asked for before if that is still open."""
        with self._store.transaction():
            for known in self._of(wanted.hash, wanted.asked_by):
                if known.state(wanted.asked_at) in ("waiting", "approved"):
                    return known
            row = [_column(getattr(wanted, name)) for name in _NAMES]
            self._store.write(f"INSERT INTO approvals ({_COLUMNS}) VALUES ({', '.join('?' * len(row))})", row)
        return wanted

    def approve(self, id: str, by: str, now_ms: int, enough: Callable[[Approval], bool]) -> Approval:
        """Note that `by` approves; `enough` says whether that is enough by now, and raises RejectedError for who may
        not. Raises RejectedError (404) for an unknown id, (409) for what is no longer open.
        """
        with self._store.transaction():
            known = self._waiting(id, now_ms)
            seen = msgspec.structs.replace(known, approved=(*known.approved, Eye(by, now_ms)))
            approved_at = now_ms if enough(seen) else 0
            if not self._store.write(
                "INSERT INTO approval_eyes (approval, who, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (id, by, now_ms),
            ):
                raise _conflict("you approved this before; it waits for somebody else")
            self._store.write("UPDATE approvals SET approved_at = ? WHERE id = ?", (approved_at, id))
        return msgspec.structs.replace(seen, approved_at=approved_at)

    def refuse(self, id: str, by: str, now_ms: int) -> Approval:
        """Refuse, or take back, what is open, approved or not; raises RejectedError (404, 409)."""
        with self._store.transaction():
            known = self._open(id, now_ms)
            self._store.write("UPDATE approvals SET refused_by = ?, refused_at = ? WHERE id = ?", (by, now_ms, id))
        return msgspec.structs.replace(known, refused_by=by, refused_at=now_ms)

    def use(self, hash: bytes, asked_by: str, now_ms: int) -> Approval | None:
        """Use up an approval of exactly this, that the same asker asked for; None if there is none."""
        with self._store.transaction():
            for known in self._of(hash, asked_by):
                if known.state(now_ms) == "approved":
                    self._store.write("UPDATE approvals SET used_at = ? WHERE id = ?", (now_ms, known.id))
                    return msgspec.structs.replace(known, used_at=now_ms)
        return None

    def get(self, id: str) -> Approval | None:
        """Return an approval, None if there is none."""
        found = self._read("WHERE id = ?", (id,))
        return found[0] if found else None

    def listed(self, limit: int = 100) -> list[Approval]:
        """Return what was asked for, the newest first."""
        return self._read("ORDER BY asked_at DESC, id LIMIT ?", (min(limit, LISTED_MAX),))

    def of_person(self, subjects: Sequence[bytes]) -> list[Approval]:
        """Return what was asked for about a person, by any of their subjects, oldest first."""
        wanted = sorted({subject.hex() for subject in subjects})
        return self._read(
            "WHERE EXISTS (SELECT 1 FROM json_each(approvals.people) AS one WHERE one.value IN"
            f" ({', '.join('?' * len(wanted))})) ORDER BY asked_at, id",
            wanted,
        )

    def _open(self, id: str, now_ms: int) -> Approval:
        known = self.get(id)
        if known is None:
            raise RejectedError(
                "expected the id of something that waits for approval, got another; `livepost approvals list` shows "
                "them",
                code="approval",
                status=404,
            )
        state = known.state(now_ms)
        if state not in ("waiting", "approved"):
            raise _conflict(f"this is {state} already; it has to be asked for again")
        return known

    def _waiting(self, id: str, now_ms: int) -> Approval:
        known = self._open(id, now_ms)
        if known.approved_at:
            raise _conflict("this is approved already")
        return known

    def _of(self, hash: bytes, asked_by: str) -> list[Approval]:
        return self._read("WHERE hash = ? AND asked_by = ? ORDER BY asked_at, id", (hash, asked_by))

    def _read(self, rest: str, values: Sequence[Any]) -> list[Approval]:
        rows = self._store.read(f"SELECT {_COLUMNS} FROM approvals {rest}", values)
        return [self._approval(row) for row in rows]

    def _approval(self, row: Sequence[Any]) -> Approval:
        told = dict(zip(_NAMES, row, strict=True))
        told["told"] = tuple(json.loads(told["told"]))
        told["people"] = tuple(bytes.fromhex(one) for one in json.loads(told["people"]))
        eyes = self._store.read("SELECT who, at FROM approval_eyes WHERE approval = ? ORDER BY at, who", (told["id"],))
        return Approval(**told, approved=tuple(Eye(who, at) for who, at in eyes))


def forget(store: ControlStore, subjects: Sequence[bytes]) -> int:
    """Take a person out of all that was asked for about them inside a transaction; return of how much.

    That somebody asked, why, and who approved stays.
    """
    gone = [subject.hex() for subject in subjects]
    marks = ", ".join("?" * len(gone))
    theirs = f"SELECT 1 FROM json_each(approvals.people) AS one WHERE one.value IN ({marks})"
    return store.write(
        "UPDATE approvals SET people = (SELECT json_group_array(one.value) FROM json_each(approvals.people) AS one"
        f" WHERE one.value NOT IN ({marks})) WHERE EXISTS ({theirs})",
        (*gone, *gone),
    )


_NAMES = tuple(name for name in Approval.__struct_fields__ if name != "approved")
_COLUMNS = ", ".join(_NAMES)


def _column(value: Any) -> Any:
    if isinstance(value, tuple):
        return json.dumps([one.hex() if isinstance(one, bytes) else one for one in value])
    return value


def _conflict(sentence: str) -> RejectedError:
    return RejectedError(sentence, code="approval", status=409)
