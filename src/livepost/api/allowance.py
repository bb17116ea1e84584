"""How often somebody may ask: so many times in a time, for each of a bounded number of askers, and for all together.

In: askers and times. Out: yes or no. Promised: bounded memory; who is forgotten for want of room counts for all still.
"""

from __future__ import annotations

from collections import OrderedDict
from ipaddress import IPv6Address, ip_address

ASKERS_MAX = 10_000
"""Askers remembered at a time; the longest silent is forgotten first."""


class Allowance:
    """Counts within windows that begin with the first ask after the last one's end; times are ms."""

    def __init__(self, times: int, per_ms: int, *, together: int) -> None:
        """Allow `times` a window for each asker, and `together` for all."""
        self._times = times
        self._per_ms = per_ms
        self._together = together
        self._all = (0, 0)
        self._askers: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def take(self, asker: str, now_ms: int) -> bool:
        """Count one ask; say whether it is allowed. A refused one counts too."""
        self._all = self._counted(self._all, now_ms)
        mine = self._askers[asker] = self._counted(self._askers.get(asker, (0, 0)), now_ms)
        self._askers.move_to_end(asker)
        while len(self._askers) > ASKERS_MAX:
            self._askers.popitem(last=False)
        return mine[1] <= self._times and self._all[1] <= self._together

    def _counted(self, window: tuple[int, int], now_ms: int) -> tuple[int, int]:
        began, count = window
        return (began, count + 1) if 0 <= now_ms - began < self._per_ms else (now_ms, 1)


def asker_of(host: str) -> str:
    """Return who asks from an address: of IPv6 the network of 64 bits, since one asker has all of it.

    >>> asker_of("2001:db8::1:2:3:4"), asker_of("192.0.2.7")
    ('2001:db8::', '192.0.2.7')
    """
    try:
        address = ip_address(host)
    except ValueError:
        return host[:64]
    if isinstance(address, IPv6Address):
        return str(IPv6Address(int(address) >> 64 << 64))
    return str(address)
