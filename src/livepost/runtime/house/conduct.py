"""What the processes share: stopping on a signal, and how often the garbage collector looks."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
from collections.abc import Coroutine
from typing import Any

GC_THRESHOLD = 50_000
"""Objects between two looks of the garbage collector."""


def collect_seldom() -> None:
    """Let the garbage collector look seldom: requests and steps make many objects, and hardly ever circles."""
    gc.set_threshold(GC_THRESHOLD, 20, 100)


async def stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` until it ends, fails, or SIGTERM or SIGINT comes; then cancel it and return."""
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task
