"""Work beside a house that is live: it has the processor when nobody else wants it."""

from __future__ import annotations

import os

NICE = 19
"""How far it stands back where the system knows no other way."""


def stand_back() -> None:
    """Let every other process go first, from now on and for good.

    On Linux by SCHED_IDLE: whoever is woken has the processor at once. A process that is only nice is let go on for
    some milliseconds first, and a step of the engine takes no longer than that.
    """
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    else:
        os.nice(NICE)
