"""Which senders a workspace has, in order of preference, and how fast mails may go through them.

In: what settings say. Out: plain values that courier and ledger share. Promised: all of it is a function of its
arguments: two couriers with the same settings agree.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime

import msgspec

from livepost.clock import DAY_MS, SECOND_MS

ANY_DOMAIN = "*"
"""The pace of each domain that has none of its own."""

BURST_MS = SECOND_MS
"""So much of a pace may go at once after a pause: a courier looks for mails twice a second."""

US = 1_000
"""Microseconds in a millisecond."""


class Pace(msgspec.Struct, frozen=True):
    """So many mails within so many ms, evenly.

    By the generic cell rate algorithm (ITU-T I.371, "virtual scheduling"): mails are `step_us` apart; after a pause up
    to `burst` go at once. In no window of `per_ms` go more than `times + burst`.
    """

    times: int
    per_ms: int

    @property
    def step_us(self) -> int:
        """Microseconds from one mail to the next.

        >>> Pace(100, 1_000).step_us
        10000
        """
        return math.ceil(self.per_ms * US / self.times)

    @property
    def burst(self) -> int:
        """Mails that may go at once.

        >>> Pace(100, 1_000).burst, Pace(600, 60_000).burst, Pace(1, 60_000).burst
        (100, 10, 1)
        """
        return max(1, self.times * min(BURST_MS, self.per_ms) // self.per_ms)

    @property
    def tolerance_us(self) -> int:
        """How far the next mail's due time may lie ahead."""
        return (self.burst - 1) * self.step_us


class WarmUp(msgspec.Struct, frozen=True, kw_only=True):
    """Volumes of a new sender, growing by day (UTC) until it is known: `first` on `begins`, then `factor` times as many
    each day, until `until` mails a day; from that day on there is no bound.

    Source: providers' schedules for new IP addresses (SendGrid, Postmark, SES), which double about daily from 50.
    """

    begins: date
    first: int
    factor: float
    until: int

    def quota(self, host_ms: int) -> int | None:
        """Return the mails of the day of a moment; None once it is over, 0 before it begins.

        floor(first * factor ^ days since `begins`)

        >>> warm = WarmUp(begins=date(2026, 12, 1), first=50, factor=2, until=1_000)
        >>> [warm.quota(day_ms(date(2026, 12, day))) for day in (1, 2, 5, 6)]
        [50, 100, 800, None]
        """
        days = day_of(host_ms) - (self.begins - date(1970, 1, 1)).days
        if days < 0:
            return 0
        if self.factor > 1 and days >= math.log(self.until / self.first, self.factor):
            return None
        return min(self.until, math.floor(self.first * self.factor**days))


class SenderRule(msgspec.Struct, frozen=True, kw_only=True):
    """One sender, by its name, as the ledger is told of it."""

    name: str
    pace: Pace | None = None
    warm_up: WarmUp | None = None


class Routing(msgspec.Struct, frozen=True, kw_only=True):
    """All senders, the preferred first; `domains` are paces of recipients' domains (small letters, or ANY_DOMAIN).

    Without senders nothing is chosen, and nothing noted.
    """

    senders: tuple[SenderRule, ...] = ()
    domains: dict[str, Pace] = {}


def domain_key(routing: Routing, recipient: str, blind: Callable[[str], bytes]) -> str:
    """Return the key of a recipient's domain: its name if the settings name it, else a keyed hash; "" without a pace.

    >>> gmail = Routing(domains={"gmail.com": Pace(20, 1_000)})
    >>> domain_key(gmail, "Ada@GMail.com", str.encode), domain_key(gmail, "ada@example.com", str.encode)
    ('gmail.com', '')
    """
    if not routing.domains:
        return ""
    domain = recipient.rpartition("@")[2].casefold()
    if domain in routing.domains:
        return domain
    return f"{ANY_DOMAIN}{blind(f'@{domain}').hex()}" if ANY_DOMAIN in routing.domains else ""


def day_of(host_ms: int) -> int:
    """Return the day (UTC) of a moment, as days since 1970."""
    return host_ms // DAY_MS


def day_ms(day: date) -> int:
    """Return when a day begins (UTC, ms)."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * SECOND_MS)
