"""How many mails a second does one courier process make, keep and settle?

Estimate before measuring: a mail is rendered (HTML, text, subject: ~0.6 ms), put into bytes (~0.1 ms), compressed and
sealed (~0.1 ms), and moved four times in the ledger (~0.1 ms); a group of 20 costs three fsyncs (~1 ms). So about
0.95 ms a mail: 1,050 mails/s. The gate is 350.

Run: python benchmarks/mail.py [MAILS]. Out: JSON. The ledger, the vault and the mailbox are on disk; the engine is a
dictionary, because its own speed is measured elsewhere.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from livepost.clock import WallClock
from livepost.deliver import courier as loop
from livepost.deliver.courier import Courier
from livepost.deliver.keep import Keep, read
from livepost.deliver.mail import Maker, Shop
from livepost.deliver.message import From
from livepost.ids import digest
from livepost.ledger.base import Move
from livepost.ledger.sqlite import SqliteLedger
from livepost.model.compiled import ADDRESS_FEATURE
from livepost.model.decision import ConsentChange, Decision, OutboxItem
from livepost.model.message import EmailDraft
from livepost.model.outbox import OutboxPage
from livepost.model.person import PersonView
from livepost.model.record import SealedValue
from livepost.render.template import Templates
from livepost.vault.base import ExternalId
from livepost.vault.kek.memory import MemoryKeks
from livepost.vault.sqlite import SqliteVault

PEOPLE = 1_000
GATE_PER_S = 350


class Neighbours:
    """The engine, the author and the log, as far as a courier sees them."""

    def __init__(self, vault: SqliteVault, mails: int) -> None:
        self.vault = vault
        keys = vault.admit([ExternalId("user", f"h{n}") for n in range(PEOPLE)])
        vault.commit()
        self.persons = {one.subject: self._view(one.subject, n) for n, one in enumerate(keys)}
        subjects = list(self.persons)
        self.items: list[OutboxItem] = [_consent(subject) for subject in subjects]
        self.items += [_decision(n, subjects[n % PEOPLE]) for n in range(mails)]

    def _view(self, subject: bytes, number: int) -> PersonView:
        values = {ADDRESS_FEATURE: f"h{number}@example.com", "first_name": f"Ada {number}"}
        keys = self.vault.keys(subject)
        return PersonView(
            person=subject,
            subjects=(subject,),
            position=0,
            as_of=0,
            features={"views_7d": 3, "favourites": ["p1", "p2", "p3", "p4", "p5"]},
            sealed={
                field: SealedValue("web", subject, "m", field, keys.seal(msgspec.json.encode(value), b""))
                for field, value in values.items()
            },
            memberships=(),
            journeys=(),
            consents={},
            next_due=None,
        )

    def decisions(self, after: int, limit: int) -> OutboxPage:
        """Return a page of the outbox."""
        items = [item for item in self.items if item.position > after]
        last = items[:limit][-1].position if items else after
        page = [item for item in items if item.position <= last]
        return OutboxPage(complete_to=last, as_of=0, items=page, more=len(page) < len(items))

    def served(self, upto: int) -> None:
        """Hear how far decisions are taken over: all of them stay in memory here."""

    def people(self, ids: Sequence[bytes], at_least: int) -> Mapping[bytes, PersonView]:
        """Return persons."""
        return {one: self.persons[one] for one in ids}

    def draft(self, decision: Decision, person: PersonView, opened: Mapping[str, Any]) -> EmailDraft:
        """Return the author's words."""
        return EmailDraft(
            template="browse_reminder",
            subject="Still thinking it over, {{ first_name | default: 'friend' }}?",
            variables={"products": person.features["favourites"]},
        )

    def open(self, value: SealedValue) -> Any:
        """Return the plain value."""
        return msgspec.json.decode(self.vault.keys(value.subject).open(value.seal, b""))

    def report(self, moves: Sequence[Move]) -> None:
        """Take moves."""


def _consent(subject: bytes) -> ConsentChange:
    return ConsentChange(
        person=subject, purpose="marketing", allowed=True, at=0, position=0, source="web", message_id="m"
    )


def _decision(number: int, subject: bytes) -> Decision:
    return Decision(
        id=digest(number),
        campaign="browse_reminder",
        version="v1",
        step=0,
        person=subject,
        cause=digest("cause", number),
        cause_text="entered Shopper.browsing",
        at=number,
        position=1 + number,
        purpose="marketing",
        class_="marketing",
        lane="triggered",
        cap_times=100,
        cap_per_ms=1_000,
    )


def measure(mails: int, folder: Path) -> dict[str, Any]:
    """Return the figures of one run in `folder`."""
    vault = SqliteVault(folder / "vault.db", MemoryKeks(digest("kek", size=32)))
    neighbours = Neighbours(vault, mails)
    template = files("livepost.project") / "starter" / "templates" / "browse_reminder.mjml"
    shop = Shop(
        sender=From("The Shop", "hello@shop.example"),
        name="The Shop",
        address="1 Road, Town",
        public_url="https://m.shop.example",
    )
    maker = Maker(shop, neighbours, Templates({"browse_reminder.mjml": template.read_text()}), neighbours, vault.secret)
    keep = Keep(folder / "mailbox", vault, "shop")
    courier = Courier(
        engine=neighbours,
        ledger=SqliteLedger(folder / "ledger.db"),
        maker=maker,
        sender=keep,
        blind=lambda address: vault.blind("suppression", address),
        outcomes=neighbours,
        clock=WallClock(),
    )
    began = time.perf_counter()
    while loop.take_over(courier).inserted:
        pass
    taken = time.perf_counter()
    busy = time.process_time()
    sent = 0
    while (done := loop.send_due(courier)).claimed:
        sent += done.counts.get("sent", 0)
    ended, busy = time.perf_counter(), time.process_time() - busy
    [kept] = read(folder / "mailbox", vault, "shop", limit=1)
    courier.ledger.close()
    keep.close()
    vault.close()
    return {
        "mails": sent,
        "mails_per_s": round(sent / (ended - taken)),
        "cpu_ms_a_mail": round(1_000 * busy / sent, 3),
        "taken_over_per_s": round(mails / (taken - began)),
        "bytes_a_mail": len(kept.raw),
        "gate_per_s": GATE_PER_S,
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=os.environ.get("LIVEPOST_BENCH_DIR")) as place:
        print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 3_000, Path(place)), indent=2))
