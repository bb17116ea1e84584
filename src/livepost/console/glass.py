"""Break glass: a form by which a user sees people unmasked for a while, with the reason; who did, and an end to it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from livepost.audit.deed import Deed
from livepost.clock import WallClock
from livepost.console.house import House
from livepost.console.page import Form, NothingAsked, Page
from livepost.control.glass import GLASS_MINUTES_MAX, Glass
from livepost.govern.access.permission import Permission

SHOWN = 100


class GlassView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows; `now_ms` is the host's time."""

    broken: list[Glass]
    now_ms: int
    minutes_max: int = GLASS_MINUTES_MAX


class GlassTold(msgspec.Struct, frozen=True, kw_only=True):
    """The form: to break it, why and for how long; or to end it, by its id."""

    act: Literal["break", "end"]
    reason: Annotated[str, msgspec.Meta(max_length=1_000)] = ""
    minutes: Annotated[int, msgspec.Meta(ge=1, le=GLASS_MINUTES_MAX)] = GLASS_MINUTES_MAX
    id: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{16})?\Z")] = ""


def _glass(house: House, asked: NothingAsked) -> GlassView:
    return GlassView(broken=house.glass(SHOWN), now_ms=WallClock().now_ms())


def _take(house: House, asked: NothingAsked, told: GlassTold) -> GlassView:
    if told.act == "break":
        house.break_glass(told.reason, told.minutes, "console")
    else:
        house.end_glass(told.id, "console")
    return _glass(house, asked)


GLASS = Page(
    path="/glass",
    needs=Permission("read", "glass"),
    name="glass",
    title="Break glass",
    asked=NothingAsked,
    show=_glass,
    sees=None,
    rail="system",
    live=False,
    form=Form(
        told=GlassTold,
        needs={"break": Permission("open", "glass"), "end": Permission("stop", "glass")},
        does=lambda asked, told: Deed("glass.broken" if told.act == "break" else "glass.ended", about=told.id),
        take=_take,
    ),
)
