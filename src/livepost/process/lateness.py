"""How late the processed events of a batch came, counted by band and origin (`model.lateness`)."""

from __future__ import annotations

import numpy as np

from livepost.model.lateness import EDGES_MS, band_key
from livepost.model.record import Origin
from livepost.process.batch import Batch

_KEYS = [band_key(band, live=live) for band in range(len(EDGES_MS) + 1) for live in (True, False)]


def count_lateness(batch: Batch) -> dict[str, int]:
    """Return how many of the events that are still alive came how late; together they are all of these."""
    alive = np.flatnonzero(batch.alive)
    bands = np.searchsorted(EDGES_MS, batch.stamp[alive] - batch.effective[alive])
    counts = np.bincount(2 * bands + (batch.origin[alive] != Origin.LIVE), minlength=len(_KEYS))
    return {key: count for key, count in zip(_KEYS, counts.tolist(), strict=True) if count}
