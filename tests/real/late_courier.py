"""A courier with the fault put in: it writes to the socket first, and to the ledger after.

The negative control of test_broadcast.py runs this module in place of `livepost run courier`. It dies once, between the
two; its leases are short, so that the test is.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from itertools import count

from livepost.cli import courier as command
from livepost.cli.workspace import folder_here
from livepost.deliver import courier as room
from livepost.ledger import claims as ledger_claims
from livepost.ledger.base import Claimed, Settlement
from livepost.model.message import Message

GROUP = 3
"""At which group of mails it dies."""

LEASE_MS = 3_000

_groups: Iterator[int] = count(1)


class Late(room.Groups):
    """A group of mails that its server has before the ledger knows."""

    def advance(self, made: Sequence[tuple[Claimed, Message]]) -> room.Flying:
        super().advance([])
        return {"": [*made]} if made else {}

    def send(self, flying: room.Flying) -> None:
        for made in flying.values():
            group, courier = next(_groups), self._courier
            receipts = courier.sender.send([message for _, message in made])
            died = folder_here().path / "died"
            if group == GROUP and not died.exists():
                died.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            now_ms = courier.clock.now_ms()
            ready = room._ready(courier, made)
            given = courier.ledger.confirm(ready.claims, ready.addresses, now_ms, courier.routing, ready.domains)
            courier.ledger.settle(
                [
                    Settlement(claim=one.claim, receipt=receipt)
                    for one, receipt in zip(given, receipts, strict=True)
                    if not one.reason
                ],
                now_ms,
            )


if __name__ == "__main__":
    vars(room)["Groups"] = Late
    vars(ledger_claims)["LEASE_MS"] = LEASE_MS
    command.main(folder_here())
