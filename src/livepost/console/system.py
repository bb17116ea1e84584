"""What runs, on what, set how: processes, stores, disk, project, divergences, settings with where each came from."""

from __future__ import annotations

import msgspec

from livepost.clock import WallClock
from livepost.console.house import House
from livepost.console.page import NothingAsked, Page
from livepost.govern.access.permission import Permission
from livepost.ledger.base import Divergence
from livepost.model.standing import ProcessStanding, StoreStanding
from livepost.model.told import Standing
from livepost.settings.load import Shown

PAGES_SHOWN = 10
"""Changed pages that are named; of the others, how many they are."""

DIVERGENCES_SHOWN = 20
"""Divergences that are shown, the newest."""


class SystemView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows; `now_ms` is the host's time. `changed` are pages of the author's folder that are not as they
    were applied, and `more_changed` those that are not named.
    """

    processes: list[ProcessStanding]
    stores: list[StoreStanding]
    bytes: int
    free_bytes: int
    standing: Standing
    changed: list[str]
    more_changed: int
    divergences: list[Divergence]
    settings: list[Shown]
    now_ms: int


def _system(house: House, asked: NothingAsked) -> SystemView:
    stores, changed = house.stores(), house.changed_pages()
    return SystemView(
        processes=house.processes(),
        stores=stores,
        bytes=sum(one.bytes for one in stores),
        free_bytes=min((one.free_bytes for one in stores), default=0),
        standing=house.standing(),
        changed=changed[:PAGES_SHOWN],
        more_changed=len(changed[PAGES_SHOWN:]),
        divergences=house.divergences(DIVERGENCES_SHOWN),
        settings=house.settings(),
        now_ms=WallClock().now_ms(),
    )


SYSTEM = Page(
    path="/system",
    needs=Permission("read", "settings"),
    name="system",
    title="System",
    asked=NothingAsked,
    show=_system,
    sees=None,
)
