"""A courier with the fault put in: it writes to the socket first, and to the ledger after.

The negative control of test_broadcast.py runs this module in place of `livepost run courier`. It dies once, between the
two; its leases are short, so that the test is.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count

from livepost.cli import courier as command
from livepost.cli.workspace import folder_here
from livepost.deliver import courier as room
from livepost.deliver.courier import Courier
from livepost.ledger import claims as ledger_claims
from livepost.ledger.base import Claimed, Settlement
from livepost.model.message import Message

GROUP = 3
"""At which group of mails it dies."""

LEASE_MS = 3_000

_groups: Iterator[int] = count(1)


def _send_group(
    courier: Courier,
    made: Sequence[tuple[Claimed, Message]],
    counts: Counter[str],
    accepted: list[tuple[int, int]],
) -> None:
    group = next(_groups)
    receipts = courier.sender.send([message for _, message in made])
    died = folder_here().path / "died"
    if group == GROUP and not died.exists():
        died.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    given = room._confirm(courier, made, counts).values()
    flying = {claim.decision.id for mails in given for claim, _ in mails}
    settlements = [
        Settlement(claim=claim, receipt=receipt)
        for (claim, _), receipt in zip(made, receipts, strict=True)
        if claim.decision.id in flying
    ]
    courier.ledger.settle(settlements, courier.clock.now_ms())


if __name__ == "__main__":
    vars(room)["_send_group"] = _send_group
    vars(ledger_claims)["LEASE_MS"] = LEASE_MS
    command.main(folder_here())
