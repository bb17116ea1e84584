"""A front that kills itself, once, between the append of a replay and its answer.

tests/real/test_dead_letters.py runs this module in place of `livepost run front`.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

from livepost.cli import front as command
from livepost.cli.workspace import folder_here
from livepost.intake.writer import Intake, Lane
from livepost.model.record import Record
from livepost.runtime.front import process as front

DIED = "died"
"""The file that says that it was done: the next front lives."""


class DyingIntake(Intake):
    """Kills its process as soon as the first replay is in the log."""

    async def admit_records(self, records: Sequence[Record], lane: Lane, *, size: int = 0) -> int:  # type: ignore[override]
        at = await super().admit_records(records, lane, size=size)
        died = Path(folder_here().path) / DIED
        if records[0].replays is not None and not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return at


if __name__ == "__main__":
    vars(front)["Intake"] = DyingIntake
    command.main(folder_here())
