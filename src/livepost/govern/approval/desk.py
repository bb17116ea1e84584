"""Four eyes at work: asks, approves, refuses, and lets what was approved be done once.

In: a wish, who has it. Out: that it may be done now, or ApprovalNeededError that says what to do. Promised: where two
people could approve, nothing is done on the word of one: who asked is never counted, and neither is a key, a command
or a one-time link, since nobody knows whose eyes these are.

A command has no user's name, so what it asks for is approved by two different users. Where nobody but the asker could
approve, or for a command only one user could, there are no four eyes: it is done at once, and the audit says `alone`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from http import HTTPStatus

from livepost.audit.deed import Deed, by_user
from livepost.clock import HOUR_MS, Clock
from livepost.control.approvals import REASON_MAX, Approval, Approvals
from livepost.control.sqlite import ControlStore
from livepost.control.users import roles_of_users
from livepost.errors import LivepostError, RejectedError
from livepost.govern.access.rules import Rules
from livepost.govern.access.second import approvals_wanted
from livepost.govern.approval.wanted import NEEDS, Wanted
from livepost.model.principal import USER, Role

GOOD_FOR_MS = 24 * HOUR_MS
"""How long after it was asked for something may be approved and done."""

Note = Callable[[Deed], object]
"""Writes a deed down; what it raises keeps it from being done."""


class ApprovalNeededError(LivepostError):
    """Others have to approve this first; the sentence says how."""

    def __init__(self, message: str, id: str = "") -> None:
        super().__init__(message)
        self.id = id


class FourEyes:
    """What waits for approval in a workspace, by its rules. Blocking."""

    def __init__(self, store: ControlStore, rules: Rules, clock: Clock) -> None:
        """Take the control tables, who decides who may approve, and the host's clock."""
        self.approvals = Approvals(store)
        self._store = store
        self._rules = rules
        self._clock = clock

    def require(self, wanted: Wanted, by: str, reason: str, note: Note) -> None:
        """Return if `by` may do this now, and use up the approval; it may be done once by that.

        Raises ApprovalNeededError after asking for it, RejectedError (400) where it has to be asked for and no reason
        is said.
        """
        if not approvals_wanted(by, self._approvers(wanted)):
            note(Deed("approval.alone", wanted.people, wanted.kind))
            return
        now_ms = self._clock.now_ms()
        used = self.approvals.use(wanted.hash, by, now_ms)
        if used is None:
            raise self._asked(wanted, by, reason, note)
        note(Deed("approval.used", wanted.people, used.id))

    def approve(self, id: str, by: str) -> Approval:
        """Note that a user approves; raise RejectedError (403) for who is no second pair of eyes, (404, 409)."""
        return self.approvals.approve(id, by, self._clock.now_ms(), self._is_enough)

    def refuse(self, id: str, by: str) -> Approval:
        """Refuse what is open, or take it back; raises RejectedError (404, 409)."""
        return self.approvals.refuse(id, by, self._clock.now_ms())

    def _asked(self, wanted: Wanted, by: str, reason: str, note: Note) -> ApprovalNeededError:
        if not reason.strip() or len(reason) > REASON_MAX:
            raise RejectedError(
                f"expected a reason of at most {REASON_MAX} characters for who has to approve this, got "
                f"{'a longer one' if reason.strip() else 'none'}; say it with --reason, without personal values",
                code="reason",
            )
        now_ms = self._clock.now_ms()
        new = Approval(
            id=secrets.token_hex(8),
            kind=wanted.kind,
            hash=wanted.hash,
            told=wanted.told,
            people=wanted.people,
            asked_by=by,
            reason=reason.strip(),
            asked_at=now_ms,
            until=now_ms + GOOD_FOR_MS,
        )
        note(Deed("approval.asked", wanted.people, wanted.kind))
        asked = self.approvals.ask(new)
        left = approvals_wanted(by, self._approvers(wanted)) - len(asked.approved)
        users = "another user" if by.startswith(USER) else "a user" if left == 1 else "two users"
        return ApprovalNeededError(
            f"this waits for approval as {asked.id}: {users} with the right to approve it "
            f"{'have' if users == 'two users' else 'has'} to do so on the console's page /approvals, within 24 hours "
            "of when it was asked for; then say the same again",
            asked.id,
        )

    def _is_enough(self, seen: Approval) -> bool:
        """Whether an approval is enough with the eyes on it, the last of which are to be added."""
        by = seen.approved[-1].who
        approvers = self._approvers(seen)
        wanted = approvals_wanted(seen.asked_by, approvers)
        if wanted:
            self._require_eyes(seen, by, approvers)
        counted = {eye.who for eye in seen.approved if eye.who in approvers and eye.who != seen.asked_by}
        return len(counted) >= wanted

    def _require_eyes(self, seen: Approval, by: str, approvers: Mapping[str, Role]) -> None:
        if not by.startswith(USER):
            raise _refused(
                "expected a user who logged in to approve this, got a command, a key or a one-time link, which are "
                "nobody's eyes; log in to the console and open /approvals"
            )
        if by == seen.asked_by:
            raise _refused("expected somebody else than who asked to approve this, got the same; ask another user")
        if by not in approvers:
            raise _refused(f"expected a user with a role that may {_words(seen)} to approve this, got another")

    def _approvers(self, one: Wanted | Approval) -> dict[str, Role]:
        """Return who could approve, by the names that the audit has of them."""
        need = NEEDS[one.kind]
        return {
            by_user(id): role
            for id, role in roles_of_users(self._store).items()
            if self._rules.permits(role, need.verb, "Kind", need.kind)
        }


def _words(one: Approval) -> str:
    need = NEEDS[one.kind]
    return f"{need.verb} {need.kind.replace('_', ' ')}"


def _refused(sentence: str) -> RejectedError:
    return RejectedError(sentence, code="four_eyes", status=HTTPStatus.FORBIDDEN)
