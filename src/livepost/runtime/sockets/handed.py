"""What another process hands to the front, which alone writes the log."""

from __future__ import annotations

import msgspec

from livepost.intake.writer import Lane
from livepost.model.record import Record


class Handed(msgspec.Struct, frozen=True):
    """Records that another process hands to the front."""

    records: list[Record]
    lane: Lane
