"""Step 1, decode: open the log's blocks as one batch; ticks and control records only let time pass."""

from __future__ import annotations

import numpy as np

from livepost.model.record import Kind
from livepost.process.batch import Batch


def decode(batch: Batch) -> None:
    """Leave only events alive."""
    batch.alive[np.flatnonzero(batch.kind != Kind.EVENT)] = False
