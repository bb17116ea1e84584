"""Where the parts of a house stand, as people are shown them: campaigns, processes, stores, people, pace.

Times are UTC ms, on the workspace's clock unless the host's is named; what is not known is None.
"""

from __future__ import annotations

import msgspec

from livepost.model.earning import Earned, amounts_of
from livepost.model.told import Quantiles


class CampaignStanding(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a campaign's journeys.

    declared   whether the project has it today; of others only the ledger tells
    entered    decisions taken over by the ledger, and people under way (`waiting`)
    by_state, by_reason   decisions by state and by reason, as far as there are any (`model.decision.REASONS`)
    delivered, opened, clicked   mails of which that is known, of clicks and opens by people only
    machine_opened, machine_clicked   mails that machines loaded the picture of, or followed a link of
    earned     what the last clicks on its mails earned, by currency and broadcast
    """

    campaign: str
    declared: bool
    entered: int
    waiting: int
    by_state: dict[str, int]
    by_reason: dict[str, int]
    sent: int
    clicked: int
    held_out: int
    delivered: int = 0
    opened: int = 0
    machine_opened: int = 0
    machine_clicked: int = 0
    earned: tuple[Earned, ...] = ()

    @property
    def ordered(self) -> int:
        """How many of its mails led to orders; one that led to orders in two currencies is in both."""
        return sum(one.mails for one in self.earned)

    @property
    def orders(self) -> int:
        """How many orders its mails led to."""
        return sum(one.orders for one in self.earned)

    @property
    def amounts(self) -> dict[str, int]:
        """What these orders come to, in minor units by currency; "" is left out: these have no amount."""
        return amounts_of(self.earned)


class PersonLine(msgspec.Struct, frozen=True, kw_only=True):
    """A person in a list: subject id in hex, the external id to call them by (None: nobody can read one any more), the
    segments they are in, when they entered or left one last.
    """

    person: str
    name: str | None
    segments: tuple[str, ...]
    at: int


class ProcessStanding(msgspec.Struct, frozen=True, kw_only=True):
    """A process of the house; `since` is the host's time, `restarts` are those of the last hour.

    `supervised` says whether somebody starts it again; memory and processor time are None where the system does not
    tell them.
    """

    name: str
    pid: int
    since: int
    restarts: int
    alive: bool
    supervised: bool
    resident_bytes: int | None
    cpu_s: float | None


class StoreStanding(msgspec.Struct, frozen=True, kw_only=True):
    """A store of the data folder: what it is for, how long it is, and what the disk has left."""

    name: str
    purpose: str
    bytes: int
    free_bytes: int


class RoomPace(msgspec.Struct, frozen=True, kw_only=True):
    """How much a room does.

    what      what it counts, in a word
    per_s     in the last second looked at; `series` in each of the last ones, the newest last, none missing between
    waiting   what stands before it: records, or open deliveries; None where nothing can be counted
    """

    room: str
    what: str
    per_s: float
    series: list[float]
    waiting: int | None


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How fast events go through the house, by the host's clock.

    freshness, event_to_mail   (up to so many ms, how many), ascending: histograms since the processes began
    """

    rooms: tuple[RoomPace, ...]
    lag_records: int
    freshness: list[tuple[float, int]]
    freshness_ms: Quantiles
    event_to_mail: list[tuple[float, int]]
    event_to_mail_ms: Quantiles
