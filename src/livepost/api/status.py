"""Where the house stands, over HTTP."""

from __future__ import annotations

import msgspec

from livepost.api.house import House
from livepost.api.operation import Operation
from livepost.govern.access.permission import Permission
from livepost.model.told import Standing


class StatusAsked(msgspec.Struct, frozen=True):
    """Nothing."""


def _status(house: House, asked: StatusAsked) -> Standing:
    return house.standing()


STATUS = Operation(
    path="/api/status",
    needs=Permission("read", "house"),
    name="status",
    summary="Positions, lag, rates, freshness and conservation",
    asked=StatusAsked,
    answers=Standing,
    run=_status,
    shows=None,
)
