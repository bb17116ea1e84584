"""A front with the fault put in: it says that all is committed before it is, and writes a moment later.

The negative control of test_kill.py runs this module in place of `livepost run front`.
"""

from __future__ import annotations

import asyncio

from livepost.cli import front as command
from livepost.cli.workspace import folder_here
from livepost.intake.writer import Intake, Lane
from livepost.model.record import Record
from livepost.runtime.front import process as front

LINGER_S = 0.05
"""How long what was acknowledged waits in memory."""


class HastyIntake(Intake):
    """Acknowledges from memory."""

    def _put(self, lane: Lane, records: list[Record], size: int) -> asyncio.Future[int]:
        super()._put(lane, records, size).add_done_callback(asyncio.Future.exception)  # whoever waited was told already
        acknowledged: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        acknowledged.set_result(self._stores.log.last().seq + len(records))
        return acknowledged

    def _commit_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._commit_due:
            self._commit_due = True
            loop.call_later(LINGER_S, self._commit)


if __name__ == "__main__":
    vars(front)["Intake"] = HastyIntake
    command.main(folder_here())
