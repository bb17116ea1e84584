"""A front on a host whose wall clock is set while it runs: the file `step` in the data folder says by how many ms.

test_host_clock.py runs this module in place of `livepost run front`; with the file `follow` there, the front follows
its host's clock, step or not.
"""

from __future__ import annotations

import time
from pathlib import Path

from livepost import clock
from livepost.cli import front
from livepost.cli.workspace import folder_here

STEP = "step"
FOLLOW = "follow"


class SteppingClock(clock.WallClock):
    """The host's clock, as it was set."""

    step = Path()

    def now_ms(self) -> int:
        """Return the host's UTC time in milliseconds, wrong by the step."""
        told = self.step.read_text() if self.step.exists() else ""
        return time.time_ns() // 1_000_000 + int(told or 0)


if __name__ == "__main__":
    folder = folder_here()
    SteppingClock.step = folder.path / STEP
    vars(clock)["WallClock"] = SteppingClock
    if (folder.path / FOLLOW).exists():
        vars(clock)["STEP_MS"] = clock.DAY_MS * 365
        clock.SteadyClock.__init__.__defaults__ = (clock.DAY_MS * 365,)
    front.main(folder)
