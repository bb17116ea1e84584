"""Audiences of a running house, kept in step with vendors on this machine: faults, kills, withdrawals.

The oracle is the engine's own membership and the ledger's consents, read when the house has stopped.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from livepost.runtime.engine.client import EngineClient
from livepost.sync.book import Book
from tests.crash.house import SHOP, House, wait_until
from tests.real.test_stream import taken
from tests.unit.fetch.receiver import receiving
from tests.unit.sync.bench import comparable, reply_of
from tests.unit.sync.vendors import KEY, MODELS, Model

PEOPLE = 24
KILLS = 4
FAULTS = ("lost", "reset", "500", "429")
WITHDRAWN_S = 1.0
SLACK_S = 1.5
"""For the house's own way to the ledger on a machine that has other things to do."""


class Vendors:
    """A house, and vendors that it keeps in step."""

    def __init__(self, path: Path, open_: ExitStack) -> None:
        self._path = path
        self._open = open_

    def start(self, *names: str) -> House:
        self.models: dict[str, Model] = {name: MODELS[name]() for name in names}
        receivers = {
            name: self._open.enter_context(receiving(lambda request, model=model: reply_of(model, request)))
            for name, model in self.models.items()
        }
        audiences = [
            {
                "name": f"to-{name}",
                "vendor": name,
                "url": f"http://127.0.0.1:{receiver.port}",
                "key": "env:VENDOR_KEY",
                "account": "main",
                "id": "email",
                "segments": {"browsing": "list-browsing", "gone": "list-gone"},
                "features": {"views": "views", "first_name": "first_name"},
                "refresh": "1m",
            }
            for name, receiver in receivers.items()
        ]
        self.environment = {
            "LIVEPOST_AUDIENCES": json.dumps(audiences),
            "LIVEPOST_ALLOW_OUTGOING": json.dumps([f"127.0.0.1:{one.port}" for one in receivers.values()]),
            "VENDOR_KEY": KEY,
        }
        house = House(self._path / "data", settings=self.environment)
        house.start()
        self._open.callback(house.stop)
        with closing(EngineClient(house.folder)) as engine:
            wait_until("the engine to answer", lambda: engine.status().position >= -1)
        return house

    def lists(self, name: str) -> dict[str, Any]:
        """Return who is in which lists of a vendor."""
        return {ident: lists for ident, (lists, _) in comparable(self.models[name].in_lists()).items()}


@pytest.fixture
def vendors(tmp_path: Path) -> Iterator[Vendors]:
    with ExitStack() as open_:
        yield Vendors(tmp_path, open_)


def is_quiet(house: House) -> bool:
    """Say whether nobody waits, no job is open, and no round is under way."""
    with closing(Book(house.folder.audiences_file)) as book:
        for one in house.folder.settings.audiences:
            standing, tally = book.standing(one.name), book.tally(one.name)
            if standing is None or standing.stage >= 0 or not standing.rounds or tally.due or tally.jobs:
                return False
    return True


def expected(house: House) -> dict[str, list[str]]:
    """Return who should be in which lists: by the engine, of those who allow it."""
    found: dict[str, list[str]] = {}
    with closing(EngineClient(house.folder)) as engine, closing(house.folder.vault(readonly=True)) as vault:
        for view in engine.everybody(1_000):
            emails = [one.value for one in vault.external_ids(view.subjects) if one.kind == "email"]
            inside = sorted(f"list-{one.segment}" for one in view.memberships if one.inside)
            if inside and view.consents.get("marketing"):
                found[emails[0]] = inside
    return found


def come(house: House, name: str, *, allows: bool = True, orders: bool = False) -> None:
    """Let a person make themselves known, say whether they allow marketing, look around, and perhaps order."""
    user = {"userId": name}
    consent = {"consent": {"categoryPreferences": {"marketing": allows}}}
    traits = {"email": f"{name}@example.com", "firstName": name}
    calls: list[dict[str, Any]] = [
        {"type": "identify", "messageId": f"{name}-i", **user, "traits": traits, "context": consent}
    ]
    views = [("Product Viewed", {"product_id": f"p{n}"}) for n in range(3)]
    ordered = [("Order Completed", {"order_id": name, "total": 5})] if orders else []
    for n, (event, properties) in enumerate([*views, *ordered]):
        calls.append({"type": "track", "messageId": f"{name}-{n}", "event": event, **user, "properties": properties})
    wait_until("the calls to be taken", lambda: taken(house, calls))


def written(house: House) -> bytes:
    """Return all bytes of the book."""
    return b"".join(path.read_bytes() for path in sorted(house.folder.path.glob("audiences.db*")))


def personal_in(raw: bytes) -> list[bytes]:
    """Return the names and addresses of people that stand in bytes."""
    return re.findall(rb"person-[0-9]+|[^ ]*@example.com", raw)


def in_step(vendors: Vendors, house: House) -> bool:
    """Say whether all vendors have what the house says, and nothing is left to do."""
    wanted = expected(house)
    return is_quiet(house) and bool(wanted) and all(vendors.lists(name) == wanted for name in vendors.models)


def test_vendors_are_kept_in_step_across_kills_and_faults(vendors: Vendors) -> None:
    house = vendors.start("braze", "klaviyo", "sendgrid", "customerio", "iterable", "hubspot", "mailchimp")
    killed: list[int] = []
    for number in range(PEOPLE):
        come(house, f"person-{number}", allows=number % 4 != 0)
        if number % (PEOPLE // KILLS) == 1:
            for place, model in enumerate(vendors.models.values()):
                model.faults += [FAULTS[(place + number) % 4]] if len(killed) in (0, 2) else []
            time.sleep(0.3)  # for something to be under way
            house.kill("courier")
            killed.append(number)
    house.kill("engine", "courier")
    for number in range(0, PEOPLE, 3):
        come(house, f"person-{number}", allows=number % 4 != 0, orders=True)
    house.drain()
    wait_until("the vendors to be in step", lambda: in_step(vendors, house))
    never = {f"person-{n}@example.com" for n in range(0, PEOPLE, 4)}
    for name, model in vendors.models.items():
        assert not never & model.ever, f"{name} was told of somebody who never allowed it"
        assert {one for one in model.profiles if not one.startswith("person-")} == set()
    assert livepost(vendors, house, "drift", "to-klaviyo").returncode == 0
    vendors.models["klaviyo"].profiles.popitem()[1].lists.clear()
    told = livepost(vendors, house, "drift", "to-klaviyo")
    assert (told.returncode, "1 fewer there" in told.stdout) == (1, True), told.stdout
    house.stop()
    assert personal_in(written(house)) == []
    assert b"list-browsing" in written(house), "it would be found"


def test_a_withdrawal_reaches_the_vendor_within_a_second_and_who_is_forgotten_is_forgotten_there(
    vendors: Vendors,
) -> None:
    house = vendors.start("braze", "iterable")
    for number in range(3):
        come(house, f"person-{number}")
    house.drain()
    wait_until("the vendors to be in step", lambda: in_step(vendors, house))
    people = {}
    with closing(EngineClient(house.folder)) as engine, closing(house.folder.vault(readonly=True)) as vault:
        for view in engine.everybody(10):
            [email] = [one.value for one in vault.external_ids(view.subjects) if one.kind == "email"]
            people[email] = view
    with closing(house.folder.ledger()) as ledger:
        withdrawn = time.monotonic()
        ledger.withdraw(people["person-1@example.com"].person, "marketing", house.folder.clock.now_ms(), "link")
        wait_until("it to be out of the lists", lambda: "person-1@example.com" not in vendors.lists("iterable"))
        wait_until("it to be out of the lists", lambda: "person-1@example.com" not in vendors.lists("braze"))
        took_s = time.monotonic() - withdrawn
    assert took_s <= WITHDRAWN_S + SLACK_S, took_s
    house.stop()
    with closing(house.folder.vault(readonly=False)) as vault:
        vault.forget(people["person-2@example.com"].subjects)
    house.start()
    with closing(Book(house.folder.audiences_file)) as book:
        rows = len(book.rows_after("to-braze", b"", 10))
        wait_until("it to be forgotten there", lambda: len(book.rows_after("to-braze", b"", 10)) < rows)
    assert vendors.models["braze"].deleted == ["person-2@example.com"]
    assert "person-1@example.com" in vendors.models["braze"].profiles, "who withdrew is only out of the lists"


def livepost(vendors: Vendors, house: House, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in the shop's folder."""
    return subprocess.run(
        [sys.executable, "-m", "livepost.cli", "audiences", *arguments],
        cwd=SHOP,
        env={**house._environment, **vendors.environment},
        capture_output=True,
        text=True,
        check=False,
    )
