"""How the senders stand: breaker, errors, pace and warm-up of each, and what nobody knows of."""

from __future__ import annotations

import msgspec

from livepost.clock import WallClock
from livepost.console.house import House
from livepost.console.page import NothingAsked, Page
from livepost.govern.access.permission import Permission
from livepost.ledger.base import SenderStanding


class ProvidersView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows; `now_ms` is the host's time, as the senders' times are."""

    senders: list[SenderStanding]
    now_ms: int


def _providers(house: House, asked: NothingAsked) -> ProvidersView:
    return ProvidersView(senders=house.senders(), now_ms=WallClock().now_ms())


PROVIDERS = Page(
    path="/providers",
    needs=Permission("read", "house"),
    name="providers",
    title="Providers",
    asked=NothingAsked,
    show=_providers,
    sees=None,
    rail="system",
)
