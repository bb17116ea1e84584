"""What waits for a second person: what exactly will be done, who asks and why; forms that approve or refuse it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from livepost.audit.deed import Deed
from livepost.clock import WallClock
from livepost.console.house import House
from livepost.console.page import Form, NothingAsked, Page
from livepost.control.approvals import Approval, ApprovalKind
from livepost.govern.access.permission import Permission
from livepost.govern.approval.wanted import NEEDS

SHOWN = 100


class ApprovalsView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows: what is open first; `now_ms` is the host's time."""

    open: list[Approval]
    over: list[Approval]
    now_ms: int


class ApprovalTold(msgspec.Struct, frozen=True, kw_only=True):
    """The form: what is approved or refused; `act` is its kind, by which it is known who may."""

    act: ApprovalKind
    what: Literal["approve", "refuse"]
    id: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}\Z")]


def _approvals(house: House, asked: NothingAsked) -> ApprovalsView:
    now_ms = WallClock().now_ms()
    found = house.approvals(SHOWN)
    is_open = [one.state(now_ms) in ("waiting", "approved") for one in found]
    return ApprovalsView(
        open=[one for one, still in zip(found, is_open, strict=True) if still],
        over=[one for one, still in zip(found, is_open, strict=True) if not still],
        now_ms=now_ms,
    )


def _take(house: House, asked: NothingAsked, told: ApprovalTold) -> ApprovalsView:
    house.settle_approval(told.id, told.act, told.what, "console")
    return _approvals(house, asked)


APPROVALS = Page(
    path="/approvals",
    needs=Permission("read", "approvals"),
    name="approvals",
    title="Approvals",
    asked=NothingAsked,
    show=_approvals,
    sees=None,
    rail="system",
    form=Form(
        told=ApprovalTold,
        needs={str(kind): need for kind, need in NEEDS.items()},
        does=lambda asked, told: Deed(
            "approval.approved" if told.what == "approve" else "approval.refused", about=told.id
        ),
        take=_take,
    ),
)
