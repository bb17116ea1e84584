"""A front that kills itself at a point of a send, once: the file `die` in the data folder names the point.

With the file `forget` beside it the fault is put in: what makes a repeat known is drawn anew each time. It is run in
place of `livepost run front` by test_send.py.
"""

from __future__ import annotations

import os
import signal
from typing import Any
from uuid import uuid4

from livepost.api.send import SendWish
from livepost.cli import front as command
from livepost.cli.workspace import folder_here
from livepost.ledger.base import KnownSend
from livepost.runtime.front import process as front
from livepost.runtime.front.sending import Sending

DIE, FORGET = "die", "forget"
POINTS = ("before the log", "between log and ledger", "before the reply")
FOLDER = folder_here()


class DyingSending(Sending):
    """Reaches each point, and dies at the one that is told."""

    async def send(self, source: str, key: str, wish: SendWish) -> KnownSend:
        forgets = (FOLDER.path / FORGET).exists()
        known = await super().send(source, f"{key} {uuid4()}" if forgets else key, wish)
        reach(POINTS[2])
        return known

    async def _identify(self, *told: Any) -> Any:
        reach(POINTS[0])
        identified = await super()._identify(*told)
        reach(POINTS[1])
        return identified


def reach(point: str) -> None:
    """Die here if that is told, and not a second time."""
    told = FOLDER.path / DIE
    if told.exists() and told.read_text() == point:
        told.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    vars(front)["Sending"] = DyingSending
    command.main(FOLDER)
