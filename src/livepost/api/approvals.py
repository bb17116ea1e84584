"""What waits for a second person, over HTTP: to look at only. A key is nobody's eyes, so it approves none of it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from livepost.api.house import House
from livepost.api.operation import Operation
from livepost.clock import WallClock
from livepost.control.approvals import LISTED_MAX, Approval, ApprovalKind, ApprovalState
from livepost.govern.access.permission import Permission


class ApprovalsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """The newest `limit`."""

    limit: Annotated[int, Meta(ge=1, le=LISTED_MAX)] = 100


class ApprovalAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was asked for: `hash` is the SHA-256, in hex, of exactly that; `told` the same in sentences.

    Times are UTC ms, 0 where that has not happened; names are as the audit has them; it is done or over by `until`.
    """

    id: str
    kind: ApprovalKind
    state: ApprovalState
    hash: str
    told: list[str]
    asked_by: str
    reason: str
    asked_at: int
    until: int
    approved_by: list[str]
    approved_at: int
    refused_by: str
    refused_at: int
    used_at: int


class ApprovalsAnswer(msgspec.Struct, frozen=True):
    """What was asked for, newest first."""

    approvals: list[ApprovalAnswer]


def answer_of(one: Approval, now_ms: int) -> ApprovalAnswer:
    """Return an approval as it is told at a time (ms of the host)."""
    return ApprovalAnswer(
        id=one.id,
        kind=one.kind,
        state=one.state(now_ms),
        hash=one.hash.hex(),
        told=list(one.told),
        asked_by=one.asked_by,
        reason=one.reason,
        asked_at=one.asked_at,
        until=one.until,
        approved_by=[eye.who for eye in one.approved],
        approved_at=one.approved_at,
        refused_by=one.refused_by,
        refused_at=one.refused_at,
        used_at=one.used_at,
    )


def _approvals(house: House, asked: ApprovalsAsked) -> ApprovalsAnswer:
    now_ms = WallClock().now_ms()
    return ApprovalsAnswer([answer_of(one, now_ms) for one in house.approvals(asked.limit)])


APPROVALS = Operation(
    path="/api/approvals",
    needs=Permission("read", "approvals"),
    name="approvals",
    summary="What was asked for that others have to approve, but for broadcasts",
    asked=ApprovalsAsked,
    answers=ApprovalsAnswer,
    run=_approvals,
    shows=None,
)
