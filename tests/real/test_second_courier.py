"""A second courier beside the house's own, as a person starts one, on either ledger."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.real.post import Office, wait_until
from tests.real.postgres import Server
from tests.real.test_smtp import Shop, reminders

QUICK = "tests.real.quick_courier"


class Slow(Office):
    """A server that keeps its answer to the first mail until it is released."""

    def __init__(self) -> None:
        self.released = asyncio.Event()
        super().__init__()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answer = await super().handle_DATA(server, session, envelope)
        if len(self.mails) == 1:
            await self.released.wait()
        return answer

    def release(self) -> None:
        self._loop.call_soon_threadsafe(self.released.set)


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest) -> str:
    """The line of `livepost.toml` that names the ledger."""
    if request.param == "sqlite":
        return ""
    server: Server = request.getfixturevalue("postgres")
    to = server.database()
    return f'ledger = "postgresql://{to.user}@{to.host}:{to.port}/{to.database}"\n'


@pytest.fixture
def starts(tmp_path: Path) -> Iterator[Callable[..., Shop]]:
    with ExitStack() as opened:

        def start(address: str, more: str) -> Shop:
            shop = Shop(tmp_path, address, more, courier=QUICK)
            opened.callback(shop.close)
            return shop

        yield start


@pytest.fixture
def beside() -> Iterator[Callable[[Shop], subprocess.Popen[bytes]]]:
    with ExitStack() as opened:

        def start(shop: Shop) -> subprocess.Popen[bytes]:
            second = subprocess.Popen(
                [sys.executable, "-m", QUICK],
                cwd=shop.house.project_folder,
                env=shop.house._environment,
                stderr=subprocess.PIPE,
            )
            opened.enter_context(second)
            opened.callback(second.kill)
            return second

        yield start


def test_of_two_couriers_the_second_goes_on_when_the_first_is_stopped_and_the_first_writes_nothing_late(
    starts: Callable[..., Shop], beside: Callable[[Shop], subprocess.Popen[bytes]], ledger: str
) -> None:
    with closing(Slow()) as office:
        shop = starts(f"smtp://127.0.0.1:{office.port}?tls=none", ledger)
        first = shop.house.supervisor.pids()["courier"]
        second = beside(shop)
        wait_until("the second courier to have a seat", (shop.house.folder.path / "courier-2.lock").exists)
        shop.looks("ada")
        wait_until("the mail to be written", lambda: bool(office.mails))
        stopped = holder(shop, first, second.pid)
        os.kill(stopped, signal.SIGSTOP)
        wait_until("the mail to be nobody's", lambda: shop.states() == {"unknown": 1})
        office.release()
        shop.looks("bob")
        wait_until("the other to send", lambda: shop.states() == {"unknown": 1, "sent": 1})
        os.kill(stopped, signal.SIGCONT)
        shop.looks("cyn")
        wait_until("either to send", lambda: shop.states() == {"unknown": 1, "sent": 2})
        assert Counter(str(one["To"]) for one in reminders(office)) == {
            "ada@example.com": 1,
            "bob@example.com": 1,
            "cyn@example.com": 1,
        }
        assert shop.house.supervisor.pids()["courier"] == first
        assert second.poll() is None


def holder(shop: Shop, first: int, second: int) -> int:
    """Return which process has the mail in flight."""
    with closing(shop.house.folder.ledger()) as ledger:
        [(worker,)] = ledger._store.read(
            "SELECT worker FROM deliveries WHERE state = 'in_flight' AND campaign = 'reminder'"
        )
    return first if worker.startswith("courier-1-") else second


def test_a_second_courier_that_would_keep_mails_is_refused(
    starts: Callable[..., Shop], beside: Callable[[Shop], subprocess.Popen[bytes]]
) -> None:
    shop = starts("keep:", "")
    second = beside(shop)
    _, said = second.communicate(timeout=60)
    assert second.returncode != 0
    assert 'with mail = "keep:" one courier writes the mailbox' in said.decode()
