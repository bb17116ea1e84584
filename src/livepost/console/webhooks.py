"""How webhooks stand: who is told what, how far, what waits, what nobody took."""

from __future__ import annotations

import msgspec

from livepost.clock import WallClock
from livepost.console.house import House
from livepost.console.live import SELDOM_S
from livepost.console.page import NothingAsked, Page
from livepost.govern.access.permission import Permission
from livepost.ops.webhooks import WebhookStanding


class WebhooksView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows; `now_ms` is the host's time, as the targets' times are."""

    webhooks: list[WebhookStanding]
    now_ms: int


def _webhooks(house: House, asked: NothingAsked) -> WebhooksView:
    return WebhooksView(webhooks=house.webhooks(), now_ms=WallClock().now_ms())


WEBHOOKS = Page(
    path="/webhooks",
    needs=Permission("read", "webhooks"),
    name="webhooks",
    title="Webhooks",
    asked=NothingAsked,
    show=_webhooks,
    sees=None,
    rail="system",
    every_s=SELDOM_S,
)
