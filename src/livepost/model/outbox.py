"""What the engine tells the courier when asked for decisions."""

from __future__ import annotations

import msgspec

from livepost.model.decision import OutboxItem


class OutboxPage(msgspec.Struct, frozen=True, kw_only=True):
    """Outbox items with position > the asked one, in order; up to `complete_to` nothing is missing any more.

    `as_of` is the stamp last applied (ms). `more` says the page was cut by its limit: then `complete_to` is no
    further than the last item's position, and asking again goes on from there.
    """

    complete_to: int
    as_of: int
    items: list[OutboxItem]
    more: bool = False
