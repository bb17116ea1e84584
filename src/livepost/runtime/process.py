"""What the three processes share: stopping on a signal."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from typing import Any


async def stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` until it ends, fails, or SIGTERM or SIGINT comes; then cancel it and return."""
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task
