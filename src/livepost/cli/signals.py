"""Ctrl-C, SIGTERM and a closed terminal as an event.

A handler runs in the main thread, between any two of its instructions: one that sets the event itself waits for ever
for the lock that the main thread, just waiting for the event, holds. So the handler does nothing, and a thread sets the
event when the interpreter says that there was a signal (`signal.set_wakeup_fd`).
"""

from __future__ import annotations

import os
import signal
from threading import Event, Thread

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def stop_on_signals() -> Event:
    """Return an event that SIGTERM, SIGINT or SIGHUP sets; for the main thread, once."""
    stop = Event()
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    for number in STOPPING:
        signal.signal(number, lambda *_: None)
    Thread(target=_set, args=(stop, told), name="stop-on-signals", daemon=True).start()
    return stop


def _set(stop: Event, told: int) -> None:
    """Set the event once one of the signals was told, each as a byte."""
    while numbers := os.read(told, 64):
        if any(number in STOPPING for number in numbers):
            stop.set()
