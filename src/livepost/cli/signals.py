"""Ctrl-C, SIGTERM and a closed terminal as an event; a supervisor that is gone as SIGTERM."""

from __future__ import annotations

import os
import signal
import sys
from threading import Event, Thread


def stop_on_signals() -> Event:
    """Return an event that SIGTERM, SIGINT or SIGHUP sets."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    return stop


def end_with_input() -> None:
    """Have this process told to end (SIGTERM) when its standard input ends: nobody is there to supervise it."""
    Thread(target=_wait_for_end, name="end-with-input", daemon=True).start()


def _wait_for_end() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
