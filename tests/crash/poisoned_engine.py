"""An engine that some event kills, as a fault in a library's C code would: no exception, no last word.

test_poisoned_engine.py runs this module in place of `livepost run engine`.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from typing import Any

from livepost.cli import engine as command
from livepost.cli.workspace import folder_here
from livepost.decide.stage import Campaigns
from livepost.model.moment import Decided, Moment
from livepost.runtime.engine import stepping

POISON = "o-poison"
"""The order that does it."""


class DeadlyCampaigns(Campaigns):
    """Kills its process as soon as it sees the poison; to see it, it asks for the fields of all records."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.conditions = self.names

    def decide(self, person: bytes, journal: bytes, moments: Sequence[Moment], *rest: Any) -> Decided:
        if any(moment.properties.get("order_id") == POISON for moment in moments):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().decide(person, journal, moments, *rest)


if __name__ == "__main__":
    vars(stepping)["Campaigns"] = DeadlyCampaigns
    command.main(folder_here())
