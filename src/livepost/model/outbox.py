"""What the engine tells the courier when asked for decisions."""

from __future__ import annotations

import msgspec

from livepost.model.decision import OutboxItem


class OutboxPage(msgspec.Struct, frozen=True, kw_only=True):
    """Outbox items behind the asked one, in the order in which they were decided: of one person by position, of several
    an older position may come later.

    complete_to   who has this page and all before it misses nothing up to this position; -1, nothing said, where the
                  page was cut by its limit (`more`)
    as_of         the stamp last applied (ms)
    last          the last item's number; asking again goes on behind it
    epoch         of the numbers: where it is another one they began anew, and what is there has to be asked for anew
    """

    complete_to: int
    as_of: int
    items: list[OutboxItem]
    more: bool = False
    last: int = 0
    epoch: str = ""
