"""How late events come, and what that cost: counted by `process`, told by the status page; light, loads no numpy.

In: counts by key, as the state keeps them beside the fates of events. Out: `Lateness`. Promised: each is a count of
records of the log up to the engine's position, so a restart or a replay gives the same.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

EDGES_MS = (1_000, 60_000, 3_600_000, 86_400_000, 7 * 86_400_000, 30 * 86_400_000)
"""Upper edges of the bands (ms): a click, a queue, `fresh`, a day, a week, accepted lateness."""

TOO_LATE = "too late"
"""The key of live events that came after accepted lateness; their fate is dead-lettered."""

_NOT_FRESH = "not fresh: "


class Band(msgspec.Struct, frozen=True):
    """Processed events with `stamp - effective_ts` up to `up_to_ms` and over the band before; None: all later ones.

    `imported` are those of origin import or backfill.
    """

    up_to_ms: int | None
    live: int
    imported: int


class Lateness(msgspec.Struct, frozen=True, kw_only=True):
    """How late events came, and what that cost.

    bands       the processed events, each in one band, the punctual ones first
    too_late    live events over 30 days late: they are among the dead letters
    not_fresh   by campaign: live records that would have started a journey, had they not come later than `fresh` allows
    """

    bands: tuple[Band, ...] = ()
    too_late: int = 0
    not_fresh: dict[str, int] = {}


def band_key(band: int, *, live: bool) -> str:
    """Return the key of a band's count; bands are numbered from 0, the last one is behind the last edge."""
    return f"late {band} {'live' if live else 'imported'}"


def not_fresh_key(campaign: str) -> str:
    """Return the key of a campaign's triggers that were not fresh."""
    return _NOT_FRESH + campaign


def lateness_of(counts: Mapping[str, int]) -> Lateness:
    """Return what the counts say, by the keys above; other keys are nothing of ours."""
    edges = (*EDGES_MS, None)
    bands = [
        Band(edge, counts.get(band_key(band, live=True), 0), counts.get(band_key(band, live=False), 0))
        for band, edge in enumerate(edges)
    ]
    not_fresh = {
        key.removeprefix(_NOT_FRESH): count for key, count in sorted(counts.items()) if key.startswith(_NOT_FRESH)
    }
    return Lateness(bands=tuple(bands), too_late=counts.get(TOO_LATE, 0), not_fresh=not_fresh)
