"""A courier to be killed: takes mails from a ledger on PostgreSQL to an SMTP server until it is told to stop.

In: a plan as JSON on the command line. Out: mails over real SMTP, each to an address that is its decision's id. It has
no engine: decisions are in the ledger already, and each mail is made of its decision alone. Leases are short, so that a
test sees them end.

With `faulty` it is the negative control: it puts mails of couriers that are gone back to be sent, whatever their class.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing

import msgspec

from livepost.clock import WallClock
from livepost.deliver.courier import Courier, recover, send_due, take_care
from livepost.deliver.smtp import SmtpSender, route_to
from livepost.ids import digest
from livepost.ledger import claims, leases
from livepost.ledger.base import Claimed, Move
from livepost.ledger.postgres import PostgresLedger
from livepost.ledger.store import Row, Store
from livepost.model.message import Message
from livepost.model.outbox import OutboxPage
from livepost.model.person import PersonView
from livepost.runtime.courier import beating as beats
from livepost.settings.postgres import PostgresAddress
from livepost.settings.smtp import read_smtp

WORKER_LEASE_MS = 1_500
LEASE_MS = 1_500
BEAT_MS = 300
IDLE_S = 0.05
BATCH = 40


class Plan(msgspec.Struct):
    """What to work on, under what name."""

    ledger: PostgresAddress
    smtp_port: int
    worker: str
    faulty: bool = False


class Desk:
    """The courier's neighbours: none of them has anything to say."""

    def decisions(self, after: int, limit: int) -> OutboxPage:
        return OutboxPage(complete_to=-1, as_of=0, items=[])

    def served(self, upto: int) -> None:
        return

    def people(self, ids: Sequence[bytes], at_least: int) -> Mapping[bytes, PersonView]:
        return {}

    def report(self, moves: Sequence[Move]) -> None:
        return

    def make(self, claim: Claimed, view: PersonView | None, now_ms: int) -> Message:
        name = claim.decision.id.hex()
        head = f"From: shop@example.com\r\nTo: {name}@example.com\r\nSubject: Hi\r\nMessage-ID: <{name}@shop>\r\n"
        return Message(
            decision=claim.decision.id,
            person=claim.person,
            sender="shop@example.com",
            recipient=f"{name}@example.com",
            message_id=f"<{name}@shop>",
            raw=f"{head}\r\nHi\r\n".encode(),
        )


def send_again(store: Store, abandoned: Sequence[Row], now_ms: int) -> None:
    """The fault: what is in flight of nobody is pending again."""
    for row in abandoned:
        store.move(row, "pending", now_ms, worker="")


def main(plan: Plan) -> None:
    leases.WORKER_LEASE_MS, claims.LEASE_MS, beats.BEAT_MS = WORKER_LEASE_MS, LEASE_MS, BEAT_MS
    if plan.faulty:
        claims.recover = send_again
    desk = Desk()
    route = route_to(read_smtp(f"smtp://127.0.0.1:{plan.smtp_port}?tls=none", "test"), "shop.example", "")
    with ExitStack() as open_:
        ledger = open_.enter_context(closing(PostgresLedger(plan.ledger)))
        open_.enter_context(beats.beating(open_.enter_context(closing(PostgresLedger(plan.ledger))), plan.worker))
        courier = Courier(
            engine=desk,
            ledger=ledger,
            maker=desk,  # type: ignore[arg-type]
            sender=open_.enter_context(closing(SmtpSender(route))),
            blind=digest,
            outcomes=desk,
            clock=WallClock(),
            worker=plan.worker,
        )
        recover(courier)
        print("works", flush=True)
        while True:
            if not send_due(courier, BATCH).claimed:
                time.sleep(IDLE_S)
            take_care(courier)


if __name__ == "__main__":
    main(msgspec.json.decode(sys.argv[1], type=Plan))
