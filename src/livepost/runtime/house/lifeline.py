"""A process that ends with its supervisor: its standard input is a pipe that only that one can write."""

from __future__ import annotations

import os
import signal
import sys
from threading import Thread


def end_with_input() -> None:
    """Have this process told to end (SIGTERM) when its standard input ends: nobody is there to supervise it."""
    Thread(target=_wait_for_end, name="end-with-input", daemon=True).start()


def _wait_for_end() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
