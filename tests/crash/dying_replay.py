"""`livepost replay` that kills itself after so many steps, as its first word says; 0: it lives.

test_replay.py runs this module in place of `livepost replay`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

from livepost.cli import main
from livepost.runtime.engine import worker
from livepost.runtime.engine.rebuilding import Progress, Rebuilding

STEP_RECORDS = 300
"""So few that even a short log takes many steps."""


def dying(lives: int) -> None:
    """Let replays in this process die after so many steps."""
    carry_out = Rebuilding.carry_out

    def cut_short(rebuilding: Rebuilding) -> Iterator[Progress]:
        for number, at in enumerate(carry_out(rebuilding)):
            if number == lives:
                os.kill(os.getpid(), signal.SIGKILL)
            yield at

    vars(worker)["STEP_RECORDS"] = STEP_RECORDS
    if lives:
        Rebuilding.carry_out = cut_short  # type: ignore[method-assign]


if __name__ == "__main__":
    dying(int(sys.argv.pop(1)))
    main()
