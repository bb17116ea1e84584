"""What runs, on what, set how: processes, stores, disk, settings with where each came from."""

from __future__ import annotations

import msgspec

from livepost.clock import WallClock
from livepost.console.house import House
from livepost.console.page import NothingAsked, Page
from livepost.model.standing import ProcessStanding, StoreStanding
from livepost.model.told import Standing
from livepost.settings.load import Shown


class SystemView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows; `now_ms` is the host's time."""

    processes: list[ProcessStanding]
    stores: list[StoreStanding]
    bytes: int
    free_bytes: int
    standing: Standing
    settings: list[Shown]
    now_ms: int


def _system(house: House, asked: NothingAsked) -> SystemView:
    stores = house.stores()
    return SystemView(
        processes=house.processes(),
        stores=stores,
        bytes=sum(one.bytes for one in stores),
        free_bytes=min((one.free_bytes for one in stores), default=0),
        standing=house.standing(),
        settings=house.settings(),
        now_ms=WallClock().now_ms(),
    )


SYSTEM = Page(path="/system", name="system", title="System", asked=NothingAsked, show=_system)
