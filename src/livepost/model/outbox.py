"""What the engine tells the courier when asked for decisions."""

from __future__ import annotations

import msgspec

from livepost.model.decision import OutboxItem
from livepost.model.person import PersonView


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


class UrgentAsked(msgspec.Struct, frozen=True, array_like=True):
    """What the courier asks for what is urgent with: the epoch of its numbers, the last urgent item it was told, how
    far it has read the outbox in order.
    """

    epoch: str
    after: int
    read: int


class Urgent(msgspec.Struct, frozen=True, kw_only=True):
    """Transactional decisions that need not wait for what stands before them in the outbox, and their people.

    The page says nothing of `complete_to`: whoever reads the outbox in order comes by all of its items again.
    """

    page: OutboxPage
    people: dict[bytes, PersonView]
