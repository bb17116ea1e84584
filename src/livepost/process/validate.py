"""Step 2, validate: route each event by the verdict it brought, and send what is too late, or known to fail, to the
dead letters.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from livepost.model.record import Origin, Verdict
from livepost.process.batch import Batch

LATENESS_MS = 30 * 86_400_000
"""Accepted lateness of live events (SEMANTICS); older history comes in as imports."""

NOTHING: Mapping[int, str] = MappingProxyType({})
"""No record fails."""


def validate(batch: Batch, failing: Mapping[int, str] = NOTHING) -> None:
    """Settle the fate of events that are filtered, quarantined, dead or late, and of those on which a step fails
    (by seq, with the reason).
    """
    batch.drop(_alive_with(batch, Verdict.FILTERED), "filtered")
    batch.bury(_alive_with(batch, Verdict.QUARANTINED), "the tracking plan does not declare it", "quarantined")
    batch.bury(_alive_with(batch, Verdict.DEAD), "breaks the tracking plan")
    late = batch.alive & (batch.origin == Origin.LIVE) & (batch.stamp - batch.effective > LATENESS_MS)
    batch.too_late = int(late.sum())
    batch.bury(np.flatnonzero(late), "late: happened over 30 days before it came; load it as an import")
    for seq, reason in failing.items():
        batch.bury(np.flatnonzero(batch.alive & (batch.seq == seq)), reason)


def _alive_with(batch: Batch, verdict: Verdict) -> np.ndarray:
    return np.flatnonzero(batch.alive & (batch.verdict == verdict))
